//! Keys of evaluations, during a run and on their own.

use super::super::key::{Effect, Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "evaluation.num_episodes",
        Kind::integer(0, 1_000_000),
        "Scenarios of an evaluation, the first of the set; 0 plays all.",
    ),
    Key {
        aliases: &["training.eval_num_generations", "evaluation.eval_repeats"],
        ..Key::new(
            "evaluation.num_generations",
            Kind::integer(1, 65_535),
            "Samples of each of them.",
        )
    },
    Key::optional(
        "evaluation.scenario_set",
        Kind::LINE,
        "A built-in set to evaluate on. Without one, the one that is trained on, in another split.",
    ),
    Key::optional("evaluation.scenarios_file", Kind::Path, "A file of scenarios to evaluate on."),
    Key::optional(
        "evaluation.prompts_file",
        Kind::Path,
        "A file of prompts to evaluate on, each answered in one turn.",
    ),
    Key {
        aliases: &["training.eval_pairs_file"],
        ..Key::optional(
            "evaluation.pairs_file",
            Kind::Path,
            "A file of pairs to evaluate preference methods on. Without it, split_size of \
             training.pairs_file is kept back.",
        )
    },
    Key::new(
        "evaluation.split",
        Kind::choice(&["train", "validation", "held_out"]),
        "The part of a built-in set to evaluate on.",
    ),
    Key {
        aliases: &["training.eval_split_size"],
        ..Key::new(
            "evaluation.split_size",
            Kind::number_between(0.0, 0.9),
            "Share of your own scenarios that is kept from training and evaluated on, where \
             evaluation has no scenarios of its own. Where that is none, all are used for both.",
        )
    },
    Key::optional(
        "evaluation.max_turns",
        Kind::integer(1, 1000),
        "Most turns of the agent. Without it, as in training.",
    ),
    Key::optional(
        "evaluation.seed",
        Kind::integer(0, i64::MAX),
        "The number that the randomness of evaluations starts from; every evaluation draws the \
         same, so that two can be compared in pairs. Without it, the run's seed.",
    ),
    Key::optional(
        "evaluation.temperature",
        Kind::number_between(0.0, 2.0),
        "Sampling temperature; 0 always takes the most likely token. Without it, as in training.",
    ),
    Key::optional(
        "evaluation.top_p",
        Kind::number_above_to(0.0, 1.0),
        "Keep the most likely tokens up to this probability. Without it, all.",
    ),
    Key::optional(
        "evaluation.top_k",
        Kind::integer(0, 1_000_000),
        "Keep this many most likely tokens. Without it, all.",
    ),
    Key {
        effect: Effect::Operation,
        ..Key::optional(
            "evaluation.concurrency",
            Kind::integer(1, 65_536),
            "Conversations that are played at the same time. Without it, as in training.",
        )
    },
];
