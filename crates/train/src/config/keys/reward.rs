//! Keys of the reward.

use super::super::key::{Effect, Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "reward.weights",
        Kind::Weights,
        "Which rewards judge a conversation and what each weighs, by name.",
    ),
    Key::optional(
        "reward.options",
        Kind::Object,
        "Settings of single rewards: a table for each name in reward.weights that needs one.",
    ),
    Key {
        aliases: &["reward.combination_method", "reward.aggregation"],
        ..Key::new(
            "reward.combination",
            Kind::Choice {
                names: &["weighted_sum", "average", "min", "max"],
                synonyms: &[("sum", "weighted_sum"), ("weighted_average", "average")],
            },
            "How single rewards become one. Average is the weighted mean; min and max take the \
             worst and the best, whatever they weigh.",
        )
    },
    Key::new("reward.normalize_weights", Kind::Bool, "Divide the weights by their sum first."),
    Key {
        effect: Effect::Operation,
        ..Key::new(
            "reward.success_threshold",
            Kind::number_between(-1e6, 1e6),
            "Reward from which on a conversation counts as solved, in reports only.",
        )
    },
];
