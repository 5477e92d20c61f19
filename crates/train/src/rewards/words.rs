//! Rewards in words, those that need a model among them.
//!
//! | text | reward |
//! |---|---|
//! | `neural:PATH` | a trained reward model on an engine of its own |
//! | `judge:RUBRIC` | a judge that scores each conversation by a rubric's criteria |
//! | `ruler:RUBRIC` | the same where conversations are judged alone, as in evaluations; in training, the samples of a scenario are scored beside each other |
//!
//! The first two may stand alone or with a weight among others, as in
//! `neural:runs/taste=0.7,safety=0.3`. RUBRIC is a built-in one or a file. Everything else is what
//! [`stateset_env::rewards::parse_reward`] reads. A folder whose own name holds a comma or an equals sign
//! is taken as it stands if it is there.
//!
//! A text that ends in `.toml`, `.yaml`, `.yml` or `.json` and names a file is a reward file
//! ([`RewardFile`]). Its parts are rewards in words again, but not files: a reward stands in one place.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use stateset_core::Reward;
use stateset_env::EnvError;
use stateset_env::judging::{Asker, LlmJudge, Rubric};
use stateset_env::rewards::{
    CompositeReward, MAX_REWARD_FILE_BYTES, RewardFile, RewardFileFormat, WeightedReward,
    parse_reward,
};

use super::neural::NeuralReward;

const JUDGE: &str = "judge:";
const RULER: &str = "ruler:";

/// The reward that `spec` describes; reward models compute with `threads` threads. There is no judge.
///
/// # Errors
/// [`EnvError::Reward`] with what is wrong and what there is.
pub fn reward_in_words(spec: &str, threads: usize) -> Result<Arc<dyn Reward>, EnvError> {
    reward_with_judge(spec, threads, None)
}

/// As [`reward_in_words`], with somebody whom `judge:` and `ruler:` ask.
///
/// # Errors
/// As [`reward_in_words`].
pub fn reward_with_judge(
    spec: &str,
    threads: usize,
    asker: Option<&Asker>,
) -> Result<Arc<dyn Reward>, EnvError> {
    let spec = spec.trim();
    match RewardFileFormat::of_name(spec) {
        Some(format) if is_path(spec) => {
            read_file(Path::new(spec), format)?.build(|part| words_only(part, threads, asker))
        }
        _ => words_only(spec, threads, asker),
    }
}

/// True for what cannot be meant as words: `regex:a.json` and `contains:a.json` are not files.
fn is_path(spec: &str) -> bool {
    Path::new(spec).is_file() || !spec.contains([':', '=', ','])
}

fn read_file(path: &Path, format: RewardFileFormat) -> Result<RewardFile, EnvError> {
    let failed = |source| EnvError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_REWARD_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    RewardFile::read(&bytes, format, &path.display().to_string())
}

fn words_only(
    spec: &str,
    threads: usize,
    asker: Option<&Asker>,
) -> Result<Arc<dyn Reward>, EnvError> {
    let alone = spec.strip_prefix(NeuralReward::PREFIX).map(str::trim);
    if let Some(path) = alone.filter(|path| Path::new(path).is_dir() || !path.contains('=')) {
        return match NeuralReward::open(Path::new(path), threads) {
            Ok(reward) => Ok(Arc::new(reward)),
            Err(error) => Err(refused(spec, error.to_string())),
        };
    }
    let alone = spec.strip_prefix(JUDGE).or_else(|| spec.strip_prefix(RULER)).map(str::trim);
    if let Some(rubric) =
        alone.filter(|rubric| Path::new(rubric).is_file() || !rubric.contains('='))
    {
        return judge(spec, rubric, asker);
    }
    let parts: Vec<&str> = spec.split(',').map(str::trim).collect();
    if parts.iter().any(|part| part.starts_with(RULER)) {
        let message = "ruler: judges whole groups and stands alone; judge: can have a weight";
        return Err(refused(spec, message.to_owned()));
    }
    let needs_model =
        |part: &&str| [NeuralReward::PREFIX, JUDGE].iter().any(|prefix| part.starts_with(prefix));
    if !parts.iter().any(needs_model) {
        return parse_reward(spec);
    }
    let member = |part: &&str| -> Result<WeightedReward, EnvError> {
        let (name, weight) = part.rsplit_once('=').ok_or_else(|| {
            refused(spec, format!("{part:?} has no weight; write it as {part}=0.5"))
        })?;
        let (name, weight) = (name.trim(), weight.trim());
        let weight: f64 = weight.parse().map_err(|_| {
            refused(spec, format!("the weight of {name} is {weight:?}, not a number"))
        })?;
        let reward = words_only(name, threads, asker)?;
        Ok(WeightedReward { name: name.to_owned(), weight, reward })
    };
    let members: Result<Vec<WeightedReward>, EnvError> = parts.iter().map(member).collect();
    Ok(Arc::new(CompositeReward::new(members?)?))
}

