//! Methods that learn from rollouts, put together from their keys.

use serde_json::Value;
use stateset_algo::{
    AdaptiveEntropy, AdaptiveKl, Aggregation, Correction, CorrectionLevel, CorrectionRule,
    KlEstimator, KlPenalty, PolicyGradient, Problem, TrustRegion, ValueLoss, ValueTerm,
};

use super::super::reader::Reader;
use super::{advantage, surrogate};

const BETA: &str = "training.beta";
const ESTIMATOR: &str = "training.kl_estimator";
const PLACEMENT: &str = "training.kl_placement";
const ADAPTIVE_KL: &str = "training.use_adaptive_kl";

/// The method with this name, validated.
pub(super) fn resolve(reader: &mut Reader, name: &'static str) -> PolicyGradient {
    let advantage = advantage::resolve(reader);
    let trust_region = reader.bool("training.trust_region").then(|| trust_region(reader));
    let (kl, reward_kl_coef) = penalty(reader);
    let share = reader.number("training.top_entropy_quantile");
    let method = PolicyGradient {
        name,
        value: advantage.wants_values().then(|| value_term(reader)),
        surrogate: surrogate::resolve(reader, trust_region.is_some()),
        aggregation: aggregation(reader),
        kl,
        entropy_coef: reader.number("training.entropy_coef"),
        mask_truncated: reader.bool("training.mask_truncated"),
        correction: correction(reader),
        off_policy_delta: reader.optional_number("training.off_policy_mask_threshold"),
        top_entropy_share: Some(share).filter(|share| *share < 1.0),
        reward_kl_coef,
        adaptive_kl: adaptive_kl(reader),
        adaptive_entropy: adaptive_entropy(reader),
        target_kl: reader.optional_number("training.target_kl"),
        positive_coef: reader.number("training.positive_lm_weight"),
        trust_region,
        advantage,
    };
    for problem in method.validate() {
        refuse(reader, &problem);
    }
    if reader.number(BETA) > 1.0 {
        reader.warn(&[BETA], "above 1 the model hardly moves; 0.001 to 0.04 is usual");
    }
    method
}

fn aggregation(reader: &Reader) -> Aggregation {
    match reader.text("training.loss_type") {
        "grpo" => Aggregation::Grpo,
        "bnpo" => Aggregation::Bnpo,
        "token_sum" => Aggregation::TokenSum,
        "dr_grpo" => Aggregation::DrGrpo {
            max_completion_tokens: reader.size("training.max_completion_length"),
        },
        _ => Aggregation::Dapo { trl_window: false },
    }
}

/// The penalty in the loss, and the weight of the one in the reward.
fn penalty(reader: &mut Reader) -> (KlPenalty, f64) {
    let coef = reader.number(BETA);
    if reader.text(PLACEMENT) == "reward" {
        let named = reader.text(ESTIMATOR).to_owned();
        if named != "k1" && reader.is_own(ESTIMATOR) {
            let hint = "a reward is reduced by the log-ratio itself";
            reader.refuse(&[ESTIMATOR, PLACEMENT], named, "k1 with kl_placement reward", hint);
        } else if named != "k1" {
            let note = Some("kl_placement reward".to_owned());
            reader.values.derive(ESTIMATOR, Value::from("k1"), PLACEMENT, note);
        }
        return (KlPenalty::default(), coef);
    }
    let estimator = match reader.text(ESTIMATOR) {
        "k1" => KlEstimator::K1,
        "k2" => KlEstimator::K2,
        "k3" => KlEstimator::K3,
        _ => KlEstimator::K3ImportanceCorrected,
    };
    (KlPenalty { coef, estimator }, 0.0)
}

fn adaptive_kl(reader: &mut Reader) -> Option<AdaptiveKl> {
    if !reader.bool(ADAPTIVE_KL) {
        return None;
    }
    let rule = AdaptiveKl {
        target: reader.number("training.kl_target"),
        horizon_samples: reader.number("training.kl_horizon"),
    };
    if reader.number(BETA) == 0.0 {
        let hint = "begin with a weight above 0, such as 0.05";
        reader.refuse(&[ADAPTIVE_KL, BETA], "beta 0", "beta above 0 with use_adaptive_kl", hint);
        return None;
    }
    Some(rule)
}

fn adaptive_entropy(reader: &Reader) -> Option<AdaptiveEntropy> {
    reader.bool("training.use_adaptive_entropy").then(|| AdaptiveEntropy {
        target: reader.number("training.entropy_target"),
        step: reader.number("training.entropy_coef_delta"),
        max: reader.number("training.entropy_coef_max"),
    })
}

fn correction(reader: &Reader) -> Option<Correction> {
    let named = reader.text("training.importance_correction");
    if named == "none" {
        return None;
    }
    let max = reader.number("training.importance_correction_max");
    // A cut from above has no lower end.
    let min = || reader.number("training.importance_correction_min");
    let rule = match named {
        "truncate" => CorrectionRule::Truncate { max },
        "clamp" => CorrectionRule::Clamp { min: min(), max },
        "mask" => CorrectionRule::Mask { min: min(), max },
        _ => CorrectionRule::Gate { min: min(), max },
    };
    let level = match reader.text("training.importance_correction_level") {
        "sequence" => CorrectionLevel::Sequence,
        "geometric" => CorrectionLevel::Geometric,
        _ => CorrectionLevel::Token,
    };
    Some(Correction { level, rule, veto: reader.number("training.importance_correction_veto") })
}

fn value_term(reader: &Reader) -> ValueTerm {
    ValueTerm {
        loss: ValueLoss {
            clip: reader.optional_number("training.value_clip"),
            scale: reader.number("training.value_loss_scale"),
        },
        coef: reader.number("training.vf_coef"),
    }
}

fn trust_region(reader: &Reader) -> TrustRegion {
    TrustRegion {
        max_kl: reader.number("training.trpo_max_kl"),
        damping: reader.number("training.trpo_damping"),
        cg_iterations: reader.size("training.trpo_cg_iterations"),
        backtrack: reader.number("training.trpo_backtrack"),
        max_backtracks: reader.size("training.trpo_max_backtracks"),
        curvature_share: reader.number("training.trpo_curvature_share"),
        ..TrustRegion::default()
    }
}

/// A problem of the method's own check, in words of the configuration. The ranges of the keys leave
/// few of them.
fn refuse(reader: &mut Reader, problem: &Problem) {
    let (paths, allowed): (&[&'static str], &str) = match problem.key {
        "advantage.scaling" => (
            &["training.scale_rewards", "training.reward_combination"],
            "group with normalize_then_sum",
        ),
        "clip.delta" => (
            &["training.clip_delta", "training.clip_ratio", "training.clip_ratio_high"],
            "above 1 + clip_ratio_high, or nothing",
        ),
        "kl.estimator" => {
            (&[ESTIMATOR, PLACEMENT], "k2, k3 or k3_importance_corrected in the loss")
        }
        _ => (&["algorithm"], problem.allowed),
    };
    reader.refuse(paths, problem.found.to_lowercase(), allowed, problem.hint);
}
