//! Keys of the run as a whole: its length, what it keeps, when it looks up, and what it may use.

use super::super::key::{Effect, Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key::new(
        "training.num_episodes",
        Kind::integer(1, 1_000_000_000),
        "Episodes (rollouts) to train on, all samples of a scenario counted. Rounded up to whole \
         steps of prompts_per_step times num_generations.",
    ),
    Key {
        aliases: &["training.num_outer_iterations"],
        ..Key::optional(
            "training.max_steps",
            Kind::integer(1, 1_000_000_000),
            "Steps of the run, each with rollouts of its own. Says the same as num_episodes in \
             other units: the one from the stronger layer counts.",
        )
    },
    Key::new(
        "training.seed",
        Kind::integer(0, i64::MAX),
        "The number that all randomness of the run starts from.",
    ),
    operation(Key::new(
        "training.output_dir",
        Kind::Path,
        "Folder in which every run gets a folder.",
    )),
    operation(Key::optional(
        "training.run_name",
        Kind::LINE,
        "Name of the run and of its folder. Without it, a name is made up.",
    )),
    operation(Key::new(
        "training.overwrite_output_dir",
        Kind::Bool,
        "Replace a run of the same name. Documented as true; false here, because a run that is \
         gone is gone.",
    )),
    operation(Key {
        aliases: &["training.resume"],
        ..Key::optional(
            "training.resume_from_checkpoint",
            Kind::Path,
            "Run folder or checkpoint to go on from.",
        )
    }),
    operation(Key {
        aliases: &["training.save_every"],
        ..Key::new(
            "training.save_steps",
            Kind::integer(0, 1_000_000_000),
            "Steps between checkpoints; 0 keeps only the last.",
        )
    }),
    operation(Key::new(
        "training.save_total_limit",
        Kind::integer(0, 1_000_000),
        "Checkpoints to keep beside the best and the last; 0 keeps all.",
    )),
    operation(Key::new(
        "training.logging_steps",
        Kind::integer(1, 1_000_000_000),
        "Steps between lines of the log. The metrics file has every step.",
    )),
    operation(Key::new("training.disable_tqdm", Kind::Bool, "Show no progress bar.")),
    Key {
        aliases: &["training.eval_every"],
        ..Key::new(
            "training.eval_steps",
            Kind::integer(0, 1_000_000_000),
            "Steps between evaluations; 0 evaluates only where eval_before and run_post_eval say so.",
        )
    },
    Key {
        aliases: &["training.eval_on_start"],
        ..Key::new(
            "training.eval_before",
            Kind::Bool,
            "Evaluate before the first step, so that there is something to compare with.",
        )
    },
    operation(Key::new("training.run_post_eval", Kind::Bool, "Evaluate after the last step.")),
    Key::new(
        "training.early_stopping",
        Kind::Bool,
        "End the run when evaluations no longer get better, and keep the best model.",
    ),
    Key::new(
        "training.patience",
        Kind::integer(1, 1_000_000_000),
        "Steps without a new best evaluation after which early_stopping ends the run.",
    ),
    Key::new(
        "training.min_delta",
        Kind::number_between(0.0, 1e9),
        "What a new best evaluation must exceed the last one by, for early_stopping to count it.",
    ),
    operation(Key::optional(
        "training.threads",
        Kind::integer(1, 4096),
        "Threads to compute with. Without it, all that the machine has. The result is the same.",
    )),
    Key::new(
        "training.max_tokens_per_microbatch",
        Kind::integer(16, 1_000_000_000),
        "Most tokens of one forward and backward pass; memory grows with it. One conversation is \
         never split.",
    ),
    operation(Key::new(
        "training.gradient_checkpointing",
        Kind::Bool,
        "Compute activations a second time in the backward pass: less memory, a third more time, \
         the same result.",
    )),
];

const fn operation(key: Key) -> Key {
    Key { effect: Effect::Operation, ..key }
}
