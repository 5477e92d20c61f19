//! Methods of rollouts: a name gives the paper's settings, and every part can be exchanged (point 8).

use stateset_algo::{
    AdvantageEstimator, Aggregation, Baseline, BiLevelVersion, Clip, Correction, CorrectionLevel,
    CorrectionRule, CriticEstimator, Gae, KlEstimator, LeaveOneOut, PolicyGradient, PolicyLambda,
    RatioLevel, Reinforce, ReinforcePlusPlus, RewardCombination, RewardScaling, SoftOverlong,
    Surrogate, TrustRegion, ValueLoss, Whitening,
};
use stateset_train::config::{CriticKind, Format, ReferenceSync, RunConfig};

use crate::common::{method_of, resolved, warnings, with_file};

fn config(text: &str) -> RunConfig {
    resolved(&with_file(Format::Toml, text)).config
}

fn method(text: &str) -> PolicyGradient {
    method_of(&config(text))
}

/// The presets are written in words of the configuration, the methods in code; both are one thing.
#[test]
fn a_name_is_the_method_of_that_name() {
    use stateset_algo as algo;
    let methods = [
        algo::grpo(),
        algo::dr_grpo(512),
        algo::bnpo(),
        algo::dapo(),
        algo::cispo(),
        algo::sapo(),
        algo::vespo(),
        algo::gmpo(),
        algo::gspo(),
        algo::gspo_token(),
        algo::luspo(),
        algo::gepo(),
        algo::rloo(),
        algo::reinforce(),
        algo::reinforce_pp(),
        algo::ppo(),
        algo::vapo(),
        algo::a2c(),
        algo::trpo(),
    ];
    for wanted in methods {
        let text = format!("algorithm = '{}'", wanted.name);
        assert_eq!(method(&text), wanted, "{text}");
        assert_eq!(warnings(&text), [""; 0], "{text}");
    }
}

#[test]
fn relatives_of_grpo_by_settings_alone() {
    let group = |text: &str| match method(text).advantage {
        AdvantageEstimator::Group(group) => group,
        other => panic!("{other:?}"),
    };
    assert_eq!(group("algorithm = 'lite_ppo'").scaling, RewardScaling::Batch);
    assert_eq!(group("algorithm = 'max_rl'").scaling, RewardScaling::MaxRl);
    let gdpo = group("algorithm = 'gdpo'");
    assert_eq!(gdpo.combination, RewardCombination::NormalizeThenSum);
    assert_eq!(method("algorithm = 'rlaif'\nreward.judge_model = 'a'").kl.coef, 0.1);
}

/// Numbers of the papers, once more, so that a slip in both places is seen.
#[test]
fn numbers_of_the_papers() {
    let clip = |name: &str| match method(&format!("algorithm = '{name}'")).surrogate {
        Surrogate::Clip { clip, level } => (clip, level),
        other => panic!("{other:?}"),
    };
    let gspo = Clip { low: 3e-4, high: 4e-4, delta: None };
    assert_eq!(clip("gspo"), (gspo, RatioLevel::Sequence));
    let luspo = Clip { low: 2e-3, high: 2.5e-3, delta: None };
    assert_eq!(clip("luspo"), (luspo, RatioLevel::Sequence));
    assert_eq!(clip("dapo").0, Clip { low: 0.2, high: 0.28, delta: None });
    assert_eq!(clip("rloo").1, RatioLevel::Product);
    let ppo = config("algorithm = 'ppo'");
    assert_eq!((ppo.steps.n_iterations, method_of(&ppo).reward_kl_coef), (4, 0.05));
    let vapo = config("algorithm = 'vapo'");
    assert_eq!(vapo.algorithm.critic.map(|critic| critic.pretraining_steps), Some(50));
    assert_eq!(method_of(&vapo).positive_coef, 0.1);
    assert_eq!(method("algorithm = 'reinforce_pp'").reward_kl_coef, 0.01);
    let dapo = config("algorithm = 'dapo'").algorithm.rollouts;
    let overlong = SoftOverlong { max_tokens: 512, cache_tokens: 102, factor: 1.0, floor: true };
    assert_eq!((dapo.refill_rounds, dapo.overlong), (3, Some(overlong)));
    let trpo = config("algorithm = 'trpo'");
    let critic = trpo.algorithm.critic.expect("a critic");
    assert_eq!((critic.stops_gradient, critic.passes), (true, 10));
    assert_eq!(method_of(&trpo).trust_region.map(|region| region.max_kl), Some(0.01));
}

