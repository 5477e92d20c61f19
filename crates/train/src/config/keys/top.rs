//! Keys outside any section: which presets are laid over the defaults, and notes.

use super::super::key::{Effect, Key, Kind};

/// Names of methods, those that learn from rollouts first.
pub(in super::super) const ALGORITHMS: [&str; 30] = [
    "grpo",
    "dr_grpo",
    "bnpo",
    "dapo",
    "lite_ppo",
    "gdpo",
    "max_rl",
    "cispo",
    "sapo",
    "vespo",
    "gmpo",
    "gspo",
    "gspo_token",
    "luspo",
    "gepo",
    "rloo",
    "reinforce",
    "reinforce_pp",
    "ppo",
    "vapo",
    "a2c",
    "trpo",
    "rlaif",
    "dpo",
    "ipo",
    "kto",
    "orpo",
    "simpo",
    "cpo",
    "reward_model",
];

/// Other spellings of them.
const SYNONYMS: [(&str, &str); 6] = [
    ("reinforce++", "reinforce_pp"),
    ("reinforce_plus_plus", "reinforce_pp"),
    ("gspo-token", "gspo_token"),
    ("dr-grpo", "dr_grpo"),
    ("drgrpo", "dr_grpo"),
    ("reward", "reward_model"),
];

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
        Kind::Choice { names: &ALGORITHMS, synonyms: &SYNONYMS },
        "The method: a set of values laid over the task's. Those from dpo on learn from \
         training.pairs_file, the others from rollouts.",
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
