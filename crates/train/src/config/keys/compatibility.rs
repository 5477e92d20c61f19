//! Keys that are read because configurations in circulation have them.
//!
//! Two kinds: what has no meaning on this engine is accepted and does nothing; what means a feature
//! that is not there is refused unless it is off, because training without it would be something
//! else than what was asked for.

use super::super::key::{Effect, Key, Kind};

const VLLM: &str = "Sampling and training are one engine in one process.";
const WANDB: &str = "Metrics are written to the run folder and sent nowhere.";
const LOADING: &str = "The engine places and lays out weights itself.";
const DATA: &str = "Nothing is loaded by workers.";
const PRECISION: &str = "The engine chooses its number format.";
const CONTINUAL: &str = "Belongs to continual learning, which is not part of this version.";
const PEFT: &str = "Adapters are set by training.use_lora and the keys beside it.";

pub(super) const AGENT: &[Key] = &[
    Key::accepted("agent.torch_dtype", PRECISION),
    Key::accepted("agent.attn_implementation", "There is one implementation of attention."),
    Key::accepted("agent.device", LOADING),
    Key::accepted("agent.device_map", LOADING),
    Key::accepted("agent.trust_remote_code", "No code of a model is ever run."),
    Key::accepted("agent.model_kwargs", LOADING),
    Key::accepted("agent.tokenizer_kwargs", LOADING),
    Key::accepted("agent.use_cache", "The key-value cache is always used."),
    Key::accepted("agent.pad_token_id", "Batches are packed, so there is no padding."),
    Key::accepted(
        "agent.eos_token_id",
        "The model's own files name the tokens that end an answer.",
    ),
    Key::accepted(
        "agent.use_chat_template",
        "A model's template is always used; agent.chat_template gives another.",
    ),
    Key::accepted("agent.use_peft", PEFT),
    Key::accepted("agent.peft_config", PEFT),
];

pub(super) const ENVIRONMENT: &[Key] = &[
    Key {
        effect: Effect::Accepted,
        ..Key::optional(
            "environment.type",
            Kind::choice(&["conversation"]),
            "There is one kind of environment; prompts are conversations of one turn.",
        )
    },
    Key::accepted(
        "environment.timeout_seconds",
        "Time is limited for each turn, by training.turn_timeout_secs.",
    ),
];

pub(super) const TRAINING: &[Key] = &[
    Key::accepted(
        "training.generation_batch_size",
        "Sampling is batched continuously; see rollout_concurrency.",
    ),
    Key::accepted(
        "training.mini_batch_size",
        "Optimiser steps are set by num_minibatches, passes by max_tokens_per_microbatch.",
    ),
    Key::accepted(
        "training.generations_per_iteration",
        "See prompts_per_step and num_generations.",
    ),
    Key { kind: Kind::Bool, ..Key::accepted("training.bf16", PRECISION) },
    Key { kind: Kind::Bool, ..Key::accepted("training.fp16", PRECISION) },
    Key::accepted("training.use_cpu", "The engine computes on the CPU."),
    Key::accepted("training.dataloader_num_workers", DATA),
    Key::accepted("training.dataloader_pin_memory", DATA),
    Key::accepted("training.remove_unused_columns", DATA),
    Key::accepted("training.max_examples", DATA),
    Key::accepted("training.data_format", "Files are read by their ending."),
    Key::accepted("training.stratify_by_task", "Scenarios are held back in the order of the set."),
    Key::accepted("training.report_to", WANDB),
    Key::accepted("training.wandb_run_name", WANDB),
    Key::accepted("training.wandb_project", WANDB),
    Key::accepted("training.wandb_entity", WANDB),
    Key::accepted("training.wandb_tags", WANDB),
    Key::accepted("training.wandb_notes", WANDB),
    Key::accepted("training.post_eval_samples", "See evaluation.num_episodes."),
    Key::accepted("training.post_eval_detailed", "Evaluations are always written in full."),
    Key::accepted("training.use_vllm", VLLM),
    Key::accepted("training.vllm_gpu_memory_utilization", VLLM),
    Key::accepted("training.vllm_tensor_parallel_size", VLLM),
    Key::accepted("training.vllm_enable_prefix_caching", VLLM),
    Key::accepted("training.vllm_quantization", VLLM),
    Key::accepted("training.vllm_enable_chunked_prefill", VLLM),
];

pub(super) const LATER: &[Key] = &[
    Key::unavailable(
        "training.use_4bit",
        "Training quantised weights is not part of this version.",
    ),
    Key::unavailable(
        "training.use_8bit",
        "Training quantised weights is not part of this version.",
    ),
    Key::unavailable(
        "training.continual_strategy",
        "Continual learning is not part of this version.",
    ),
    Key::unavailable("training.task_schedule", CONTINUAL),
    Key::unavailable("training.task_switch_steps", CONTINUAL),
    Key::unavailable("training.continual_kl_beta", CONTINUAL),
    Key::unavailable("training.ewc_lambda", CONTINUAL),
    Key::accepted("training.replay_buffer_size", CONTINUAL),
    Key::accepted("training.replay_ratio", CONTINUAL),
    Key::accepted("training.replay_min_size", CONTINUAL),
    Key::accepted("training.replay_sampling", CONTINUAL),
    Key::accepted("training.replay_storage", CONTINUAL),
    Key::accepted("training.ewc_num_samples", CONTINUAL),
    Key::accepted("training.ewc_decay", CONTINUAL),
    Key::accepted("training.task_id_key", CONTINUAL),
];