#[test]
fn surrogates_can_be_exchanged() {
    let surrogate = |text: &str| method(&format!("training = {{ {text} }}")).surrogate;
    let gspo_token = surrogate("surrogate = 'gspo_token', clip_ratio = 0.1, loss_type = 'grpo'");
    assert_eq!(gspo_token, Surrogate::GspoToken(Clip { low: 0.1, high: 0.1, delta: None }));
    let dual = surrogate("dual_clip = 3.0, importance_sampling_level = 'product'");
    let clip = Clip { delta: Some(3.0), ..Clip::default() };
    assert_eq!(dual, Surrogate::Clip { clip, level: RatioLevel::Product });
    let Surrogate::Cispo(cispo) =
        surrogate("surrogate = 'cispo', cispo_min = 0.8, cispo_max = 1.2")
    else {
        panic!("cispo")
    };
    assert_eq!((cispo.min, cispo.max), (0.8, 1.2));
    let Surrogate::Sapo(sapo) = surrogate("surrogate = 'sapo', sapo_temperature_neg = 2") else {
        panic!("sapo")
    };
    assert_eq!((sapo.tau_positive, sapo.tau_negative), (1.0, 2.0));
    let Surrogate::Vespo(vespo) = surrogate("surrogate = 'vespo', vespo_k_pos = 1.5") else {
        panic!("vespo")
    };
    assert_eq!((vespo.positive.k, vespo.negative.k, vespo.negative.lambda), (1.5, 3.0, 2.0));
    let Surrogate::Gmpo(gmpo) = surrogate("surrogate = 'gmpo', gmpo_width = 0.2") else {
        panic!("gmpo")
    };
    assert_eq!(gmpo.width, 0.2);
    let Surrogate::Gepo(gepo) = surrogate("surrogate = 'gepo', gepo_kl_gate = 0.002") else {
        panic!("gepo")
    };
    assert_eq!(gepo.kl_gate, Some(0.002));
    let plain = Surrogate::Reinforce(Reinforce { max_weight: None });
    assert_eq!(surrogate("surrogate = 'reinforce'"), plain);
}

#[test]
fn estimators_can_be_exchanged() {
    let advantage = |text: &str| method(&format!("training = {{ {text} }}")).advantage;
    let baseline = AdvantageEstimator::Baseline;
    assert_eq!(advantage("advantage = 'none'"), baseline(Baseline::None));
    assert_eq!(advantage("baseline_type = 'group_median'"), baseline(Baseline::GroupMedian));
    assert_eq!(advantage("baseline_type = 'none'"), baseline(Baseline::None));
    let batch = advantage("advantage = 'batch', advantage_epsilon = 0.01");
    assert_eq!(batch, baseline(Baseline::Batch { epsilon: 0.01 }));
    let leave_one_out = advantage("advantage = 'leave_one_out', normalize_advantages = true");
    let wanted = LeaveOneOut { normalize: true, epsilon: 1e-4 };
    assert_eq!(leave_one_out, AdvantageEstimator::LeaveOneOut(wanted));
    let settings = ReinforcePlusPlus { gamma: 1.0, whitening: Whitening::Population };
    assert_eq!(
        advantage("advantage = 'reinforce_pp_baseline', whitening = 'population'"),
        AdvantageEstimator::ReinforcePlusPlus { settings, group_baseline: true }
    );
    let AdvantageEstimator::TwoPart(credit) = advantage("advantage = 'mt_grpo'") else {
        panic!("two parts")
    };
    assert_eq!(credit.coef, 1.0);
    let turns = advantage("advantage = 'turns', turn_gamma = 0.9, turn_credit_coef = 0.5");
    let AdvantageEstimator::Turns(credit) = turns else { panic!("{turns:?}") };
    assert_eq!((credit.coef, credit.gamma), (0.5, 0.9));
    let gigpo = advantage("advantage = 'gigpo', gigpo_step_weight = 2, scale_rewards = 'none'");
    let AdvantageEstimator::GiGpo(gigpo) = gigpo else { panic!("{gigpo:?}") };
    assert_eq!((gigpo.step_weight, gigpo.episode_weight, gigpo.scale), (2.0, 1.0, false));
}

#[test]
fn critics_can_be_exchanged() {
    let of = |text: &str| config(&format!("algorithm = 'ppo'\ntraining = {{ {text} }}"));
    let estimator = |text: &str| match method_of(&of(text)).advantage {
        AdvantageEstimator::Critic { estimator, .. } => estimator,
        other => panic!("{other:?}"),
    };
    let CriticEstimator::Decoupled(gae) = estimator("advantage = 'decoupled_gae'") else {
        panic!("decoupled")
    };
    assert_eq!((gae.critic_lambda, gae.policy_lambda), (1.0, PolicyLambda::Fixed(0.95)));
    let CriticEstimator::Turn(gae) = estimator("advantage = 'turn_gae', turn_lambda = 0.5") else {
        panic!("turns")
    };
    assert_eq!(gae.turn, Gae { gamma: 1.0, lambda: 0.5 });
    let bi_level = estimator("advantage = 'bi_level_gae', bi_level_version = 'v2', gamma = 0.9");
    let CriticEstimator::BiLevel(gae) = bi_level else { panic!("{bi_level:?}") };
    assert_eq!((gae.version, gae.token.gamma, gae.turn.gamma), (BiLevelVersion::V2, 0.9, 1.0));
    let separate = of("critic = 'separate', critic_learning_rate = 2e-6, value_clip = ''");
    let critic = separate.algorithm.critic.expect("a critic");
    assert_eq!((critic.kind, critic.learning_rate), (CriticKind::Separate, 2e-6));
    let value = method_of(&separate).value.expect("a value term");
    assert_eq!(value.loss, ValueLoss { clip: None, scale: 0.5 });
    let grpo = config("training = { advantage = 'gae', vf_coef = 0.5 }");
    assert_eq!(method_of(&grpo).value.map(|value| value.coef), Some(0.5));
    assert_eq!(config("").algorithm.critic, None);
}

