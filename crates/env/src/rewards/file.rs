//! Rewards as files: TOML, YAML or JSON.
//!
//! | key | what |
//! |---|---|
//! | `weights` | a table: what each reward weighs; its keys are rewards in words |
//! | `method` | how they become one, see [`Combine`]; `weighted_sum` where left out |
//! | `ranges` | a table: for some of them, the value that becomes 0 and the one that becomes 1 |
//! | `skip_unscorable` | true: what cannot be scored is left out; false, and the usual: nothing is scored then |
//! | `adapt` | how weights change in training: `lagging` or `inverse_variance` |
//! | `adapt_memory`, `adapt_rate`, `adapt_bound` | see [`Adaptation`] |
//!
//! Reading a file and making its rewards are two steps, because a reward may be a trained model, which
//! is not for this crate to open.

use std::sync::Arc;

use serde_json::{Map, Value};
use stateset_core::Reward;

use super::adaptive::{Adaptation, AdaptiveReward, Rule};
use super::combine::Combine;
use super::composite::{CompositeReward, WeightedReward};
use super::multi_objective::Objective;
use crate::error::{EnvError, Problem};
use crate::fields::{Fields, kind_of};

/// Largest reward file, in bytes.
pub const MAX_REWARD_FILE_BYTES: usize = 1 << 20;
/// Most members of one reward.
const MAX_MEMBERS: usize = 100;
const KEYS: &[&str] = &[
    "weights",
    "method",
    "ranges",
    "skip_unscorable",
    "adapt",
    "adapt_memory",
    "adapt_rate",
    "adapt_bound",
];

/// How a reward file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewardFileFormat {
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

impl RewardFileFormat {
    /// The format that the ending of a file's name stands for; `None` for any other ending.
    pub fn of_name(name: &str) -> Option<RewardFileFormat> {
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "toml" => Some(RewardFileFormat::Toml),
            "yaml" | "yml" => Some(RewardFileFormat::Yaml),
            "json" => Some(RewardFileFormat::Json),
            _ => None,
        }
    }
}

/// What a reward file says.
#[derive(Clone, Debug, PartialEq)]
pub struct RewardFile {
    /// Rewards in words with their weights, in the order of the file; those of TOML by name.
    pub parts: Vec<(String, f64)>,
    /// How they become one.
    pub combine: Combine,
    /// For some of the parts, the value that becomes 0 and the one that becomes 1.
    pub ranges: Vec<(String, (f64, f64))>,
    /// What cannot be scored is left out.
    pub skips_unscorable: bool,
    /// How the weights change in training.
    pub adaptation: Option<Adaptation>,
}

impl RewardFile {
    /// Reads `bytes`. `name` is the file's name, for messages.
    ///
    /// # Errors
    /// [`EnvError::TooLarge`], or [`EnvError::Entries`] with everything that does not fit.
    pub fn read(
        bytes: &[u8],
        format: RewardFileFormat,
        name: &str,
    ) -> Result<RewardFile, EnvError> {
        if bytes.len() > MAX_REWARD_FILE_BYTES {
            let (found, limit) = (bytes.len() as u64, MAX_REWARD_FILE_BYTES as u64);
            return Err(EnvError::TooLarge { name: name.to_owned(), found, limit });
        }
        let refused = |problems| EnvError::Entries { name: name.to_owned(), problems };
        let object = object(bytes, format, name).map_err(|problem| refused(vec![problem]))?;
        let mut fields = Fields::new(name, &object, KEYS);
        let parts = read_weights(&mut fields);
        let file = RewardFile {
            combine: fields
                .choice("method", Combine::ALL, Combine::name)
                .unwrap_or(Combine::WeightedMean),
            ranges: read_ranges(&mut fields, &parts),
            skips_unscorable: read_bool(&mut fields, "skip_unscorable"),
            adaptation: read_adaptation(&mut fields),
            parts,
        };
        let problems = fields.into_problems();
        if problems.is_empty() { Ok(file) } else { Err(refused(problems)) }
    }

    /// The reward, each of its parts made by `member` from its words.
    ///
    /// # Errors
    /// What `member` gives, or [`EnvError::Reward`] where weights, ranges or adaptation do not fit.
    pub fn build(
        &self,
        member: impl Fn(&str) -> Result<Arc<dyn Reward>, EnvError>,
    ) -> Result<Arc<dyn Reward>, EnvError> {
        let mut members = Vec::with_capacity(self.parts.len());
        for (name, weight) in &self.parts {
            let reward = member(name)?;
            let part = WeightedReward { name: name.clone(), weight: *weight, reward };
            let range = self.ranges.iter().find(|(of, _)| of == name);
            members.push(match range {
                Some((_, (worst, best))) => Objective::new(part).between(*worst, *best).scaled()?,
                None => part,
            });
        }
        let mut composite = CompositeReward::new(members)?.combined_by(self.combine);
        if self.skips_unscorable {
            composite = composite.skipping_unscorable();
        }
        match self.adaptation {
            Some(adaptation) => Ok(Arc::new(AdaptiveReward::of(composite, adaptation)?)),
            None => Ok(Arc::new(composite)),
        }
    }
}

