//! Keys of the critic, and of the trust region that may take the optimiser's place.

use super::super::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "training.critic",
        Kind::choice(&["shared", "separate"]),
        "Where values come from: a head on the policy's own last state, or a model of its own that \
         begins as a copy of the policy.",
    ),
    Key::new(
        "training.critic_learning_rate",
        Kind::number_above_to(0.0, 1.0),
        "Learning rate of the head (of a reward model's, too), and of a separate critic.",
    ),
    Key::new(
        "training.value_warmup_steps",
        Kind::integer(0, 1_000_000),
        "Steps at the start in which only the critic learns.",
    ),
    Key::new(
        "training.critic_stops_gradient",
        Kind::Bool,
        "Let values teach the head alone, and leave what it shares with the policy as it is.",
    ),
    Key::new(
        "training.critic_passes",
        Kind::integer(1, 1000),
        "Times that the critic is taught on a batch, where the policy's step is a trust region's.",
    ),
    Key {
        aliases: &["training.value_coef", "training.value_loss_coef"],
        ..Key::new(
            "training.vf_coef",
            Kind::number_above_to(0.0, 1000.0),
            "Weight of the critic's loss beside the policy's.",
        )
    },
    Key {
        aliases: &["training.value_clip_eps", "training.cliprange_value"],
        ..Key::optional(
            "training.value_clip",
            Kind::number_above(0.0),
            "How far a value may move from the one at the time of the rollout. Without it, as far as \
             it is drawn.",
        )
    },
    Key::new(
        "training.value_loss_scale",
        Kind::number_above_to(0.0, 1000.0),
        "Factor of the squared error of a value; 0.5 is usual, 1 is A2C's.",
    ),
    Key::new(
        "training.trust_region",
        Kind::Bool,
        "Step by natural gradient inside a trust region (TRPO) instead of AdamW with a clip.",
    ),
    Key {
        aliases: &["training.max_kl"],
        ..Key::new(
            "training.trpo_max_kl",
            Kind::number_above_to(0.0, 100.0),
            "How far such a step may go: mean KL, nats a token.",
        )
    },
    Key::new(
        "training.trpo_damping",
        Kind::number_between(0.0, 1000.0),
        "Added to the curvature in every direction.",
    ),
    Key::new(
        "training.trpo_cg_iterations",
        Kind::integer(1, 1000),
        "Most products with the curvature in the search for a direction.",
    ),
    Key::new(
        "training.trpo_backtrack",
        Kind::number((0.0, false), (1.0, false)),
        "Factor between the lengths that are tried.",
    ),
    Key::new(
        "training.trpo_max_backtracks",
        Kind::integer(1, 1000),
        "Most lengths that are tried.",
    ),
    Key::new(
        "training.trpo_curvature_share",
        Kind::number_above_to(0.0, 1.0),
        "Share of the conversations that the curvature is averaged over.",
    ),
];
