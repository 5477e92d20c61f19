//! The method: settings of GRPO, and the model that the policy is held to.

use std::sync::Arc;

use serde_json::Value;
use stateset_algo::{
    Aggregation, Algorithm, Clip, GroupAdvantage, KlEstimator, KlPenalty, PolicyGradient, Problem,
    RewardCombination, RewardScaling, Surrogate,
};

use super::super::reader::Reader;
use super::critic::CriticSettings;
use super::sampling_rules::{ReferenceSync, RolloutRules};

/// The method.
#[derive(Clone, Debug, PartialEq)]
pub struct AlgorithmSettings {
    /// The method, validated.
    pub method: Method,
    /// Rewards are cut to this distance from 0 first.
    pub reward_clip: f64,
    /// The model as it was at the start, where anything is compared with it: the penalty if its
    /// coefficient is above 0, otherwise a measurement.
    pub reference: Option<ReferenceModel>,
    /// How the reference follows the policy, if it does.
    pub reference_sync: Option<ReferenceSync>,
    /// The value function, where the method has one.
    pub critic: Option<CriticSettings>,
    /// Which rollouts are played.
    pub rollouts: RolloutRules,
    /// Settings are changed during the run where its health asks for it.
    pub auto_adjust: bool,
}

/// What is trained by.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// Rollouts and their rewards.
    Online(PolicyGradient),
}

impl Method {
    /// The method as a trainer holds it.
    pub fn algorithm(&self) -> Arc<dyn Algorithm> {
        match self {
            Method::Online(method) => Arc::new(method.clone()),
        }
    }
}

/// How the model is had as it was at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceModel {
    /// Adapters are trained, so it is the model without them; no memory.
    WithoutAdapters,
    /// All weights are trained, so it is a frozen copy of them.
    FrozenCopy,
}

const SCALING: &str = "training.scale_rewards";
const NORMALIZATION: &str = "training.advantage_normalization";
const COMBINATION: &str = "training.reward_combination";
const BETA: &str = "training.beta";

impl AlgorithmSettings {
    pub(in super::super) fn resolve(reader: &mut Reader) -> AlgorithmSettings {
        // `group_mean` is the only baseline there is; reading it is all that is left to do.
        reader.text("training.baseline_type");
        let advantage = advantage(reader);
        let method = PolicyGradient {
            advantage: advantage.into(),
            surrogate: Surrogate::clip(clip(reader)),
            aggregation: aggregation(reader),
            kl: kl(reader),
            entropy_coef: reader.number("training.entropy_coef"),
            mask_truncated: reader.bool("training.mask_truncated"),
            ..PolicyGradient::default()
        };
        for problem in method.validate() {
            refuse(reader, &problem);
        }
        if advantage.combination == RewardCombination::NormalizeThenSum {
            check_parts(reader);
        }
        if method.kl.coef > 1.0 {
            reader.warn(&[BETA], "above 1 the model hardly moves; 0.001 to 0.04 is usual");
        }
        let is_compared = method.kl.is_on() || reader.bool("training.use_reference_model");
        let reference = is_compared.then(|| match reader.bool("training.use_lora") {
            true => ReferenceModel::WithoutAdapters,
            false => ReferenceModel::FrozenCopy,
        });
        AlgorithmSettings {
            method: Method::Online(method),
            reward_clip: reader.number("training.reward_clip"),
            reference,
            reference_sync: None,
            critic: None,
            rollouts: RolloutRules::default(),
            auto_adjust: false,
        }
    }
}

fn advantage(reader: &mut Reader) -> GroupAdvantage {
    let combination = match reader.text(COMBINATION) {
        "normalize_then_sum" => RewardCombination::NormalizeThenSum,
        _ => RewardCombination::SumThenNormalize,
    };
    let epsilon = reader.number("training.advantage_epsilon");
    GroupAdvantage { scaling: scaling(reader), combination, epsilon }
}

