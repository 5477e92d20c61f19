//! The optimiser, its schedule, and the weights it moves.

use stateset_algo::{Schedule, ScheduleShape, warmup_steps_from_ratio};

use super::super::reader::Reader;
use super::steps::StepSettings;

/// AdamW.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimiserSettings {
    /// Peak learning rate.
    pub learning_rate: f64,
    /// What it is multiplied with at each optimiser step.
    pub schedule: Schedule,
    /// Share of the steps that the warm-up takes; `None` where it was given as a number of steps.
    pub warmup_ratio: Option<f64>,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Gradients are scaled down to this L2 norm; infinite for never.
    pub max_grad_norm: f64,
}

/// Low-rank adapters.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterSettings {
    /// Rank.
    pub rank: usize,
    /// Numerator of the scale.
    pub alpha: f64,
    /// The scale is alpha over the root of the rank instead of the rank.
    pub is_rank_stabilised: bool,
    /// Last parts of the names of the maps that get one; all linear maps of the layers where empty.
    pub targets: Vec<String>,
}

const LEARNING_RATE: &str = "training.learning_rate";
const SHAPE: &str = "training.lr_scheduler_type";
const WARMUP_STEPS: &str = "training.warmup_steps";
const WARMUP_RATIO: &str = "training.warmup_ratio";

impl OptimiserSettings {
    /// The schedule of a run that turns out to have so many optimiser steps.
    pub fn schedule_over(&self, total_steps: u64) -> Schedule {
        let warmup_steps = match self.warmup_ratio {
            Some(ratio) => warmup_steps_from_ratio(total_steps, ratio),
            None => self.schedule.warmup_steps.min(total_steps),
        };
        Schedule { warmup_steps, total_steps, ..self.schedule }
    }

    pub(in super::super) fn resolve(reader: &mut Reader, steps: &StepSettings) -> Self {
        let learning_rate = reader.number(LEARNING_RATE);
        if !(1e-7..=1e-2).contains(&learning_rate) {
            reader.warn(&[LEARNING_RATE], "1e-7 to 1e-2 is usual");
        }
        let max_grad_norm = reader.number("training.max_grad_norm");
        OptimiserSettings {
            learning_rate,
            schedule: schedule(reader, steps.n_optimiser_steps()),
            // Forgotten where steps count.
            warmup_ratio: reader.optional_number(WARMUP_RATIO),
            beta1: reader.number("training.adam_beta1"),
            beta2: reader.number("training.adam_beta2"),
            epsilon: reader.number("training.adam_epsilon"),
            weight_decay: reader.number("training.weight_decay"),
            max_grad_norm: if max_grad_norm == 0.0 { f64::INFINITY } else { max_grad_norm },
        }
    }
}

impl AdapterSettings {
    /// The adapters; `None` where all weights are trained.
    pub(in super::super) fn resolve(reader: &mut Reader) -> Option<AdapterSettings> {
        let paths = ["agent.peft_path", "training.use_lora"];
        let trains_adapters = reader.bool("training.use_lora");
        if !trains_adapters && reader.optional_path("agent.peft_path").is_some() {
            let hint = "merge the adapter into the model first, or train adapters";
            let found = "an adapter on a model whose weights are all trained";
            reader.refuse(&paths, found, "use_lora true with peft_path", hint);
        }
        let mut targets = reader.texts("training.lora_target_modules");
        targets.retain(|target| target != "all-linear");
        let adapters = AdapterSettings {
            rank: reader.size("training.lora_r"),
            alpha: reader.number("training.lora_alpha"),
            is_rank_stabilised: reader.bool("training.use_rslora"),
            targets,
        };
        trains_adapters.then_some(adapters)
    }
}

fn schedule(reader: &mut Reader, total_steps: u64) -> Schedule {
    // The key's choices are the names of the shapes, so there always is one.
    let shape = ScheduleShape::from_name(reader.text(SHAPE)).unwrap_or(ScheduleShape::Constant);
    let strongest = reader.values.strongest(&[WARMUP_STEPS, WARMUP_RATIO]);
    if strongest.len() > 1 {
        let hint = "leave one of them out";
        reader.refuse(&strongest, "both", "one of them", hint);
    }
    let ratio = reader.number(WARMUP_RATIO);
    let by_steps = reader.optional_count(WARMUP_STEPS);
    let warmup_steps = match by_steps.filter(|_| strongest.contains(&WARMUP_STEPS)) {
        Some(warmup_steps) => {
            reader.values.forget(WARMUP_RATIO);
            warmup_steps
        }
        None => {
            reader.values.forget(WARMUP_STEPS);
            warmup_steps_from_ratio(total_steps, ratio)
        }
    };
    for path in strongest {
        if shape == ScheduleShape::Constant && reader.is_own(path) && warmup_steps > 0 {
            reader.warn(&[path], "has no effect with constant; constant_with_warmup has one");
        }
    }
    let schedule = Schedule { shape, warmup_steps, total_steps };
    for problem in schedule.validate() {
        let found = format!("{warmup_steps} of {total_steps} optimiser steps");
        reader.refuse(&[WARMUP_STEPS], found, "at most all of them", problem.hint);
    }
    schedule
}