fn object(
    bytes: &[u8],
    format: RewardFileFormat,
    name: &str,
) -> Result<Map<String, Value>, Problem> {
    let problem = |found: String, allowed: &str| Problem {
        place: name.to_owned(),
        key: String::new(),
        found,
        allowed: allowed.to_owned(),
        hint: None,
    };
    let text = std::str::from_utf8(bytes)
        .map_err(|_| problem("bytes that are no UTF-8".to_owned(), "UTF-8 text"))?
        .trim_start_matches('\u{feff}');
    let one_line = |error: String| error.lines().collect::<Vec<_>>().join(" ");
    let read: Result<Value, (String, &str)> = match format {
        RewardFileFormat::Toml => {
            toml::from_str(text).map_err(|error| (one_line(error.to_string()), "TOML"))
        }
        RewardFileFormat::Yaml => serde_saphyr::from_str(text)
            .map_err(|error: serde_saphyr::Error| (error.without_snippet().to_string(), "YAML")),
        RewardFileFormat::Json => {
            serde_json::from_str(text).map_err(|error| (error.to_string(), "JSON"))
        }
    };
    match read {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(problem(kind_of(&other).to_owned(), "a table with weights")),
        Err((found, allowed)) => Err(problem(found, allowed)),
    }
}

fn read_weights(fields: &mut Fields<'_>) -> Vec<(String, f64)> {
    let Some(weights) = fields.object("weights") else {
        if fields.value("weights").is_none() {
            fields.problem(
                "weights",
                "nothing",
                "a table such as { helpfulness = 0.6, safety = 0.4 }",
            );
        }
        return Vec::new();
    };
    if weights.is_empty() || weights.len() > MAX_MEMBERS {
        let found = format!("{} rewards", weights.len());
        fields.problem("weights", found, format!("1 to {MAX_MEMBERS}"));
        return Vec::new();
    }
    let mut parts = Vec::with_capacity(weights.len());
    for (name, weight) in weights {
        match weight.as_f64().filter(|weight| weight.is_finite() && *weight >= 0.0) {
            Some(weight) => parts.push((name.clone(), weight)),
            None => fields.problem(&format!("weights.{name}"), shown(weight), "a number from 0"),
        }
    }
    if parts.len() == weights.len() && parts.iter().all(|(_, weight)| *weight == 0.0) {
        fields.problem("weights", "only weights of 0", "at least one that is greater");
    }
    parts
}

fn read_ranges(fields: &mut Fields<'_>, parts: &[(String, f64)]) -> Vec<(String, (f64, f64))> {
    let Some(ranges) = fields.object("ranges") else { return Vec::new() };
    let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
    let mut read = Vec::new();
    for (name, range) in ranges {
        let key = format!("ranges.{name}");
        let ends: Option<Vec<f64>> =
            range.as_array().and_then(|ends| ends.iter().map(Value::as_f64).collect());
        if !names.contains(&name.as_str()) {
            let hint = crate::names::nearest(name, &names);
            let hint = hint.map(|near| format!("did you mean `{near}`?"));
            fields.problem_with_hint(&key, "a range of nothing", "a reward of weights", hint);
        }
        match ends.as_deref() {
            Some([worst, best]) if worst.is_finite() && best.is_finite() && worst != best => {
                read.push((name.clone(), (*worst, *best)));
            }
            _ => fields.problem(
                &key,
                shown(range),
                "two different numbers, [the value that becomes 0, the value that becomes 1]",
            ),
        }
    }
    read
}

fn read_adaptation(fields: &mut Fields<'_>) -> Option<Adaptation> {
    let rule = fields.choice("adapt", Rule::ALL, Rule::name);
    let usual = Adaptation::new(rule.unwrap_or(Rule::Lagging));
    let adaptation = Adaptation {
        memory: read_number(fields, "adapt_memory").unwrap_or(usual.memory),
        rate: read_number(fields, "adapt_rate").unwrap_or(usual.rate),
        bound: read_number(fields, "adapt_bound").unwrap_or(usual.bound),
        ..usual
    };
    for key in ["adapt_memory", "adapt_rate", "adapt_bound"] {
        if fields.value("adapt").is_none() && fields.value(key).is_some() {
            fields.problem(key, "a number without `adapt`", "it beside `adapt` only");
        }
    }
    rule.map(|_| adaptation)
}

fn read_number(fields: &mut Fields<'_>, key: &str) -> Option<f64> {
    let value = fields.value(key)?;
    let number = value.as_f64().filter(|number| number.is_finite());
    if number.is_none() {
        fields.problem(key, kind_of(value), "a number");
    }
    number
}

