//! Every online method and every advantage estimator, and random combinations of their parts.

use proptest::prelude::*;
use stateset_algo::{
    AdvantageEstimator, Baseline, BiLevelGae, BiLevelVersion, Clip, Correction, CorrectionLevel,
    CorrectionRule, CriticEstimator, DecoupledGae, Gae, Gepo, GiGpo, GroupAdvantage, KlEstimator,
    KlPenalty, LeaveOneOut, PolicyGradient, PolicyLambda, ReinforcePlusPlus, RewardCombination,
    RewardScaling, Surrogate, TurnCredit, TurnGae, ValueLoss, ValueTerm, Whitening, a2c, bnpo,
    cispo, dapo, dr_grpo, gepo, gmpo, grpo, gspo, gspo_token, luspo, ppo, reinforce, reinforce_pp,
    rloo, sapo, trpo, vapo, vespo,
};

/// All methods under their names.
pub(crate) fn methods() -> Vec<(&'static str, PolicyGradient)> {
    let gated = Gepo { kl_gate: Some(0.1), ..Gepo::default() };
    let above_group = AdvantageEstimator::ReinforcePlusPlus {
        settings: ReinforcePlusPlus::default(),
        group_baseline: true,
    };
    let two_sided = Surrogate::clip(Clip { delta: Some(1.5), ..Clip::default() });
    let wide = Clip::default();
    vec![
        ("grpo", grpo()),
        ("grpo, two-sided", PolicyGradient { surrogate: two_sided, ..grpo() }),
        ("dr_grpo", dr_grpo(7)),
        ("bnpo", bnpo()),
        ("dapo", dapo()),
        ("cispo", cispo()),
        ("sapo", sapo()),
        ("luspo", luspo()),
        ("vespo", vespo()),
        ("gmpo", gmpo()),
        ("gspo", gspo()),
        ("gspo_token", gspo_token()),
        (
            "gspo_token, wide",
            PolicyGradient { surrogate: Surrogate::GspoToken(wide), ..gspo_token() },
        ),
        ("gepo", gepo()),
        ("gepo, gated", PolicyGradient { surrogate: Surrogate::Gepo(gated), ..gepo() }),
        ("rloo", rloo()),
        ("reinforce", reinforce()),
        ("reinforce_pp", reinforce_pp()),
        ("reinforce_pp, baseline", PolicyGradient { advantage: above_group, ..reinforce_pp() }),
        ("ppo", ppo()),
        ("vapo", vapo()),
        ("a2c", a2c()),
        ("trpo", trpo()),
    ]
}

/// All estimators that compare samples or whiten returns, then all that weigh against values.
pub(crate) fn estimators() -> Vec<(&'static str, AdvantageEstimator)> {
    let mut all = estimators_without_critic();
    all.extend(critics().into_iter().flat_map(|(name, estimator)| {
        [Some(Whitening::Bessel), Some(Whitening::Population), None]
            .map(|whitening| (name, AdvantageEstimator::Critic { estimator, whitening }))
    }));
    all
}

fn estimators_without_critic() -> Vec<(&'static str, AdvantageEstimator)> {
    let scaled = |scaling| GroupAdvantage { scaling, ..GroupAdvantage::default() }.into();
    let by_parts = GroupAdvantage {
        combination: RewardCombination::NormalizeThenSum,
        ..GroupAdvantage::default()
    };
    let turns = TurnCredit { coef: 0.7, gamma: 0.9, ..TurnCredit::default() };
    let discounted = ReinforcePlusPlus { gamma: 0.9, whitening: Whitening::Population };
    let plus_plus = |settings, group_baseline| AdvantageEstimator::ReinforcePlusPlus {
        settings,
        group_baseline,
    };
    vec![
        ("group", scaled(RewardScaling::Group)),
        ("batch scaling", scaled(RewardScaling::Batch)),
        ("no scaling", scaled(RewardScaling::None)),
        ("mean scaling", scaled(RewardScaling::MaxRl)),
        ("parts", by_parts.into()),
        ("leave one out", AdvantageEstimator::LeaveOneOut(LeaveOneOut::default())),
        (
            "leave one out, normalised",
            AdvantageEstimator::LeaveOneOut(LeaveOneOut { normalize: true, epsilon: 1e-4 }),
        ),
        ("median", AdvantageEstimator::Baseline(Baseline::GroupMedian)),
        ("batch", AdvantageEstimator::Baseline(Baseline::Batch { epsilon: 1e-4 })),
        ("none", AdvantageEstimator::Baseline(Baseline::None)),
        ("reinforce++", plus_plus(ReinforcePlusPlus::default(), false)),
        ("reinforce++, discounted", plus_plus(discounted, false)),
        ("reinforce++ baseline", plus_plus(ReinforcePlusPlus::default(), true)),
        ("two part", AdvantageEstimator::TwoPart(turns)),
        ("turns", AdvantageEstimator::Turns(turns)),
        ("gigpo", AdvantageEstimator::GiGpo(GiGpo::default())),
        (
            "gigpo, centred",
            AdvantageEstimator::GiGpo(GiGpo { scale: false, step_weight: 0.5, ..GiGpo::default() }),
        ),
    ]
}

