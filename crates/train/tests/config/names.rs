//! Names and shapes of configurations that are in circulation: they are read as they are, and what
//! cannot be done with them is said.

use stateset_algo::{AdvantageEstimator, CriticEstimator};
use stateset_train::config::{Format, key_of};

use crate::common::{method_of, problems, resolved, with_file};

/// All fields of the documented `AgentConfig`, with its defaults.
const AGENT: &str = "\
agent:
  model_name: gpt2
  max_new_tokens: 512
  temperature: 0.8
  top_p: 0.9
  top_k: 50
  do_sample: true
  repetition_penalty: 1.1
  pad_token_id: null
  eos_token_id: null
  system_prompt: null
  use_chat_template: true
  torch_dtype: bfloat16
  attn_implementation: flash_attention_2
  device_map: auto
  trust_remote_code: false
  model_kwargs: null
  tokenizer_kwargs: null
  use_peft: false
  peft_config: null
  peft_path: null
  use_stub_model: false
  stub_responses: null
  enable_reasoning: false
  reasoning_tag: think
  enable_planning: false
  planning_config: null
";

/// All fields of the documented `TrainingConfig`, with its defaults.
const TRAINING: &str = "\
training:
  model_name: gpt2
  num_episodes: 1000
  num_epochs: 1
  learning_rate: 5e-06
  adam_beta1: 0.9
  adam_beta2: 0.99
  adam_epsilon: 1e-8
  weight_decay: 0.01
  max_grad_norm: 1.0
  warmup_ratio: 0.1
  lr_scheduler_type: cosine
  per_device_train_batch_size: 1
  batch_size: null
  gradient_accumulation_steps: 4
  num_generations: 16
  generation_batch_size: 4
  rollout_concurrency: 1
  eval_num_generations: 4
  max_prompt_length: 512
  max_completion_length: 512
  max_steps_per_episode: null
  bf16: true
  fp16: false
  use_cpu: false
  dataloader_num_workers: 0
  dataloader_pin_memory: true
  gradient_checkpointing: false
  eval_steps: 50
  save_steps: 100
  logging_steps: 10
  save_total_limit: 3
  output_dir: ./outputs
  run_name: null
  wandb_run_name: null
  overwrite_output_dir: true
  report_to: wandb
  wandb_project: null
  wandb_entity: null
  wandb_tags: null
  wandb_notes: null
  auto_adjust: true
  early_stopping: false
  patience: 50
  gamma: 0.99
  gae_lambda: 0.95
  reward_clip: 10.0
  advantage_normalization: true
  baseline_type: group_mean
  beta: 0.0
  use_reference_model: false
  clip_ratio: 0.2
  value_clip: 0.2
  entropy_coef: 0.01
  continual_strategy: none
  replay_buffer_size: 2000
  replay_ratio: 0.5
  replay_min_size: 100
  replay_sampling: uniform
  replay_storage: reservoir
  continual_kl_beta: 0.0
  ewc_lambda: 0.0
  ewc_num_samples: 64
  ewc_decay: 0.9
  task_id_key: task_id
  max_examples: null
  eval_split_size: 0.1
  stratify_by_task: true
  data_format: jsonl
  run_post_eval: true
  post_eval_samples: 5
  post_eval_detailed: true
  use_lora: true
  lora_r: 8
  lora_alpha: 16
  lora_dropout: 0.05
  lora_target_modules: null
  temperature: 0.7
  use_vllm: false
  vllm_gpu_memory_utilization: 0.85
  vllm_tensor_parallel_size: 1
  vllm_enable_prefix_caching: true
  vllm_max_model_len: null
  vllm_quantization: null
  vllm_enable_chunked_prefill: true
  seed: 42
  remove_unused_columns: false
  disable_tqdm: false
  task_schedule: null
  task_switch_steps: 0
  resume_from_checkpoint: null
";

/// What the same documents have for sampling.
const TRUNCATED: &str = "  top_p: 0.9\n  top_k: 50\n  repetition_penalty: 1.1\n";

