//! Keys of the reward.

use super::super::key::{Effect, Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key::optional(
        "reward.spec",
        Kind::Text { max_chars: 1_000 },
        "The reward in words: a name such as `helpfulness`, a preset such as `customer_service` or \
         `helpful`, several with weights such as `helpfulness=0.6,safety=0.4`, or one with an \
         argument such as `contains:dog`, `contains_text:dog`, `contains_all:yes,please` or \
         `regex:^Yes`. `neural:PATH` is a trained reward model, alone or with a weight; `judge:RUBRIC` \
         asks reward.judge_model about each conversation, `ruler:RUBRIC` about all samples of a scenario \
         at once, where RUBRIC is general, customer_service, technical_support, sales, tutoring, code or \
         a file. `adaptive:helpfulness=0.6,safety=0.4` lets weights follow what lags behind. A path that \
         ends in .toml, .yaml, .yml or .json is a reward file. Without it and without reward.weights, \
         the preset that fits the scenarios.",
    ),
    Key::optional(
        "reward.weights",
        Kind::Weights,
        "The same as a table: what each reward weighs. The weights are divided by their sum.",
    ),
    Key {
        aliases: &["reward.combination_method", "reward.aggregation"],
        ..Key::new(
            "reward.combination",
            Kind::Choice {
                names: &["weighted_sum", "average", "min", "max", "product", "geometric_mean"],
                synonyms: &[("sum", "weighted_sum"), ("weighted_average", "weighted_sum")],
            },
            "How the rewards of reward.weights become one: their weighted or plain mean, the worst \
             or the best, their product or weighted geometric mean.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::new(
            "reward.success_threshold",
            Kind::number_between(-1e6, 1e6),
            "Reward from which on a conversation counts as solved, in reports only.",
        )
    },
];
