//! What is refused or warned of (point 3).

use stateset_train::config::Format;

use crate::common::{problems, warnings, with_file};

/// Texts with one contradiction and nothing else that is wrong, and what is found.
const CONTRADICTIONS: &[(&str, &str)] = &[
    ("training = { fp16 = true, bf16 = true }", "both true"),
    ("training = { early_stopping = true, eval_steps = 0 }", "true without evaluations"),
    ("training = { num_generations = 1, batch_size = 4 }", "1"),
    ("training.batch_size = 17", "17 rollouts"),
    ("training.batch_size = 8", "8 rollouts"),
    ("training = { batch_size = 32, prompts_per_step = 3 }", "3 scenarios but 32 rollouts"),
    ("training.num_minibatches = 65", "65 mini-batches of 4 scenarios"),
    ("training.num_minibatches = 3", "3 mini-batches of 4 scenarios"),
    (
        "training = { max_steps = 3, num_episodes = 1000 }",
        "3 steps of 64 episodes but 1000 episodes",
    ),
    ("training = { warmup_steps = 3, warmup_ratio = 0.1 }", "both"),
    ("training = { warmup_steps = 17 }", "17 of 16 optimiser steps"),
    ("training.top_p = 0.9", "0.9"),
    ("training.top_k = 50", "50"),
    ("training.repetition_penalty = 1.1", "1.1"),
    ("training.context_length = 1023", "1023 tokens"),
    ("training.cache_tokens = 1023", "1023 tokens"),
    ("training = { cache_tokens = 2000, context_length = 2048 }", "2000 tokens"),
    ("environment = { prompts = ['a'], scenarios_file = 'a' }", "2 sources"),
    ("environment = { scenario_set = '' }", "nothing to play"),
    ("environment = { scenarios = [] }", "an empty list"),
    ("evaluation = { scenario_set = 'a', prompts_file = 'a' }", "2 sources"),
    ("reward.weights = {}", "no reward"),
    ("reward.weights = { a = 0 }", "only weights of 0"),
    ("reward = { spec = 'safety', weights = { safety = 1 } }", "2 sources"),
    ("algorithm = 'gdpo'\nreward.combination = 'min'", "min"),
    ("algorithm = 'gdpo'\ntraining.scale_rewards = 'batch'", "batch"),
    ("training = { scale_rewards = 'group', advantage_normalization = false }", "group and false"),
    ("training.clip_delta = 1.1", "1.1"),
    (
        "agent.peft_path = 'a'\ntraining.use_lora = false",
        "an adapter on a model whose weights are all trained",
    ),
    ("training = { overwrite_output_dir = true, resume_from_checkpoint = 'a' }", "both"),
    ("training.prompts_per_step = 1000001", "1000001"),
    (
        "training = { per_device_train_batch_size = 2000, gradient_accumulation_steps = 2000 }",
        "4000000 scenarios of 16 samples",
    ),
    ("training.temperature = 0", "0"),
    ("algorithm = 'bpo'", "\"bpo\""),
    ("algorithm = 'ppo'\ntraining.advantage = 'group'", "ppo with group"),
    ("algorithm = 'trpo'\ntraining.num_minibatches = 2", "2 optimiser steps for each batch"),
    ("algorithm = 'trpo'\ntraining.critic_stops_gradient = false", "false with shared"),
    ("training.use_adaptive_kl = true", "beta 0"),
    ("training = { beta = 0.1, kl_estimator = 'k1' }", "k1"),
    ("training = { beta = 0.1, kl_placement = 'reward', kl_estimator = 'k2' }", "k2"),
    ("training = { advantage = 'median', baseline_type = 'group_mean' }", "median and group_mean"),
    ("training = { advantage = 'reinforce_pp', whitening = 'none' }", "none"),
    ("training = { beta = 0.1, sync_ref_model = true }", "both true"),
    ("algorithm = 'dapo'\ntraining.overlong_cache_length = 600", "600 tokens"),
    ("algorithm = 'dapo'\ntraining = { num_generations = 1, advantage = 'batch' }", "1"),
    ("algorithm = 'dpo'", "dpo without pairs"),
    ("algorithm = 'reward_model'", "reward_model without pairs"),
    ("algorithm = 'dpo'\ntraining = { pairs_file = 'a', preference_loss = 'simpo' }", "\"simpo\""),
    (
        "algorithm = 'simpo'\ntraining = { pairs_file = 'a', preference_loss = ['ipo', 'hinge'] }",
        "ipo, hinge",
    ),
    (
        "algorithm = 'dpo'\ntraining = { pairs_file = 'a', preference_loss_weights = { sft = 1 } }",
        "sft",
    ),
    ("algorithm = 'dpo'\ntraining = { pairs_file = 'a', beta = 0 }", "0.0"),
    ("algorithm = 'dpo'\ntraining = { pairs_file = 'a', label_smoothing = 0.1 }", "0.1"),
    (
        "algorithm = 'dpo'\ntraining = { pairs_file = 'a', max_steps = 3, num_train_epochs = 2 }",
        "both",
    ),
    ("training.continual_strategy = 'ewc'", "\"ewc\""),
    ("environment.type = 'task'", "\"task\""),
];