#[test]
fn penalties_masks_and_corrections() {
    let method = |text: &str| method(&format!("training = {{ {text} }}"));
    let in_reward = method("beta = 0.1, kl_placement = 'reward'");
    assert_eq!((in_reward.kl.coef, in_reward.reward_kl_coef), (0.0, 0.1));
    let in_loss = method("beta = 0.1, kl_estimator = 'k2'");
    assert_eq!((in_loss.kl.coef, in_loss.kl.estimator), (0.1, KlEstimator::K2));
    let adaptive = method("beta = 0.1, use_adaptive_kl = true, kl_target = 3").adaptive_kl;
    assert_eq!(adaptive.map(|rule| (rule.target, rule.horizon_samples)), Some((3.0, 10_000.0)));
    let entropy = method("use_adaptive_entropy = true, entropy_target = 0.3").adaptive_entropy;
    assert_eq!(entropy.map(|rule| (rule.target, rule.step, rule.max)), Some((0.3, 0.005, 1.0)));
    let masked = method("top_entropy_quantile = 0.2, off_policy_mask_threshold = 0.5");
    assert_eq!((masked.top_entropy_share, masked.off_policy_delta), (Some(0.2), Some(0.5)));
    assert_eq!(method("target_kl = 0.02").target_kl, Some(0.02));
    assert_eq!(method("loss_type = 'seq-mean-token-sum'").aggregation, Aggregation::TokenSum);
    let corrected = "importance_correction = 'mask', importance_correction_max = 5, \
                     importance_correction_level = 'geometric', importance_correction_veto = 1e-4";
    let rule = CorrectionRule::Mask { min: 0.5, max: 5.0 };
    let wanted = Correction { level: CorrectionLevel::Geometric, rule, veto: 1e-4 };
    assert_eq!(method(corrected).correction, Some(wanted));
    let region = "trust_region = true, max_kl = 0.05, trpo_curvature_share = 1";
    let wanted = TrustRegion { max_kl: 0.05, curvature_share: 1.0, ..TrustRegion::default() };
    assert_eq!(method(region).trust_region, Some(wanted));
}

#[test]
fn rules_of_rollouts_and_the_reference() {
    let settings = |text: &str| config(&format!("training = {{ {text} }}")).algorithm;
    let rules = settings("staleness = 2, use_overlong_shaping = true, overlong_penalty = -0.5");
    assert_eq!((rules.rollouts.staleness, rules.rollouts.refill_rounds), (2, 0));
    assert_eq!(rules.rollouts.overlong.map(|rule| rule.factor), Some(0.5));
    let sync = "beta = 0.1, use_lora = false, sync_ref_model = true, ref_model_sync_steps = 64";
    let wanted = ReferenceSync { every_steps: 64, mixup: 0.6 };
    assert_eq!(settings(sync).reference_sync, Some(wanted));
    assert!(settings("beta = 0.1, kl_placement = 'reward'").reference.is_some());
    assert!(settings("auto_adjust = true").auto_adjust);
}

#[test]
fn one_sample_is_enough_where_none_are_compared() {
    for name in ["reinforce", "reinforce_pp", "ppo", "a2c"] {
        let text = format!("algorithm = '{name}'\ntraining.num_generations = 1");
        assert_eq!(config(&text).steps.group_size, 1, "{name}");
        assert_eq!(warnings(&text), [""; 0], "{name}");
    }
}

/// What a method does not read is no part of the run: neither of its file nor of its fingerprint.
#[test]
fn keys_without_effect_are_no_part_of_a_run() {
    let of = |text: &str| resolved(&with_file(Format::Toml, text));
    let values = of("training = { gamma = 0.5, cispo_max = 9 }").values;
    assert_eq!(values.fingerprint(), of("").values.fingerprint());
    assert!(values.get("training.gamma").is_none());
    assert!(!of("").to_toml().contains("vf_coef"));
    assert!(of("algorithm = 'ppo'").to_toml().contains("vf_coef = 0.1"));
}