fn critics() -> Vec<(&'static str, CriticEstimator)> {
    let gae = |gamma, lambda| Gae { gamma, lambda };
    let decoupled = |policy_lambda| {
        CriticEstimator::Decoupled(DecoupledGae { gamma: 0.95, critic_lambda: 0.9, policy_lambda })
    };
    let two_level = |version| {
        CriticEstimator::BiLevel(BiLevelGae { version, turn: gae(0.95, 0.8), token: gae(0.9, 0.7) })
    };
    vec![
        ("token gae", CriticEstimator::Token(gae(0.9, 0.8))),
        ("token gae, undiscounted", CriticEstimator::Token(Gae::default())),
        ("decoupled gae", decoupled(PolicyLambda::Fixed(0.6))),
        ("length-adaptive gae", decoupled(PolicyLambda::LengthAdaptive { alpha: 0.3 })),
        ("turn gae", CriticEstimator::Turn(TurnGae { turn: gae(0.9, 0.8) })),
        ("two-level gae 1", two_level(BiLevelVersion::V1)),
        ("two-level gae 2", two_level(BiLevelVersion::V2)),
    ]
}

/// `method` with another estimator, and a critic where that needs one.
pub(crate) fn credited(method: &PolicyGradient, advantage: AdvantageEstimator) -> PolicyGradient {
    let term = ValueTerm { loss: ValueLoss::default(), coef: 0.3 };
    let value = advantage.wants_values().then(|| method.value.unwrap_or(term));
    // Parts have no place for the penalty, and division by the mean wants rewards from 0 up.
    let without_penalty = matches!(&advantage, AdvantageEstimator::Group(group)
        if group.combination == RewardCombination::NormalizeThenSum
            || group.scaling == RewardScaling::MaxRl);
    let reward_kl_coef = if without_penalty { 0.0 } else { method.reward_kl_coef };
    PolicyGradient { advantage, value, reward_kl_coef, ..method.clone() }
}

fn corrections() -> Vec<Option<Correction>> {
    let with = |level, rule, veto| Some(Correction { level, rule, veto });
    let (token, sequence) = (CorrectionLevel::Token, CorrectionLevel::Sequence);
    vec![
        None,
        None,
        None,
        with(token, CorrectionRule::Truncate { max: 1.3 }, 0.0),
        with(token, CorrectionRule::Mask { min: 0.5, max: 2.0 }, 0.5),
        with(token, CorrectionRule::Gate { min: 0.7, max: 1.5 }, 0.0),
        with(token, CorrectionRule::Clamp { min: 0.5, max: 1.5 }, 0.0),
        with(sequence, CorrectionRule::Mask { min: 0.3, max: 3.0 }, 0.0),
        with(sequence, CorrectionRule::Truncate { max: 2.0 }, 0.4),
        with(CorrectionLevel::Geometric, CorrectionRule::Gate { min: 0.8, max: 1.25 }, 0.0),
    ]
}

/// A method, with some of its parts changed at random. Those that depend on the micro-batch only
/// `with_bnpo`.
pub(crate) fn random_methods(
    with_bnpo: bool,
) -> impl Strategy<Value = (&'static str, PolicyGradient)> {
    let mut all = methods();
    all.retain(|(name, _)| with_bnpo || *name != "bnpo");
    let kls = [KlEstimator::K2, KlEstimator::K3, KlEstimator::K3ImportanceCorrected];
    let estimator = prop::option::weighted(0.4, prop::sample::select(estimators()));
    (
        prop::sample::select(all),
        estimator,
        prop::option::weighted(0.4, prop::sample::select(kls.to_vec())),
        prop::sample::select(vec![0.0, 0.0, 0.01]),
        any::<bool>(),
        prop::sample::select(corrections()),
        prop::option::weighted(0.2, Just(0.1)),
        prop::option::weighted(0.2, Just(0.4)),
    )
        .prop_map(
            |((name, method), advantage, kl, entropy_coef, masks, correction, delta, share)| {
                let method = match advantage {
                    Some((_, advantage)) => credited(&method, advantage),
                    None => method,
                };
                let inside = matches!(method.surrogate, Surrogate::Vespo(_));
                let fits = |c: &Correction| !inside || c.level == CorrectionLevel::Token;
                let kl = kl.map_or_else(KlPenalty::default, |estimator| KlPenalty {
                    coef: 0.04,
                    estimator,
                });
                let method = PolicyGradient {
                    kl,
                    entropy_coef,
                    mask_truncated: method.mask_truncated || masks,
                    correction: correction.filter(fits),
                    off_policy_delta: delta,
                    top_entropy_share: share,
                    ..method
                };
                (name, method)
            },
        )
}
