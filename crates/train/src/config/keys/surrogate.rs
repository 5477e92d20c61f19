//! Keys of the policy loss: what is minimised token by token, and how token losses are averaged.

use super::super::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key {
        aliases: &["training.objective"],
        ..Key::new(
            "training.surrogate",
            Kind::choice(&[
                "clip",
                "gspo_token",
                "cispo",
                "sapo",
                "vespo",
                "gmpo",
                "gepo",
                "reinforce",
            ]),
            "What is minimised: the clipped ratio of new to old probability, or the form of the \
             method with this name.",
        )
    },
    Key::new(
        "training.importance_sampling_level",
        Kind::choice(&["token", "sequence", "product"]),
        "Over what the ratio of clip, cispo and sapo is taken: each token, the geometric mean of the \
         conversation, or the product over it.",
    ),
    Key {
        aliases: &["training.aggregation"],
        ..Key::new(
            "training.loss_type",
            Kind::Choice {
                names: &["dapo", "grpo", "dr_grpo", "bnpo", "token_sum"],
                synonyms: &[
                    ("token-mean", "dapo"),
                    ("seq-mean-token-mean", "grpo"),
                    ("seq-mean-token-sum", "token_sum"),
                    ("seq-mean-token-sum-norm", "dr_grpo"),
                ],
            },
            "How the losses of tokens are averaged: every token of the step alike (dapo), every \
             conversation alike (grpo), a sum over max_completion_length (dr_grpo), every token of a \
             micro-batch alike (bnpo), or summed in each conversation (token_sum).",
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
        aliases: &["training.delta", "training.dual_clip"],
        ..Key::optional(
            "training.clip_delta",
            Kind::number_above(1.0),
            "Upper bound of the ratio where the advantage is negative (also called dual clip); above \
             1 + clip_ratio_high. Without it, there is none.",
        )
    },
    Key::new(
        "training.cispo_min",
        Kind::number_between(0.0, 1.0),
        "Least weight of a token in cispo.",
    ),
    Key::new(
        "training.cispo_max",
        Kind::number_between(1.0, 1e6),
        "Greatest weight of a token in cispo; an absolute cap.",
    ),
    Key::new(
        "training.sapo_temperature_pos",
        Kind::number_above_to(0.0, 1000.0),
        "Steepness of sapo's gate where the advantage is positive.",
    ),
    Key::new(
        "training.sapo_temperature_neg",
        Kind::number_above_to(0.0, 1000.0),
        "Steepness of sapo's gate where it is not.",
    ),
    Key::new(
        "training.vespo_k_pos",
        SIZE,
        "Exponent of vespo's weight where the advantage is 0 or more.",
    ),
    Key::new("training.vespo_lambda_pos", SIZE, "Damping of vespo's weight there."),
    Key::new(
        "training.vespo_k_neg",
        SIZE,
        "Exponent of vespo's weight where the advantage is below 0.",
    ),
    Key::new("training.vespo_lambda_neg", SIZE, "Damping of vespo's weight there."),
    Key::new(
        "training.gmpo_width",
        Kind::number_above_to(0.0, 20.0),
        "How far the logarithm of a token's ratio may be from 0 in gmpo.",
    ),
    Key::optional(
        "training.gepo_kl_gate",
        Kind::number_above(0.0),
        "Drift, nats a token, below which gepo compares a conversation with its own probability. \
         Without it, always with the group's.",
    ),
    Key::optional(
        "training.reinforce_max_weight",
        Kind::number_between(1.0, 1e6),
        "Greatest importance weight in reinforce. Without it, every weight is 1.",
    ),
    Key {
        aliases: &["training.positive_coef"],
        ..Key::new(
            "training.positive_lm_weight",
            Kind::number_between(0.0, 1000.0),
            "Weight of the plain likelihood of solved conversations beside the policy loss.",
        )
    },
];

const SIZE: Kind = Kind::number_between(0.0, 1000.0);