/// Texts that can be used, and their warning.
const ODD: &[(&str, &str)] = &[
    ("training.learning_rate = 0.1", "training.learning_rate: 1e-7 to 1e-2 is usual"),
    ("agent.model = 'stub://a'", "agent.model: the agent is a stub, which learns nothing"),
    (
        "agent.temperature = 0.5",
        "agent.temperature: is for chatting and serving; rollouts have training.temperature",
    ),
    (
        "training = { use_vllm = true, report_to = 'wandb', bf16 = true }",
        "training.bf16, training.report_to and training.use_vllm: accepted for compatibility, \
         without effect on this engine",
    ),
    (
        "training = { eval_steps = 17 }",
        "training.eval_steps: the run has 16 steps, so none is evaluated on its way",
    ),
    (
        "environment.split = 'validation'",
        "evaluation.split and environment.split: evaluations play what is trained on",
    ),
    (
        "training = { num_generations = 2 }",
        "training.num_generations: below 4 samples, most groups say little about what is better",
    ),
    (
        "training = { kl_coef = 2 }",
        "training.kl_coef: above 1 the model hardly moves; 0.001 to 0.04 is usual",
    ),
    (
        "training = { prompts_per_step = 2, gradient_accumulation_steps = 3 }",
        "training.gradient_accumulation_steps: has no effect beside training.prompts_per_step",
    ),
    (
        "training = { lr_scheduler_type = 'constant', warmup_steps = 2 }",
        "training.warmup_steps: has no effect with constant; constant_with_warmup has one",
    ),
    (
        "algorithm = 'gspo'\ntraining.loss_type = 'dapo'",
        "training.loss_type: with a ratio of the whole conversation, long ones weigh more the more \
         tokens they have; grpo weighs all alike",
    ),
    (
        "algorithm = 'luspo'\ntraining.loss_type = 'dr_grpo'",
        "training.loss_type: with a ratio of the whole conversation, long ones weigh more the more \
         tokens they have; grpo weighs all alike",
    ),
    (
        "training = { critic = 'separate', gamma = 0.99, value_clip_eps = 0.3 }",
        "training.gamma, training.critic and training.value_clip_eps: no effect beside algorithm \
         grpo, surrogate clip and advantage group",
    ),
    (
        "algorithm = 'cispo'\ntraining.epsilon_high = 5.0",
        "training.epsilon_high: no effect beside algorithm cispo, surrogate cispo and advantage \
         group",
    ),
    (
        "algorithm = 'a2c'\ntraining = { num_iterations = 2 }",
        "training.num_iterations and training.num_minibatches: after the first of these steps the \
         batch is no longer the policy's own, and nothing corrects for that",
    ),
    (
        "algorithm = 'a2c'\ntraining.staleness = 1",
        "training.staleness: the loss has no ratio that makes up for older weights; \
         reinforce_max_weight gives it one",
    ),
    (
        "training.sync_ref_model = true",
        "training.sync_ref_model: no effect, because nothing is compared with a reference",
    ),
    (
        "algorithm = 'orpo'\ntraining = { pairs_file = 'a', num_generations = 8, vf_coef = 1, \
         temperature = 0.7 }",
        "training.temperature: no effect on a method that learns from pairs; \
         training.num_generations: no effect on a method that learns from pairs; \
         training.vf_coef: no effect on algorithm orpo",
    ),
    (
        "training = { num_episodes = 100 }",
        "training.num_episodes: the run has 128 episodes: 2 whole steps of 64",
    ),
];

#[test]
fn every_contradiction_is_one_problem() {
    for &(text, found) in CONTRADICTIONS {
        let problems = problems(&with_file(Format::Toml, text));
        assert_eq!(problems.len(), 1, "{text}: {problems:#?}");
        assert_eq!(problems[0].found, found, "{text}");
        assert!(!problems[0].keys.is_empty() && !problems[0].origins.is_empty(), "{text}");
    }
}

#[test]
fn the_largest_numbers_do_not_overflow() {
    let text = "training = { max_steps = 1000000000, num_episodes = 1000000000, num_iterations = 1000, \
                num_minibatches = 1000000, num_generations = 65535, prompts_per_step = 1000000, \
                batch_size = 1000000000, max_prompt_length = 10000000, \
                max_completion_length = 10000000 }";
    assert_eq!(problems(&with_file(Format::Toml, text)).len(), 4);
}

#[test]
fn a_refused_value_causes_no_second_problem() {
    let text = "training = { num_minibatches = 'many', num_generations = -1, batch_size = 17 }";
    let problems = problems(&with_file(Format::Toml, text));
    assert_eq!(problems.len(), 2, "{problems:#?}");
}

#[test]
fn what_is_odd_is_a_warning() {
    for &(text, warning) in ODD {
        assert_eq!(warnings(text).join("; "), warning, "{text}");
    }
}
