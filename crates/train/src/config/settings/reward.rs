//! What is rewarded.

use serde_json::Value;

use super::super::reader::Reader;
use super::algorithm::AlgorithmSettings;
use super::environment::one_of;
use super::judge::{AskedBy, JudgeSettings};
use super::steps::StepSettings;

/// The reward.
#[derive(Clone, Debug, PartialEq)]
pub struct RewardSettings {
    /// What judges.
    pub source: RewardSource,
    /// Who judges the samples of a scenario beside each other, if somebody does.
    pub judge: Option<JudgeSettings>,
    /// Pairs of samples are written down to be learned from.
    pub writes_preferences: bool,
    /// Reward from which on a conversation counts as solved; only reports read it.
    pub success_threshold: f64,
}

/// What judges. Names of rewards are the rewards' crate to check.
#[derive(Clone, Debug, PartialEq)]
pub enum RewardSource {
    /// The preset that fits the scenarios.
    Fitting,
    /// A reward in words.
    Spec(String),
    /// Several, each with its words and its weight.
    Weighted {
        /// In the order they were written in.
        parts: Vec<(String, f64)>,
        /// How they become one.
        method: RewardMethod,
    },
}

/// How single rewards become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewardMethod {
    /// Their mean by weight.
    WeightedSum,
    /// Their plain mean.
    Average,
    /// The worst.
    Min,
    /// The best.
    Max,
    /// Their product.
    Product,
    /// Their geometric mean by weight.
    GeometricMean,
}

const SPEC: &str = "reward.spec";
const WEIGHTS: &str = "reward.weights";

impl RewardMethod {
    /// The name that configurations use.
    pub fn name(self) -> &'static str {
        match self {
            RewardMethod::WeightedSum => "weighted_sum",
            RewardMethod::Average => "average",
            RewardMethod::Min => "min",
            RewardMethod::Max => "max",
            RewardMethod::Product => "product",
            RewardMethod::GeometricMean => "geometric_mean",
        }
    }
}

impl RewardSettings {
    pub(in super::super) fn resolve(
        reader: &mut Reader,
        algorithm: &AlgorithmSettings,
        steps: &StepSettings,
    ) -> RewardSettings {
        let method = match reader.text("reward.combination") {
            "average" => RewardMethod::Average,
            "min" => RewardMethod::Min,
            "max" => RewardMethod::Max,
            "product" => RewardMethod::Product,
            "geometric_mean" => RewardMethod::GeometricMean,
            _ => RewardMethod::WeightedSum,
        };
        let source = match one_of(reader, &[SPEC, WEIGHTS]) {
            None => RewardSource::Fitting,
            Some(WEIGHTS) => RewardSource::Weighted { parts: parts(reader), method },
            Some(path) => {
                RewardSource::Spec(reader.optional_text(path).unwrap_or_default().to_owned())
            }
        };
        let asked_by = match &source {
            RewardSource::Fitting => AskedBy::Groups,
            RewardSource::Spec(spec) => AskedBy::of([spec.as_str()].into_iter()),
            RewardSource::Weighted { parts, .. } => {
                AskedBy::of(parts.iter().map(|(name, _)| name.as_str()))
            }
        };
        RewardSettings {
            source,
            judge: JudgeSettings::resolve(reader, algorithm, steps, &asked_by),
            writes_preferences: reader.bool("reward.write_preferences"),
            success_threshold: reader.number("reward.success_threshold"),
        }
    }
}

fn parts(reader: &mut Reader) -> Vec<(String, f64)> {
    let weights = reader.object(WEIGHTS);
    if weights.values().all(|weight| weight.as_f64() == Some(0.0)) {
        let found = if weights.is_empty() { "no reward" } else { "only weights of 0" };
        let hint = "such as { helpfulness = 0.6, safety = 0.4 }";
        reader.refuse(&[WEIGHTS], found, "at least one reward with a weight", hint);
    }
    let part =
        |(name, weight): (&String, &Value)| (name.clone(), weight.as_f64().unwrap_or_default());
    weights.iter().map(part).collect()
}
