//! Keys of methods that learn from preferences instead of rollouts.

use super::super::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key {
        aliases: &["training.dataset_path"],
        ..Key::optional(
            "training.pairs_file",
            Kind::Path,
            "A JSONL file of what preference methods learn from: prompt, chosen and rejected, or \
             prompt, completion and label for kto.",
        )
    },
    Key {
        aliases: &["training.num_epochs"],
        ..Key::new(
            "training.num_train_epochs",
            Kind::integer(1, 100_000),
            "Passes over these pairs. Says the length of the run, as max_steps does; the one from \
             the stronger layer counts.",
        )
    },
    Key::optional(
        "training.preference_loss",
        Kind::TextList,
        "The losses on a pair, added up: sigmoid, hinge, ipo, exo_pair, nca_pair, robust, bco_pair, \
         sppo_hard, aot, aot_unpaired, apo_zero, apo_down, discopop, sft or sigmoid_norm for dpo; \
         one of sigmoid, hinge, ipo and simpo for cpo and simpo; one of kto and apo_zero_unpaired \
         for kto.",
    ),
    Key {
        aliases: &["training.loss_weights"],
        ..Key::optional(
            "training.preference_loss_weights",
            Kind::Weights,
            "What each of dpo's losses weighs, by its name. Those without a weight have 1.",
        )
    },
    Key::new(
        "training.label_smoothing",
        Kind::number_from_below(0.0, 0.5),
        "Share of the pairs that are the wrong way round.",
    ),
    Key {
        aliases: &["training.f_divergence"],
        ..Key::new(
            "training.f_divergence_type",
            Kind::choice(&["reverse_kl", "forward_kl", "js_divergence", "alpha_divergence"]),
            "What holds the policy to the reference in dpo.",
        )
    },
    Key::new(
        "training.f_alpha_divergence_coef",
        Kind::number_between(-100.0, 100.0),
        "Alpha of alpha_divergence; 1 is reverse_kl.",
    ),
    Key::optional(
        "training.ld_alpha",
        Kind::number_between(0.0, 1.0),
        "Weight, in dpo, of tokens beyond the length that both answers have. Without it, 1.",
    ),
    Key::new(
        "training.use_weighting",
        Kind::Bool,
        "Weigh dpo's pairs by how likely the policy is to say them (WPO).",
    ),
    Key::new(
        "training.discopop_tau",
        Kind::number_above_to(0.0, 100.0),
        "Temperature of the blend in discopop.",
    ),
    Key::new("training.reference_free", Kind::Bool, "Leave the reference out of dpo."),
    Key::new(
        "training.simpo_gamma",
        Kind::number_between(-100.0, 100.0),
        "Margin that simpo wants between the two answers.",
    ),
    Key::new(
        "training.cpo_alpha",
        Kind::number_between(0.0, 1000.0),
        "Weight of the likelihood of chosen answers in cpo and simpo.",
    ),
    Key::new(
        "training.alphapo_alpha",
        Kind::number_between(-100.0, 100.0),
        "Shape of AlphaPO's reward in cpo and simpo; 0 is the log-prob itself.",
    ),
    Key::new(
        "training.desirable_weight",
        Kind::number_between(0.0, 1000.0),
        "Weight of good answers in kto.",
    ),
    Key::new(
        "training.undesirable_weight",
        Kind::number_between(0.0, 1000.0),
        "Weight of bad answers in kto.",
    ),
    Key::new(
        "training.center_rewards_coefficient",
        Kind::number_between(0.0, 1000.0),
        "Weight of the pull of a reward model's scores towards 0; 0.01 is usual where it is on.",
    ),
];
