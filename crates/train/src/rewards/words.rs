//! Rewards in words, those that need a model among them.
//!
//! `neural:PATH` is a trained reward model on an engine of its own; it may stand alone or with a weight
//! among others, as in `neural:runs/taste=0.7,safety=0.3`. Everything else is what
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
use stateset_env::rewards::{
    CompositeReward, MAX_REWARD_FILE_BYTES, RewardFile, RewardFileFormat, WeightedReward,
    parse_reward,
};

use super::neural::NeuralReward;

/// The reward that `spec` describes; reward models compute with `threads` threads.
///
/// # Errors
/// [`EnvError::Reward`] with what is wrong and what there is.
pub fn reward_in_words(spec: &str, threads: usize) -> Result<Arc<dyn Reward>, EnvError> {
    let spec = spec.trim();
    match RewardFileFormat::of_name(spec) {
        Some(format) if is_path(spec) => {
            read_file(Path::new(spec), format)?.build(|part| words_only(part, threads))
        }
        _ => words_only(spec, threads),
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

fn words_only(spec: &str, threads: usize) -> Result<Arc<dyn Reward>, EnvError> {
    let alone = spec.strip_prefix(NeuralReward::PREFIX).map(str::trim);
    if let Some(path) = alone.filter(|path| Path::new(path).is_dir() || !path.contains('=')) {
        return match NeuralReward::open(Path::new(path), threads) {
            Ok(reward) => Ok(Arc::new(reward)),
            Err(error) => Err(refused(spec, error.to_string())),
        };
    }
    let parts: Vec<&str> = spec.split(',').map(str::trim).collect();
    if !parts.iter().any(|part| part.starts_with(NeuralReward::PREFIX)) {
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
        let reward = words_only(name, threads)?;
        Ok(WeightedReward { name: name.to_owned(), weight, reward })
    };
    let members: Result<Vec<WeightedReward>, EnvError> = parts.iter().map(member).collect();
    Ok(Arc::new(CompositeReward::new(members?)?))
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
