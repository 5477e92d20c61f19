//! Keys outside any section: which presets are laid over the defaults, and notes.

use super::super::key::{Effect, Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key {
        effect: Effect::Operation,
        ..Key::optional(
            "profile",
            Kind::Choice {
                names: &["conservative", "balanced", "aggressive", "experimental"],
                synonyms: &[("quality", "conservative"), ("speed", "aggressive")],
            },
            "How boldly to train: a set of values laid over the defaults and the model's own. \
             Balanced is those as they are.",
        )
    },
    Key {
        effect: Effect::Operation,
        ..Key::optional(
            "task",
            Kind::choice(&[
                "customer_service",
                "technical_support",
                "sales",
                "tutoring",
                "creative_writing",
                "research_assistant",
            ]),
            "What the agent is for: a set of values laid over the profile's.",
        )
    },
    Key::new(
        "algorithm",
        Kind::choice(&["grpo", "dr_grpo", "lite_ppo", "gdpo", "max_rl"]),
        "The method: a set of values laid over the task's.",
    ),
    Key {
        effect: Effect::Operation,
        ..Key::optional(
            "metadata",
            Kind::Object,
            "Anything you want to keep with the run; nothing reads it.",
        )
    },
];