/// `scale_rewards`, or `advantage_normalization` where that is from a stronger layer.
fn scaling(reader: &mut Reader) -> RewardScaling {
    let strongest = reader.values.strongest(&[SCALING, NORMALIZATION]);
    let named = reader.text(SCALING).to_owned();
    if let Some(divides) = reader.optional_bool(NORMALIZATION)
        && strongest.contains(&NORMALIZATION)
    {
        let agrees = divides == (named != "none");
        if strongest.contains(&SCALING) && !agrees {
            let found = format!("{named} and {divides}");
            let hint = "leave advantage_normalization out";
            let allowed = "none with false, or another with true";
            reader.refuse(&[SCALING, NORMALIZATION], found, allowed, hint);
        } else if !agrees {
            let name = if divides { "group" } else { "none" };
            let note = Some(format!("advantage_normalization {divides}"));
            reader.values.derive(SCALING, Value::from(name), NORMALIZATION, note);
        }
    }
    reader.values.forget(NORMALIZATION);
    match reader.text(SCALING) {
        "batch" => RewardScaling::Batch,
        "none" => RewardScaling::None,
        "max_rl" => RewardScaling::MaxRl,
        _ => RewardScaling::Group,
    }
}

fn clip(reader: &mut Reader) -> Clip {
    let low = reader.number("training.clip_ratio");
    if low > 1.0 && reader.is_own("training.clip_ratio") {
        reader.warn(&["training.clip_ratio"], "a ratio cannot fall by more than 1; 0.2 is usual");
    }
    let high = reader.optional_number("training.clip_ratio_high").unwrap_or(low);
    Clip { low, high, delta: reader.optional_number("training.clip_delta") }
}

fn aggregation(reader: &Reader) -> Aggregation {
    match reader.text("training.loss_type") {
        "grpo" => Aggregation::Grpo,
        "bnpo" => Aggregation::Bnpo,
        "dr_grpo" => Aggregation::DrGrpo {
            max_completion_tokens: reader.size("training.max_completion_length"),
        },
        _ => Aggregation::Dapo { trl_window: false },
    }
}

fn kl(reader: &Reader) -> KlPenalty {
    let estimator = match reader.text("training.kl_estimator") {
        "k2" => KlEstimator::K2,
        "k3" => KlEstimator::K3,
        _ => KlEstimator::K3ImportanceCorrected,
    };
    KlPenalty { coef: reader.number(BETA), estimator }
}

/// Parts of a reward are standardised one by one, so there have to be parts that are added up.
fn check_parts(reader: &mut Reader) {
    if reader.text("reward.combination") != "weighted_sum" {
        let found = reader.text("reward.combination").to_owned();
        let paths = ["reward.combination", COMBINATION];
        let hint = "normalize_then_sum adds rewards up itself";
        reader.refuse(&paths, found, "weighted_sum with normalize_then_sum", hint);
    }
    if reader.values.get("reward.weights").is_some() && reader.object("reward.weights").len() < 2 {
        reader.warn(&[COMBINATION], "there is one reward, so there is nothing to add up");
    }
}

/// A problem of the method's own check, in words of the configuration.
fn refuse(reader: &mut Reader, problem: &Problem) {
    let (paths, allowed): (&[&'static str], &str) = match problem.key {
        "advantage.scaling" => (&[SCALING, COMBINATION], "group with normalize_then_sum"),
        "advantage.epsilon" => (&["training.advantage_epsilon"], problem.allowed),
        "clip.delta" => (
            &["training.clip_delta", "training.clip_ratio", "training.clip_ratio_high"],
            "above 1 + clip_ratio_high, or nothing",
        ),
        "clip.low" => (&["training.clip_ratio"], problem.allowed),
        "clip.high" => (&["training.clip_ratio_high"], problem.allowed),
        "kl.coef" => (&[BETA], problem.allowed),
        "kl.estimator" => (&["training.kl_estimator"], problem.allowed),
        "entropy_coef" => (&["training.entropy_coef"], problem.allowed),
        _ => (&["algorithm"], problem.allowed),
    };
    reader.refuse(paths, problem.found.to_lowercase(), allowed, problem.hint);
}