fn read_bool(fields: &mut Fields<'_>, key: &str) -> bool {
    match fields.value(key) {
        None => false,
        Some(Value::Bool(value)) => *value,
        Some(other) => {
            fields.problem(key, kind_of(other), "true or false");
            false
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        other => kind_of(other).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::super::spec::parse_reward;
    use super::*;
    use proptest::prelude::*;
    use stateset_core::{RewardContext, RewardResult, Scenario};

    const TOML: &str = "method = \"geometric_mean\"\nskip_unscorable = true\n\
        [weights]\nhelpfulness = 0.6\n\"contains:dog\" = 0.4\n\
        [ranges]\n\"contains:dog\" = [2, 0]\n";

    fn read(text: &str, name: &str) -> Result<RewardFile, EnvError> {
        let format = RewardFileFormat::of_name(name).unwrap();
        RewardFile::read(text.as_bytes(), format, name)
    }

    async fn judged(file: &RewardFile, reply: &str) -> RewardResult {
        let reward = file.build(parse_reward).unwrap();
        let scenario = Scenario::new("s");
        let trajectory = chat(&["Is it your dog?", reply]);
        reward.score(&trajectory, RewardContext { scenario: &scenario }).await
    }

    #[tokio::test]
    async fn all_formats_mean_the_same() {
        let yaml = "method: geometric_mean\nskip_unscorable: true\nweights:\n  helpfulness: 0.6\n  \
                    contains:dog: 0.4\nranges:\n  contains:dog: [2, 0]\n";
        let json = r#"{"method": "geometric_mean", "skip_unscorable": true,
            "weights": {"helpfulness": 0.6, "contains:dog": 0.4}, "ranges": {"contains:dog": [2, 0]}}"#;
        let file = read(TOML, "a.toml").unwrap();
        assert_eq!(file.parts, [("contains:dog".into(), 0.4), ("helpfulness".into(), 0.6)]);
        let file = RewardFile { parts: file.parts.into_iter().rev().collect(), ..file };
        assert_eq!(read(yaml, "a.yml").unwrap(), file);
        assert_eq!(read(json, "a.JSON").unwrap(), file);
        let result =
            judged(&file, "Yes, that dog is mine. What would you like to know about it?").await;
        // Said: 1 of 2 to 0 is a half.
        assert_eq!(result.component("contains:dog").map(|part| value(&part.score)), Some(0.5));
        let helpful = result.component("helpfulness").map(|part| value(&part.score)).unwrap();
        let expected = helpful.powf(0.6) * 0.5_f64.powf(0.4);
        assert!((value(&result.total) - expected).abs() < 1e-12);
    }

    #[test]
    fn adaptation_is_read() {
        let text = "adapt = \"lagging\"\nadapt_bound = 2\n[weights]\nsafety = 1\nhelpfulness = 1\n";
        let file = read(text, "a.toml").unwrap();
        let expected = Adaptation { bound: 2.0, ..Adaptation::new(Rule::Lagging) };
        assert_eq!(file.adaptation, Some(expected));
        assert!(file.build(parse_reward).unwrap().weighing().is_some());
        let few = read(&text.replace("lagging", "inverse_variance"), "a.toml").unwrap();
        let error = few.build(parse_reward).err().unwrap().to_string();
        assert!(error.contains("three members or more"), "{error}");
    }

    #[test]
    fn everything_that_is_wrong_is_said() {
        for (text, expected) in [
            ("", "`weights`: found nothing"),
            ("weights = 3", "`weights`: found a number, allowed is an object"),
            ("[weights]", "`weights`: found 0 rewards"),
            ("[weights]\nsafety = -1", "`weights.safety`: found -1, allowed is a number from 0"),
            ("[weights]\nsafety = nan", "`weights.safety`: found null"),
            ("[weights]\nsafety = 0", "`weights`: found only weights of 0"),
            ("[weights]\nsafety = \"1\"", "`weights.safety`: found a text"),
            ("metod = \"min\"\n[weights]\nsafety = 1", "did you mean `method`?"),
            ("method = \"avrage\"\n[weights]\nsafety = 1", "did you mean \"average\"?"),
            ("adapt_rate = 1\n[weights]\nsafety = 1", "found a number without `adapt`"),
            ("skip_unscorable = 1\n[weights]\nsafety = 1", "allowed is true or false"),
            ("[weights]\nsafety = 1\n[ranges]\nsafty = [0, 1]", "did you mean `safety`?"),
            ("[weights]\nsafety = 1\n[ranges]\nsafety = [1, 1]", "two different numbers"),
            ("[weights", "a.toml: found "),
        ] {
            let error = read(text, "a.toml").unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(read("[1]", "a.json").unwrap_err().to_string().contains("a table with weights"));
        let unknown = read("[weights]\nsafty = 1", "a.toml").unwrap();
        let error = unknown.build(parse_reward).err().unwrap().to_string();
        assert!(error.contains("did you mean \"safety\"?"), "{error}");
        let long = " ".repeat(MAX_REWARD_FILE_BYTES + 1);
        assert!(matches!(read(&long, "a.toml"), Err(EnvError::TooLarge { .. })));
        assert_eq!(RewardFileFormat::of_name("reward.txt"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            text in "\\PC{0,60}", weights in "[a-z={}\\[\\]\", 0-9\n.-]{0,40}"
        ) {
            for name in ["a.toml", "a.yaml", "a.json"] {
                let _ = read(&text, name);
                let _ = read(&format!("[weights]\n{weights}"), name);
            }
        }
    }
}