fn judge(spec: &str, rubric: &str, asker: Option<&Asker>) -> Result<Arc<dyn Reward>, EnvError> {
    let rubric = Rubric::find(rubric)?;
    let asker = asker.ok_or_else(|| {
        let message =
            "it asks a judge, and there is none; name one by reward.judge_model or --judge";
        refused(spec, message.to_owned())
    })?;
    Ok(Arc::new(LlmJudge::new(asker.clone(), rubric)))
}

fn refused(spec: &str, message: String) -> EnvError {
    EnvError::Reward { name: spec.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(spec: &str) -> String {
        reward_in_words(spec, 1).err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn what_needs_no_model_is_read_as_ever() {
        assert_eq!(reward_in_words("safety", 1).unwrap().name(), "safety");
        assert!(reward_in_words("helpfulness=0.6,safety=0.4", 1).is_ok());
        assert!(reward_in_words("contains:neural:x", 1).is_ok());
        assert!(error("helpfullness").contains("helpfulness"));
    }

    #[test]
    fn a_file_holds_a_reward() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("reward.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            reward_in_words(path.to_str().unwrap(), 1)
        };
        assert_eq!(read("[weights]\nsafety = 1\n").unwrap().name(), "composite");
        let told = |text| read(text).err().map_or_else(String::new, |error| error.to_string());
        assert!(told("[weights]\n\"neural:nowhere\" = 1\n").contains("no value_head"));
        let unknown = told("[weights]\nsafty = 1\n");
        assert!(unknown.contains("did you mean \"safety\"?"), "{unknown}");
        assert!(told("[weights]\nsafety = -1\n").contains("reward.toml"));
        assert!(error("nowhere.toml").contains("read nowhere.toml"));
        assert!(reward_in_words("regex:^a.json", 1).is_ok());
    }

    #[test]
    fn a_judge_stands_alone_or_among_others() {
        let slot = Arc::new(crate::JudgeSlot::default());
        let asker = Asker::new(slot);
        let named =
            |spec: &str| reward_with_judge(spec, 1, Some(&asker)).map(|r| r.name().to_owned());
        assert_eq!(named("judge:sales").unwrap(), "judge:sales");
        assert_eq!(named("ruler: code").unwrap(), "judge:code");
        assert!(named("judge:sales=0.7,safety=0.3").is_ok());
        let told = |spec: &str| named(spec).unwrap_err().to_string();
        assert!(told("judge:salse").contains("did you mean \"sales\"?"), "{}", told("judge:salse"));
        assert!(told("ruler:sales=0.7,safety=0.3").contains("stands alone"));
        assert!(told("judge:nowhere.yaml").contains("nowhere.yaml"));
        assert!(error("judge:sales").contains("name one by reward.judge_model"));
    }

    #[test]
    fn a_reward_model_stands_alone_or_among_others() {
        assert!(error("neural:nowhere").contains("nowhere holds no value_head"));
        let mixed = error("neural:nowhere=0.7,safety=0.3");
        assert!(mixed.contains("nowhere holds no value_head"), "{mixed}");
        assert!(error("safety=1,neural:a").contains("has no weight"));
        assert!(error("safety=1,neural:a=much").contains("not a number"));
        let temp = tempfile::tempdir().unwrap();
        let odd = temp.path().join("a=1,b");
        std::fs::create_dir(&odd).unwrap();
        let told = error(&format!("neural:{}", odd.display()));
        assert!(told.contains("a=1,b holds no value_head"), "{told}");
    }
}
