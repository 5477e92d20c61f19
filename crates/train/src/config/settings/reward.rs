//! What is rewarded.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::reader::Reader;

/// The reward.
#[derive(Clone, Debug, PartialEq)]
pub struct RewardSettings {
    /// Single rewards, by name.
    pub parts: Vec<RewardPart>,
    /// How they become one.
    pub method: RewardMethod,
    /// Reward from which on a conversation counts as solved; only reports read it.
    pub success_threshold: f64,
}

/// One reward.
#[derive(Clone, Debug, PartialEq)]
pub struct RewardPart {
    /// Its name, such as `helpfulness`.
    pub name: String,
    /// What it weighs; already divided by the sum where that was asked for.
    pub weight: f64,
    /// Its own settings; the reward's to check.
    pub options: Map<String, Value>,
}

/// How single rewards become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewardMethod {
    /// Sum of weight times reward.
    WeightedSum,
    /// The same divided by the sum of the weights.
    Average,
    /// The worst.
    Min,
    /// The best.
    Max,
}

impl RewardMethod {
    /// The name that configurations use.
    pub fn name(self) -> &'static str {
        match self {
            RewardMethod::WeightedSum => "weighted_sum",
            RewardMethod::Average => "average",
            RewardMethod::Min => "min",
            RewardMethod::Max => "max",
        }
    }
}

impl RewardSettings {
    pub(in super::super) fn resolve(reader: &mut Reader) -> RewardSettings {
        let weights = reader.object("reward.weights");
        let sum: f64 = weights.values().filter_map(Value::as_f64).sum();
        check_weights(reader, &weights, sum);
        let divisor = if reader.bool("reward.normalize_weights") { sum } else { 1.0 };
        let mut options = options(reader, &weights);
        let part = |(name, weight): (&String, &Value)| RewardPart {
            name: name.clone(),
            weight: weight.as_f64().unwrap_or_default() / divisor,
            options: options.remove(name).unwrap_or_default(),
        };
        let parts = weights.iter().map(part).collect();
        let method = match reader.text("reward.combination") {
            "average" => RewardMethod::Average,
            "min" => RewardMethod::Min,
            "max" => RewardMethod::Max,
            _ => RewardMethod::WeightedSum,
        };
        let success_threshold = reader.number("reward.success_threshold");
        RewardSettings { parts, method, success_threshold }
    }
}

fn check_weights(reader: &mut Reader, weights: &Map<String, Value>, sum: f64) {
    let path = "reward.weights";
    if weights.values().all(|weight| weight.as_f64() == Some(0.0)) {
        let found = if weights.is_empty() { "no reward" } else { "only weights of 0" };
        let hint = "such as { helpfulness = 0.6, safety = 0.4 }";
        reader.refuse(&[path], found, "at least one reward with a weight", hint);
        return;
    }
    for (divisor, divides) in [
        ("reward.normalize_weights", reader.bool("reward.normalize_weights")),
        ("reward.combination", reader.text("reward.combination") == "average"),
    ] {
        if divides && sum <= 0.0 {
            let found = format!("weights that add up to {sum}");
            let hint = "they are divided by their sum";
            reader.refuse(&[path, divisor], found, "a sum above 0", hint);
        }
    }
}

/// The options of each reward. Options of a reward that is not there, or that are no table, are
/// problems.
fn options(
    reader: &mut Reader,
    weights: &Map<String, Value>,
) -> HashMap<String, Map<String, Value>> {
    let path = "reward.options";
    let mut options = HashMap::new();
    for (name, value) in reader.object(path) {
        match value {
            Value::Object(fields) if weights.contains_key(&name) => {
                options.insert(name, fields);
            }
            Value::Object(_) => {
                let names: Vec<&str> = weights.keys().map(String::as_str).collect();
                let hint = "give it a weight, or leave its options out";
                reader.refuse(&[path], format!("options of {name}"), names.join(", "), hint);
            }
            _ => {
                let hint = "write them as a table";
                reader.refuse(&[path], format!("no table for {name}"), "a table for each", hint);
            }
        }
    }
    options
}
