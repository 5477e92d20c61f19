//! How rewards become advantages, from their keys.

use serde_json::Value;
use stateset_algo::{
    AdvantageEstimator, Baseline, BiLevelGae, BiLevelVersion, CriticEstimator, DecoupledGae, Gae,
    GiGpo, GroupAdvantage, LeaveOneOut, PolicyLambda, ReinforcePlusPlus, RewardCombination,
    RewardScaling, TurnCredit, TurnGae, Whitening,
};

use super::super::reader::Reader;

const ADVANTAGE: &str = "training.advantage";
const BASELINE: &str = "training.baseline_type";
const SCALING: &str = "training.scale_rewards";
const NORMALIZATION: &str = "training.advantage_normalization";
const COMBINATION: &str = "training.reward_combination";
const WHITENING: &str = "training.whitening";

/// `training.advantage` for each name of `training.baseline_type`.
const BASELINES: [(&str, &str); 4] = [
    ("group_mean", "group"),
    ("group_median", "median"),
    ("batch_mean", "batch"),
    ("none", "none"),
];

/// The estimator.
pub(super) fn resolve(reader: &mut Reader) -> AdvantageEstimator {
    read_baseline(reader);
    let critic = |estimator, whitening| AdvantageEstimator::Critic { estimator, whitening };
    match reader.text(ADVANTAGE).to_owned().as_str() {
        "batch" => AdvantageEstimator::Baseline(Baseline::Batch { epsilon: epsilon(reader) }),
        "none" => AdvantageEstimator::Baseline(Baseline::None),
        "median" => AdvantageEstimator::Baseline(Baseline::GroupMedian),
        "leave_one_out" => AdvantageEstimator::LeaveOneOut(leave_one_out(reader)),
        "reinforce_pp" => reinforce_pp(reader, false),
        "reinforce_pp_baseline" => reinforce_pp(reader, true),
        "gae" => critic(CriticEstimator::Token(token_gae(reader)), whitening(reader)),
        "decoupled_gae" => critic(CriticEstimator::Decoupled(decoupled(reader)), whitening(reader)),
        "turn_gae" => {
            let turn = turn_gae(reader);
            critic(CriticEstimator::Turn(TurnGae { turn }), whitening(reader))
        }
        "bi_level_gae" => {
            let version = match reader.text("training.bi_level_version") {
                "v2" => BiLevelVersion::V2,
                _ => BiLevelVersion::V1,
            };
            let gae = BiLevelGae { version, turn: turn_gae(reader), token: token_gae(reader) };
            critic(CriticEstimator::BiLevel(gae), whitening(reader))
        }
        // The two-part form has no discount: there is one part before the tool's result.
        "mt_grpo" => AdvantageEstimator::TwoPart(TurnCredit {
            coef: reader.number("training.turn_credit_coef"),
            epsilon: epsilon(reader),
            ..TurnCredit::default()
        }),
        "turns" => AdvantageEstimator::Turns(TurnCredit {
            coef: reader.number("training.turn_credit_coef"),
            gamma: reader.number("training.turn_gamma"),
            epsilon: epsilon(reader),
        }),
        "gigpo" => AdvantageEstimator::GiGpo(GiGpo {
            episode_weight: reader.number("training.gigpo_episode_weight"),
            step_weight: reader.number("training.gigpo_step_weight"),
            gamma: reader.number("training.turn_gamma"),
            scale: scaling(reader) != RewardScaling::None,
            epsilon: epsilon(reader),
        }),
        _ => group(reader).into(),
    }
}

/// `baseline_type` where it is from a stronger layer and the estimator is one of those that it names.
fn read_baseline(reader: &mut Reader) {
    let named = reader.text(ADVANTAGE).to_owned();
    if !BASELINES.iter().any(|(_, advantage)| *advantage == named) {
        return;
    }
    let strongest = reader.values.strongest(&[ADVANTAGE, BASELINE]);
    let baseline = reader.optional_text(BASELINE).map(str::to_owned);
    let wanted = BASELINES.iter().find(|(name, _)| baseline.as_deref() == Some(*name));
    if let Some((baseline, advantage)) = wanted
        && strongest.contains(&BASELINE)
        && *advantage != named
    {
        if strongest.contains(&ADVANTAGE) {
            let found = format!("{named} and {baseline}");
            let hint = "leave baseline_type out";
            reader.refuse(&[ADVANTAGE, BASELINE], found, "two that say the same", hint);
        } else {
            let note = Some(format!("baseline_type {baseline}"));
            reader.values.derive(ADVANTAGE, Value::from(*advantage), BASELINE, note);
        }
    }
    reader.values.forget(BASELINE);
}

fn group(reader: &mut Reader) -> GroupAdvantage {
    let combination = match reader.text(COMBINATION) {
        "normalize_then_sum" => RewardCombination::NormalizeThenSum,
        _ => RewardCombination::SumThenNormalize,
    };
    if combination == RewardCombination::NormalizeThenSum {
        check_parts(reader);
    }
    GroupAdvantage { scaling: scaling(reader), combination, epsilon: epsilon(reader) }
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

fn leave_one_out(reader: &Reader) -> LeaveOneOut {
    let normalize = reader.bool("training.normalize_advantages");
    // Without a division there is nothing to add epsilon to.
    let epsilon = if normalize { epsilon(reader) } else { LeaveOneOut::default().epsilon };
    LeaveOneOut { normalize, epsilon }
}

fn reinforce_pp(reader: &mut Reader, group_baseline: bool) -> AdvantageEstimator {
    let whitening = whitening(reader);
    if whitening.is_none() {
        let hint = "whitening is what reinforce_pp compares by";
        reader.refuse(&[WHITENING, ADVANTAGE], "none", "bessel or population", hint);
    }
    // With a baseline all tokens have the same, so that nothing is discounted.
    let gamma = if group_baseline { 1.0 } else { reader.number("training.gamma") };
    let settings = ReinforcePlusPlus { gamma, whitening: whitening.unwrap_or_default() };
    AdvantageEstimator::ReinforcePlusPlus { settings, group_baseline }
}

fn token_gae(reader: &Reader) -> Gae {
    let (gamma, lambda) = (reader.number("training.gamma"), reader.number("training.gae_lambda"));
    Gae { gamma, lambda }
}

fn turn_gae(reader: &Reader) -> Gae {
    Gae {
        gamma: reader.number("training.turn_gamma"),
        lambda: reader.number("training.turn_lambda"),
    }
}

fn decoupled(reader: &Reader) -> DecoupledGae {
    let policy_lambda = match reader.optional_number("training.lambda_policy_alpha") {
        Some(alpha) => PolicyLambda::LengthAdaptive { alpha },
        None => PolicyLambda::Fixed(reader.number("training.gae_lambda")),
    };
    DecoupledGae {
        gamma: reader.number("training.gamma"),
        critic_lambda: reader.number("training.lambda_critic"),
        policy_lambda,
    }
}

fn whitening(reader: &Reader) -> Option<Whitening> {
    match reader.text(WHITENING) {
        "none" => None,
        "population" => Some(Whitening::Population),
        _ => Some(Whitening::Bessel),
    }
}

fn epsilon(reader: &Reader) -> f64 {
    reader.number("training.advantage_epsilon")
}
