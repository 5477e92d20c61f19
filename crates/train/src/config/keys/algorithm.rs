//! Keys of what stands beside the policy loss: penalty, reference, entropy, masks, corrections.

use super::super::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key {
        aliases: &["training.kl_penalty", "training.kl_coef", "training.kl_penalty_coef"],
        ..Key::new(
            "training.beta",
            Kind::number_between(0.0, 100.0),
            "Weight of the pull towards the model as it was at the start; 0 is none. The start is \
             the model without its adapters, or a frozen copy of all weights where use_lora is \
             false. In preference methods, their own beta.",
        )
    },
    Key::new(
        "training.kl_estimator",
        Kind::choice(&["k3_importance_corrected", "k3", "k2", "k1"]),
        "How the distance from the start is estimated from a token. k1 is for kl_placement reward, \
         which always has it.",
    ),
    Key::new(
        "training.kl_placement",
        Kind::choice(&["loss", "reward"]),
        "Where the distance from the start is punished: in the loss, or in the reward before it is \
         compared.",
    ),
    Key::new(
        "training.use_adaptive_kl",
        Kind::Bool,
        "Move beta after each step, so that the distance from the start stays at kl_target.",
    ),
    Key::new(
        "training.kl_target",
        Kind::number_above(0.0),
        "That distance, nats for each conversation.",
    ),
    Key::new(
        "training.kl_horizon",
        Kind::number_above(0.0),
        "Conversations over which beta changes by a fifth at most.",
    ),
    Key::new(
        "training.use_reference_model",
        Kind::Bool,
        "Measure the distance from the start even where beta is 0. Where beta is above 0 it is \
         measured anyway.",
    ),
    Key::new(
        "training.sync_ref_model",
        Kind::Bool,
        "Let the model that the policy is compared with follow the policy. Needs a copy of all \
         weights, so use_lora has to be false.",
    ),
    Key::new(
        "training.ref_model_mixup_alpha",
        Kind::number_above_to(0.0, 1.0),
        "Share of the policy in it each time that it follows.",
    ),
    Key::new(
        "training.ref_model_sync_steps",
        Kind::integer(1, 1_000_000_000),
        "Optimiser steps between these times.",
    ),
    Key::new(
        "training.entropy_coef",
        Kind::number_between(0.0, 100.0),
        "Weight of the entropy bonus. Documented as 0.01; off here, as in other trainers of \
         language models.",
    ),
    Key::new(
        "training.use_adaptive_entropy",
        Kind::Bool,
        "Move entropy_coef after each step, so that the entropy does not fall below entropy_target.",
    ),
    Key::new("training.entropy_target", Kind::number_above(0.0), "That entropy, nats a token."),
    Key::new(
        "training.entropy_coef_delta",
        Kind::number_above_to(0.0, 100.0),
        "How far entropy_coef moves with each step.",
    ),
    Key::new(
        "training.entropy_coef_max",
        Kind::number_above_to(0.0, 100.0),
        "The greatest value that entropy_coef is moved to.",
    ),
    Key {
        aliases: &["training.mask_truncated_completions"],
        ..Key::new(
            "training.mask_truncated",
            Kind::Bool,
            "Learn nothing from conversations that were cut off at a token limit.",
        )
    },
    Key::new(
        "training.top_entropy_quantile",
        Kind::number_above_to(0.0, 1.0),
        "Share of the tokens that have a policy loss, those of the highest entropy; 1 is all.",
    ),
    Key::optional(
        "training.off_policy_mask_threshold",
        Kind::number_above(0.0),
        "Leave out a conversation of negative advantage that has become less likely by more than \
         this, nats a token. Without it, none.",
    ),
    Key::optional(
        "training.target_kl",
        Kind::number_above(0.0),
        "End the passes over a batch once the policy has moved by 1.5 times this, nats a token. \
         Without it, all passes are made.",
    ),
    Key::new(
        "training.importance_correction",
        Kind::choice(&["none", "truncate", "clamp", "mask", "gate"]),
        "What becomes of a token whose probability differs between sampler and trainer: nothing, a \
         weight cut from above, or on both sides, a weight of 0 outside of the range, or a weight of \
         1 inside and 0 outside.",
    ),
    Key::new(
        "training.importance_correction_level",
        Kind::choice(&["token", "sequence", "geometric"]),
        "Over what the difference is taken: each token, the product over the conversation, or its \
         geometric mean.",
    ),
    Key::new(
        "training.importance_correction_min",
        Kind::number_between(0.0, 1.0),
        "Lower end of the range.",
    ),
    Key::new(
        "training.importance_correction_max",
        Kind::number_between(1.0, 1e6),
        "Upper end of the range.",
    ),
    Key::new(
        "training.importance_correction_veto",
        Kind::number_from_below(0.0, 1.0),
        "Leave out a conversation that has a token with a smaller ratio than this; 0 is none.",
    ),
    Key::new(
        "training.auto_adjust",
        Kind::Bool,
        "Change settings during the run where its health asks for it; every change is told. \
         Documented as true; false here, so that a run is what its configuration says.",
    ),
];
