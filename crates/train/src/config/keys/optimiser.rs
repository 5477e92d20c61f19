//! Keys of the optimiser, its schedule, and the weights it moves.

use super::super::key::{Effect, Key, Kind};
use stateset_algo::ScheduleShape;

pub(super) const KEYS: &[Key] = &[
    Key {
        aliases: &["training.actor_learning_rate"],
        ..Key::new(
            "training.learning_rate",
            Kind::number_above_to(0.0, 1.0),
            "Peak learning rate of AdamW.",
        )
    },
    Key::new(
        "training.adam_beta1",
        Kind::number_from_below(0.0, 1.0),
        "Decay of AdamW's mean of gradients.",
    ),
    Key::new(
        "training.adam_beta2",
        Kind::number_from_below(0.0, 1.0),
        "Decay of AdamW's mean of squared gradients.",
    ),
    Key::new(
        "training.adam_epsilon",
        Kind::number_above_to(0.0, 1.0),
        "Added to the root of that mean before AdamW divides by it.",
    ),
    Key::new(
        "training.weight_decay",
        Kind::number_between(0.0, 10.0),
        "Decoupled weight decay of matrices; norms, biases and embeddings have none.",
    ),
    Key::new(
        "training.max_grad_norm",
        Kind::number_from(0.0),
        "Gradients are scaled down to this L2 norm; 0 never does.",
    ),
    Key::new(
        "training.lr_scheduler_type",
        Kind::choice(&ScheduleShape::NAMES),
        "Form of the learning rate after its warm-up.",
    ),
    Key::new(
        "training.warmup_ratio",
        Kind::number_between(0.0, 1.0),
        "Share of all optimiser steps in which the learning rate rises from 0.",
    ),
    Key::optional(
        "training.warmup_steps",
        Kind::integer(0, 1_000_000_000),
        "The same as a number of optimiser steps. The one from the stronger layer counts.",
    ),
    Key::new(
        "training.use_lora",
        Kind::Bool,
        "Train low-rank adapters and leave the model as it is; false trains all weights.",
    ),
    Key {
        aliases: &["training.lora_rank"],
        ..Key::new("training.lora_r", Kind::integer(1, 4096), "Rank of the adapters.")
    },
    Key::new(
        "training.lora_alpha",
        Kind::number_above_to(0.0, 1e6),
        "Adapters are scaled by this over their rank.",
    ),
    Key::new(
        "training.use_rslora",
        Kind::Bool,
        "Scale adapters by alpha over the root of their rank instead.",
    ),
    Key::optional(
        "training.lora_target_modules",
        Kind::TextList,
        "Linear maps that get adapters, such as `q_proj`. Without it (or with `all-linear`), all of \
         the layers.",
    ),
    Key {
        effect: Effect::Accepted,
        ..Key::optional(
            "training.lora_dropout",
            Kind::number_from_below(0.0, 1.0),
            "Policies are scored exactly as they sample, so there is no dropout.",
        )
    },
];