const EVALUATION: &str = "\
evaluation:
  num_episodes: 10
  max_turns: null
  seed: null
  concurrency: 4
";

#[test]
fn documented_settings_are_read_as_they_are() {
    let text = format!("{AGENT}{TRAINING}{EVALUATION}");
    let resolved = resolved(&with_file(Format::Yaml, &text));
    assert_eq!(resolved.config.agent.model_name, "gpt2");
    assert_eq!(resolved.config.evaluation.samples_per_scenario, 4);
    assert_eq!(resolved.config.evaluation.seed, resolved.config.seed);
    assert_eq!(method_of(&resolved.config).entropy_coef, 0.01);
    let accepted: Vec<_> =
        resolved.warnings.iter().filter(|warning| warning.message.contains("compat")).collect();
    assert_eq!(accepted.len(), 1);
    assert!(accepted[0].keys.len() > 30, "{:?}", accepted[0].keys);
}

/// What the documents give a group-relative method and only other methods read.
#[test]
fn documented_settings_without_effect_are_named_once() {
    let resolved = resolved(&with_file(Format::Yaml, TRAINING));
    let idle = "training.gamma, training.gae_lambda, training.value_clip and training.num_epochs";
    let warnings: Vec<String> = resolved.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.iter().filter(|text| text.starts_with(idle)).count(), 1, "{warnings:#?}");
    assert!(resolved.config.algorithm.auto_adjust);
    let ppo = format!("algorithm: ppo\n{TRAINING}");
    let method = method_of(&crate::common::resolved(&with_file(Format::Yaml, &ppo)).config);
    let AdvantageEstimator::Critic { estimator: CriticEstimator::Token(gae), .. } =
        method.advantage
    else {
        panic!("{:?}", method.advantage)
    };
    assert_eq!((gae.gamma, gae.lambda), (0.99, 0.95));
}

#[test]
fn only_truncated_sampling_is_refused() {
    let text = format!("{TRAINING}{TRUNCATED}");
    let problems = problems(&with_file(Format::Yaml, &text));
    let keys: Vec<&str> = problems.iter().map(|problem| problem.keys[0].as_str()).collect();
    assert_eq!(keys, ["training.top_p", "training.top_k", "training.repetition_penalty"]);
}

#[test]
fn the_documented_command_line_s_file_is_read() {
    let text = "\
agent:
  model_name: stub://demo
  max_new_tokens: 64
  temperature: 0.7
  use_stub_model: true
  stub_responses: [Hello!]
environment:
  type: conversation
  scenarios:
    - id: demo
      topic: demo
      context: A user asks for help.
      user_responses: [Hi, Thanks]
training:
  num_episodes: 5
  max_turns: 3
profile: balanced
metadata:
  owner: me
";
    let config = resolved(&with_file(Format::Yaml, text)).config;
    assert_eq!(config.environment.max_turns, Some(3));
    assert_eq!(config.agent.stub_responses, ["Hello!"]);
    assert!(config.agent.is_stub);
    assert_eq!(config.steps.n_steps, 1);
}

