//! Keys of the method: how rewards become advantages, and advantages a loss.

use super::super::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "training.reward_clip",
        Kind::number_above(0.0),
        "Rewards are cut to this distance from 0 before they are compared.",
    ),
    Key::new(
        "training.baseline_type",
        Kind::choice(&["group_mean"]),
        "What rewards are compared with: the mean of their group.",
    ),
    Key::new(
        "training.scale_rewards",
        Kind::Choice {
            names: &["group", "batch", "none", "max_rl"],
            synonyms: &[("true", "group"), ("false", "none")],
        },
        "What the centred reward is divided by: the standard deviation of its group or of the \
         step, nothing, or the group's mean (for rewards from 0 up).",
    ),
    Key::optional(
        "training.advantage_normalization",
        Kind::Bool,
        "Another way to give scale_rewards: true divides (by the group's deviation where nothing \
         else is said), false does not. The one from the stronger layer counts.",
    ),
    Key::new(
        "training.advantage_epsilon",
        Kind::number_above_to(0.0, 1.0),
        "Added to every standard deviation that is divided by.",
    ),
    Key {
        aliases: &["training.multi_objective_aggregation"],
        ..Key::new(
            "training.reward_combination",
            Kind::choice(&["sum_then_normalize", "normalize_then_sum"]),
            "Compare the sum of all rewards, or standardise each reward in its group first and then \
             add them up.",
        )
    },
    Key {
        aliases: &["training.aggregation"],
        ..Key::new(
            "training.loss_type",
            Kind::choice(&["dapo", "grpo", "dr_grpo", "bnpo"]),
            "How the losses of tokens are averaged: every token of the step alike (dapo), every \
             conversation alike (grpo), a sum over max_completion_length (dr_grpo), or every token \
             of a micro-batch alike (bnpo).",
        )
    },
    Key {
        aliases: &[
            "training.clip_eps",
            "training.clip_eps_low",
            "training.clip_range",
            "training.clip_range_left",
            "training.epsilon",
        ],
        ..Key::new(
            "training.clip_ratio",
            Kind::number_between(0.0, 100.0),
            "How far the ratio of new to old probability may fall below 1.",
        )
    },
    Key {
        aliases: &["training.clip_eps_high", "training.clip_range_right", "training.epsilon_high"],
        ..Key::optional(
            "training.clip_ratio_high",
            Kind::number_between(0.0, 100.0),
            "How far it may rise above 1. Without it, clip_ratio.",
        )
    },
    Key {
        aliases: &["training.delta"],
        ..Key::optional(
            "training.clip_delta",
            Kind::number_above(1.0),
            "Upper bound of the ratio where the advantage is negative; above 1 + clip_ratio_high. \
             Without it, there is none.",
        )
    },
    Key {
        aliases: &["training.kl_penalty", "training.kl_coef", "training.kl_penalty_coef"],
        ..Key::new(
            "training.beta",
            Kind::number_between(0.0, 100.0),
            "Weight of the pull towards the model as it was at the start; 0 is none. The start is \
             the model without its adapters, or a frozen copy of all weights where use_lora is \
             false.",
        )
    },
    Key::new(
        "training.kl_estimator",
        Kind::choice(&["k3_importance_corrected", "k3", "k2"]),
        "How the distance from the start is estimated from a token.",
    ),
    Key::new(
        "training.use_reference_model",
        Kind::Bool,
        "Measure the distance from the start even where beta is 0. Where beta is above 0 it is \
         measured anyway.",
    ),
    Key::new(
        "training.entropy_coef",
        Kind::number_between(0.0, 100.0),
        "Weight of the entropy bonus. Documented as 0.01; off here, as in other trainers of \
         language models.",
    ),
    Key {
        aliases: &["training.mask_truncated_completions"],
        ..Key::new(
            "training.mask_truncated",
            Kind::Bool,
            "Learn nothing from conversations that were cut off at a token limit.",
        )
    },
];
