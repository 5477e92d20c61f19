//! Keys about which rollouts are played and what their length costs.

use super::super::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "training.use_dynamic_sampling",
        Kind::Bool,
        "Replace groups without any difference in reward by groups of other scenarios.",
    ),
    Key::new(
        "training.dynamic_sampling_rounds",
        Kind::integer(1, 100),
        "Most further rounds of play in a step for that.",
    ),
    Key::new(
        "training.use_overlong_shaping",
        Kind::Bool,
        "Punish answers that come near max_completion_length.",
    ),
    Key::optional(
        "training.overlong_cache_length",
        Kind::integer(1, 10_000_000),
        "Length, in tokens, of the stretch before max_completion_length in which the punishment \
         grows. Without it, a fifth of max_completion_length.",
    ),
    Key::new(
        "training.overlong_penalty",
        Kind::number_between(-1000.0, 0.0),
        "What is added to the reward of an answer that reaches max_completion_length.",
    ),
    Key::new(
        "training.overlong_floor",
        Kind::Bool,
        "The punishment ends at overlong_penalty; false lets it go on growing.",
    ),
    Key::new(
        "training.staleness",
        Kind::integer(0, 64),
        "Steps by which the weights that play are older than those that learn, so that both can go \
         on at the same time; 0 is none.",
    ),
];
