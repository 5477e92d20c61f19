//! What values become.

use stateset_algo::{AdvantageEstimator, Aggregation, RewardScaling};
use stateset_core::RunSeed;
use stateset_train::config::{
    ConfigSources, EvaluationScenarios, Format, ReferenceModel, RewardMethod, RewardSource,
    ScenarioSource, Split,
};

use crate::common::{method_of, resolved, with_file};

#[test]
fn scaling_in_two_words() {
    let scaling =
        |text: &str| match method_of(&resolved(&with_file(Format::Toml, text)).config).advantage {
            AdvantageEstimator::Group(group) => group.scaling,
            other => panic!("{other:?}"),
        };
    assert_eq!(scaling(""), RewardScaling::Group);
    assert_eq!(scaling("training.advantage_normalization = false"), RewardScaling::None);
    assert_eq!(scaling("training.scale_rewards = false"), RewardScaling::None);
    assert_eq!(scaling("algorithm = 'lite_ppo'"), RewardScaling::Batch);
    let divides = "algorithm = 'lite_ppo'\ntraining.advantage_normalization = true";
    assert_eq!(scaling(divides), RewardScaling::Batch);
    let divides = "algorithm = 'dr_grpo'\ntraining.advantage_normalization = true";
    assert_eq!(scaling(divides), RewardScaling::Group);
}

#[test]
fn the_reference_follows_the_adapters() {
    let reference =
        |text: &str| resolved(&with_file(Format::Toml, text)).config.algorithm.reference;
    assert_eq!(reference(""), None);
    assert_eq!(reference("training.kl_penalty = 0.04"), Some(ReferenceModel::WithoutAdapters));
    assert_eq!(
        reference("training = { use_reference_model = true, use_lora = false }"),
        Some(ReferenceModel::FrozenCopy)
    );
}

#[test]
fn scenarios_to_train_and_to_evaluate_on() {
    let config = |text: &str| resolved(&with_file(Format::Yaml, text)).config;
    let built_in = |name: &str, split| ScenarioSource::BuiltIn { name: name.to_owned(), split };

    let default = config("");
    assert_eq!(default.environment.scenarios, built_in("customer_service", Split::Train));
    let own = built_in("customer_service", Split::Validation);
    assert_eq!(default.evaluation.scenarios, EvaluationScenarios::Own(own));

    let inline = config("environment:\n  scenarios:\n    - id: a\n      user_responses: [hi]\n");
    let ScenarioSource::Inline(scenarios) = &inline.environment.scenarios else {
        panic!("scenarios of its own")
    };
    assert_eq!(scenarios[0]["user_responses"][0], "hi");
    assert_eq!(inline.evaluation.scenarios, EvaluationScenarios::HeldBack { share: 0.1 });

    let sales = config("task: sales\nevaluation: {scenarios_file: a.jsonl}\n");
    assert_eq!(sales.environment.scenarios, built_in("sales", Split::Train));
    let file = ScenarioSource::File("a.jsonl".into());
    assert_eq!(sales.evaluation.scenarios, EvaluationScenarios::Own(file));
}

#[test]
fn sampling_of_rollouts_is_whole_and_of_evaluations_as_told() {
    let text = "training: {temperature: 0.7, max_completion_length: 99}\n\
                evaluation: {temperature: 0, top_k: 5}\n";
    let config = resolved(&with_file(Format::Yaml, text)).config;
    assert!(config.rollout.sampling.is_untruncated());
    assert_eq!(config.rollout.sampling.temperature, 0.7);
    assert_eq!(config.rollout.sampling.max_new_tokens, 99);
    assert!(config.evaluation.sampling.greedy);
    assert_eq!(config.evaluation.sampling.top_k, 5);
    assert_eq!((config.agent.sampling.top_k, config.agent.sampling.temperature), (50, 0.8));
    let plain = resolved(&ConfigSources::default()).config;
    assert_eq!(plain.evaluation.sampling, plain.rollout.sampling);
}

#[test]
fn rewards_in_words_or_as_a_table() {
    let source = |text: &str| resolved(&with_file(Format::Yaml, text)).config.reward.source;
    assert_eq!(source("training: {seed: 1}"), RewardSource::Fitting);
    let spec = source("reward: {spec: 'contains:dog'}");
    assert_eq!(spec, RewardSource::Spec("contains:dog".to_owned()));
    let table = source("reward: {weights: {safety: 1, 'contains:dog': 3}, combination: min}");
    let RewardSource::Weighted { parts, method } = table else { panic!("{table:?}") };
    assert_eq!(parts, [("contains:dog".to_owned(), 3.0), ("safety".to_owned(), 1.0)]);
    assert_eq!(method, RewardMethod::Min);
}

#[test]
fn settings_of_the_optimiser_and_the_adapters() {
    let text = "[training]\nmax_grad_norm = 0\nwarmup_steps = 4\nmax_steps = 100\n\
                lora_target_modules = 'all-linear'\nloss_type = 'dr_grpo'\nseed = 7\n";
    let config = resolved(&with_file(Format::Toml, text)).config;
    assert_eq!(config.optimiser.max_grad_norm, f64::INFINITY);
    assert_eq!(config.optimiser.schedule.warmup_steps, 4);
    assert_eq!(method_of(&config).aggregation, Aggregation::DrGrpo { max_completion_tokens: 512 });
    assert_eq!(config.adapters.map(|adapters| adapters.targets), Some(Vec::new()));
    assert_eq!(config.seed, RunSeed(7));
    let full = resolved(&with_file(Format::Toml, "training.use_lora = false")).config;
    assert_eq!(full.adapters, None);
}