/// Names of other documented configurations and of TRL.
#[test]
fn names_from_elsewhere_are_aliases() {
    let aliases = [
        ("group_size", "training.num_generations"),
        ("clip_eps", "training.clip_ratio"),
        ("clip_eps_low", "training.clip_ratio"),
        ("clip_eps_high", "training.clip_ratio_high"),
        ("clip_range_left", "training.clip_ratio"),
        ("clip_range_right", "training.clip_ratio_high"),
        ("epsilon", "training.clip_ratio"),
        ("epsilon_high", "training.clip_ratio_high"),
        ("delta", "training.clip_delta"),
        ("kl_penalty", "training.beta"),
        ("num_outer_iterations", "training.max_steps"),
        ("num_ppo_epochs", "training.num_iterations"),
        ("num_gradient_updates", "training.num_minibatches"),
        ("prompt_batch_size", "training.prompts_per_step"),
        ("actor_learning_rate", "training.learning_rate"),
        ("mask_truncated_completions", "training.mask_truncated"),
        ("multi_objective_aggregation", "training.reward_combination"),
        ("eval_on_start", "training.eval_before"),
        ("eval_split_size", "evaluation.split_size"),
        ("max_turns", "environment.max_turns"),
        ("objective", "training.surrogate"),
        ("dual_clip", "training.clip_delta"),
        ("value_coef", "training.vf_coef"),
        ("value_loss_coef", "training.vf_coef"),
        ("value_clip_eps", "training.value_clip"),
        ("cliprange_value", "training.value_clip"),
        ("num_epochs", "training.num_train_epochs"),
        ("loss_weights", "training.preference_loss_weights"),
        ("f_divergence", "training.f_divergence_type"),
        ("dataset_path", "training.pairs_file"),
        ("pairs_per_step", "training.prompts_per_step"),
    ];
    for (alias, path) in aliases {
        let key = key_of(&format!("training.{alias}")).map(|key| key.path);
        assert_eq!(key, Some(path), "{alias}");
    }
}

#[test]
fn two_names_may_agree_but_not_differ() {
    let same = "agent: {model_name: a}\ntraining: {model_name: a}\n";
    assert_eq!(resolved(&with_file(Format::Yaml, same)).config.agent.model_name, "a");
    let other = "agent: {model_name: a}\ntraining: {model_name: b}\n";
    assert_eq!(problems(&with_file(Format::Yaml, other)).len(), 1);
}

#[test]
fn what_would_be_missing_is_refused() {
    let text = "training: {task_schedule: [a, b], ewc_lambda: 0.1, use_4bit: true}";
    assert_eq!(problems(&with_file(Format::Yaml, text)).len(), 3);
}

#[test]
fn what_stands_around_an_agent_is_read() {
    let text = "agent: {enable_planning: true, planning_config: {max_steps: 4}, enable_reasoning: true, \
                reasoning_tag: thought, context_compression: true, compression_ratio: 0.25, \
                compression_strategy: truncate, memory_window: 6, enable_memory: true, \
                memory_config: {summary_threshold: 3}}";
    let around = resolved(&with_file(Format::Yaml, text)).config.agent.surroundings;
    assert!(around.planning.enabled);
    assert_eq!(around.planning.max_steps, 4);
    assert_eq!(around.reasoning.map(|tags| tags.open).as_deref(), Some("<thought>"));
    assert_eq!(around.compression.map(|c| (c.ratio, c.max_tokens)), Some((0.25, 4000)));
    assert_eq!(around.memory_window, Some(6));
    assert_eq!(around.memory.map(|memory| memory.summary_threshold), Some(3));
    let off = "agent: {enable_planning: false, planning_config: {max_steps: 4}}";
    assert!(!resolved(&with_file(Format::Yaml, off)).config.agent.surroundings.planning.enabled);
}

#[test]
fn what_does_not_fit_around_an_agent_is_named() {
    let text = "agent: {enable_planning: true, planning_config: {max_step: 4, goal_min_chars: x}, \
                enable_memory: true, memory_config: {importance_decay: 2}, reasoning_tag: <think>}";
    let found = problems(&with_file(Format::Yaml, text));
    assert_eq!(found.len(), 4);
    let shown: String = found.iter().map(|problem| format!("{problem}\n")).collect();
    for part in ["max_step", "did you mean `max_steps`?", "goal_min_chars", "importance_decay", "2"]
    {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[test]
fn the_example_of_the_guide_is_sound() {
    let page = include_str!("../../../../docs/agents.md");
    let block = page.split_once("```toml\n").and_then(|(_, rest)| rest.split_once("```"));
    let around = resolved(&with_file(Format::Toml, block.map_or("", |(block, _)| block)));
    let around = around.config.agent.surroundings;
    assert!(around.memory.is_some() && around.compression.is_some() && around.planning.enabled);
}
