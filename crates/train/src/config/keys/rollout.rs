//! Keys of the rollouts: how many, how they are sampled, and their limits.

use super::super::key::{Effect, Key, Kind};

/// The largest number of samples of one scenario; a sample's index is part of its random stream.
const MAX_GROUP: i64 = 65_535;

pub(super) const KEYS: &[Key] = &[
    Key {
        aliases: &["training.group_size"],
        ..Key::new(
            "training.num_generations",
            Kind::integer(1, MAX_GROUP),
            "Samples of each scenario, the group that is compared. 1 is enough where samples are not \
             compared with each other.",
        )
    },
    Key {
        aliases: &[
            "training.num_prompts_per_batch",
            "training.prompt_batch_size",
            "training.pairs_per_step",
        ],
        ..Key::optional(
            "training.prompts_per_step",
            Kind::integer(1, 1_000_000),
            "Scenarios of a step, or pairs of a preference method's. Without it, batch_size divided by num_generations, or else \
             per_device_train_batch_size times gradient_accumulation_steps.",
        )
    },
    Key::optional(
        "training.batch_size",
        Kind::integer(1, 1_000_000_000),
        "Rollouts of a step, a multiple of num_generations: another way to give prompts_per_step.",
    ),
    Key::new(
        "training.per_device_train_batch_size",
        Kind::integer(1, 1_000_000),
        "A factor of prompts_per_step. Micro-batches follow max_tokens_per_microbatch.",
    ),
    Key::new(
        "training.gradient_accumulation_steps",
        Kind::integer(1, 1_000_000),
        "The other factor of prompts_per_step.",
    ),
    Key {
        aliases: &["training.num_ppo_epochs"],
        ..Key::new(
            "training.num_iterations",
            Kind::integer(1, 1000),
            "Times that the rollouts of a step are trained on.",
        )
    },
    Key {
        aliases: &["training.num_gradient_updates"],
        ..Key::new(
            "training.num_minibatches",
            Kind::integer(1, 1_000_000),
            "Parts that the scenarios of a step are divided into, each one optimiser step; a divisor \
             of their number.",
        )
    },
    Key::new(
        "training.temperature",
        Kind::number_above_to(0.0, 2.0),
        "Sampling temperature of rollouts; log-probs are taken at it. Documented as 0.7; 1 here, \
         the distribution of the model itself.",
    ),
    Key::new(
        "training.top_p",
        Kind::number_above_to(0.0, 1.0),
        "Has to be 1: rollouts draw from the whole vocabulary, because that is what is trained. \
         Documented as 0.9.",
    ),
    Key::new(
        "training.top_k",
        Kind::integer(0, 1_000_000),
        "Has to be 0: rollouts draw from the whole vocabulary, because that is what is trained. \
         Documented as 50.",
    ),
    Key::new(
        "training.repetition_penalty",
        Kind::number_between(0.1, 10.0),
        "Has to be 1: a penalty is no part of the policy that is trained. Documented as 1.1.",
    ),
    Key::new(
        "training.max_prompt_length",
        Kind::integer(1, 10_000_000),
        "Most tokens of the messages that open an episode, instructions included.",
    ),
    Key {
        aliases: &["training.max_generation_length"],
        ..Key::new(
            "training.max_completion_length",
            Kind::integer(1, 10_000_000),
            "Most tokens of one answer of the agent.",
        )
    },
    Key {
        aliases: &["training.vllm_max_model_len"],
        ..Key::optional(
            "training.context_length",
            Kind::integer(2, 10_000_000),
            "Most tokens of a conversation. Without it, as many as the model can read.",
        )
    },
    operation(Key::new(
        "training.rollout_concurrency",
        Kind::integer(1, 65_536),
        "Conversations that are played at the same time. Documented as 1; the result is the same \
         for any number.",
    )),
    operation(Key::optional(
        "training.cache_tokens",
        Kind::integer(16, 1_000_000_000_000),
        "Tokens that the key-value cache holds. Without it, enough for rollout_concurrency.",
    )),
    operation(Key::new(
        "training.turn_timeout_secs",
        Kind::number_between(0.001, 86_400.0),
        "Seconds after which one turn counts as failed, at whatever border it hangs.",
    )),
    operation(Key::new(
        "training.reward_timeout_secs",
        Kind::number_between(0.001, 86_400.0),
        "Seconds after which a reward counts as not to be had.",
    )),
];

const fn operation(key: Key) -> Key {
    Key { effect: Effect::Operation, ..key }
}
