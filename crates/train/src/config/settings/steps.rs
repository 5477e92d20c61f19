//! How long a run is and how its steps are made up.
//!
//! A step plays `prompts_per_step` scenarios `group_size` times each, and trains on these rollouts
//! `n_iterations` times in `n_minibatches` parts. So a run of n steps has n x prompts x group
//! episodes and n x iterations x mini-batches optimiser steps. The last step is never partial: a
//! number of episodes is rounded up.
//!
//! A step of a preference method is `prompts_per_step` pairs, each trained on once, in groups of one.
//! Without `max_steps` its number of steps is only bounded here: the pairs end the run.

use serde_json::Value;

use super::super::reader::Reader;
use super::algorithm::{AlgorithmSettings, Method};
use super::method_checks;

/// The steps of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepSettings {
    /// Steps of the run, 1 or more.
    pub n_steps: u64,
    /// Scenarios or pairs of a step, 1 or more.
    pub prompts_per_step: usize,
    /// Samples of each scenario, 1 or more; 2 where samples are compared with each other.
    pub group_size: usize,
    /// Times that the rollouts of a step are trained on, 1 or more.
    pub n_iterations: usize,
    /// Equal parts of whole groups, each one optimiser step, that the rollouts are divided into each
    /// time.
    pub n_minibatches: usize,
}

const STEPS: &str = "training.max_steps";
const EPISODES: &str = "training.num_episodes";
const PROMPTS: &str = "training.prompts_per_step";
const BATCH: &str = "training.batch_size";
const PER_DEVICE: &str = "training.per_device_train_batch_size";
const ACCUMULATION: &str = "training.gradient_accumulation_steps";
const GROUP: &str = "training.num_generations";
const MINIBATCHES: &str = "training.num_minibatches";

/// Most steps of a run.
const MAX_STEPS: u64 = 1_000_000_000;

/// Most rollouts of a step; with the limits of the other keys no product of theirs overflows.
const MAX_ROLLOUTS: u64 = 10_000_000;

impl StepSettings {
    /// Episodes of a step.
    pub fn rollouts_per_step(&self) -> usize {
        self.prompts_per_step * self.group_size
    }

    /// Episodes of the run, all samples counted.
    pub fn n_episodes(&self) -> u64 {
        self.n_steps * self.rollouts_per_step() as u64
    }

    /// Optimiser steps of one step.
    pub fn optimiser_steps_per_step(&self) -> usize {
        self.n_iterations * self.n_minibatches
    }

    /// Optimiser steps of the run.
    pub fn n_optimiser_steps(&self) -> u64 {
        self.n_steps * self.optimiser_steps_per_step() as u64
    }

    pub(in super::super) fn resolve(
        reader: &mut Reader,
        algorithm: &AlgorithmSettings,
    ) -> StepSettings {
        let Method::Online(method) = &algorithm.method else { return of_pairs(reader) };
        let group_size = reader.count(GROUP);
        let prompts_per_step = prompts_per_step(reader, group_size);
        let n_rollouts = prompts_per_step * group_size;
        let steps = StepSettings {
            n_steps: n_steps(reader, n_rollouts),
            prompts_per_step: prompts_per_step as usize,
            group_size: group_size as usize,
            n_iterations: reader.size("training.num_iterations"),
            n_minibatches: reader.size(MINIBATCHES),
        };
        check_minibatches(reader, prompts_per_step, steps.n_minibatches as u64);
        method_checks::check_steps(reader, method, &steps);
        steps
    }
}

fn of_pairs(reader: &mut Reader) -> StepSettings {
    StepSettings {
        n_steps: reader.optional_count(STEPS).unwrap_or(MAX_STEPS),
        prompts_per_step: prompts_per_step(reader, 1) as usize,
        group_size: 1,
        n_iterations: 1,
        n_minibatches: 1,
    }
}

/// Scenarios of a step, by whichever key says so; afterwards only `prompts_per_step` does.
fn prompts_per_step(reader: &mut Reader, group_size: u64) -> u64 {
    let strongest = reader.values.strongest(&[PROMPTS, BATCH, PER_DEVICE, ACCUMULATION]);
    let (from, n_prompts, note) = if strongest.contains(&PROMPTS) {
        let n_prompts = reader.optional_count(PROMPTS).unwrap_or(1);
        if strongest.contains(&BATCH) {
            check_batch(reader, n_prompts, group_size);
        }
        warn_of_factors(reader, PROMPTS, n_prompts);
        (PROMPTS, n_prompts, None)
    } else if strongest.contains(&BATCH) {
        let batch = reader.optional_count(BATCH).unwrap_or(1);
        let n_prompts = prompts_of_batch(reader, batch, group_size);
        warn_of_factors(reader, BATCH, n_prompts);
        (BATCH, n_prompts, Some(format!("batch_size {batch} in groups of {group_size}")))
    } else {
        let (per_device, accumulation) = (reader.count(PER_DEVICE), reader.count(ACCUMULATION));
        let note = format!(
            "per_device_train_batch_size {per_device} times gradient_accumulation_steps \
             {accumulation}"
        );
        let from = strongest.first().copied().unwrap_or(PER_DEVICE);
        (from, per_device * accumulation, Some(note))
    };
    let n_prompts = bounded(reader, from, n_prompts, group_size);
    reader.values.derive(PROMPTS, Value::from(n_prompts), from, note);
    for path in [BATCH, PER_DEVICE, ACCUMULATION] {
        reader.values.forget(path);
    }
    n_prompts
}

fn check_batch(reader: &mut Reader, n_prompts: u64, group_size: u64) {
    let batch = reader.optional_count(BATCH).unwrap_or(0);
    let n_rollouts = n_prompts * group_size;
    if batch != n_rollouts {
        let found = format!("{n_prompts} scenarios but {batch} rollouts");
        let allowed = format!("batch_size {n_rollouts}");
        reader.refuse(&[PROMPTS, BATCH], found, allowed, "leave one of them out");
    }
}

fn warn_of_factors(reader: &mut Reader, winner: &str, n_prompts: u64) {
    let product = reader.count(PER_DEVICE) * reader.count(ACCUMULATION);
    for path in [PER_DEVICE, ACCUMULATION] {
        if product != n_prompts && reader.is_own(path) {
            reader.warn(&[path], format!("has no effect beside {winner}"));
        }
    }
}

/// At least one scenario, and no more than make up the largest step.
fn bounded(reader: &mut Reader, from: &'static str, n_prompts: u64, group_size: u64) -> u64 {
    let most = MAX_ROLLOUTS / group_size;
    if n_prompts > most {
        let found = format!("{n_prompts} scenarios of {group_size} samples");
        let allowed = format!("at most {MAX_ROLLOUTS} rollouts a step");
        reader.refuse(&[from, GROUP], found, allowed, "take smaller steps, and more of them");
    }
    n_prompts.clamp(1, most)
}

fn prompts_of_batch(reader: &mut Reader, batch: u64, group_size: u64) -> u64 {
    if !batch.is_multiple_of(group_size) {
        let allowed = format!("a multiple of num_generations, which is {group_size}");
        let hint = "or leave it out and set training.prompts_per_step";
        reader.refuse(&[BATCH, GROUP], format!("{batch} rollouts"), allowed, hint);
        reader.values.distrust(PROMPTS);
    }
    batch / group_size
}

fn n_steps(reader: &mut Reader, n_rollouts: u64) -> u64 {
    let strongest = reader.values.strongest(&[STEPS, EPISODES]);
    let n_episodes = reader.count(EPISODES);
    let of_episodes = n_episodes.div_ceil(n_rollouts);
    let n_steps = match reader.optional_count(STEPS).filter(|_| strongest.contains(&STEPS)) {
        Some(n_steps) => {
            if strongest.contains(&EPISODES) && of_episodes != n_steps {
                let found =
                    format!("{n_steps} steps of {n_rollouts} episodes but {n_episodes} episodes");
                let allowed = format!("num_episodes {}", n_steps * n_rollouts);
                reader.refuse(&[STEPS, EPISODES], found, allowed, "leave one of them out");
            }
            n_steps
        }
        None => {
            if reader.is_own(EPISODES) && !n_episodes.is_multiple_of(n_rollouts) {
                let n_played = of_episodes * n_rollouts;
                let message = format!(
                    "the run has {n_played} episodes: {of_episodes} whole steps of {n_rollouts}"
                );
                reader.warn(&[EPISODES], message);
            }
            let note = Some(format!("num_episodes {n_episodes} in steps of {n_rollouts}"));
            reader.values.derive(STEPS, Value::from(of_episodes), EPISODES, note);
            of_episodes
        }
    };
    reader.values.forget(EPISODES);
    n_steps
}

/// Samples of a scenario are compared with each other, so a mini-batch holds whole groups.
fn check_minibatches(reader: &mut Reader, n_prompts: u64, n_minibatches: u64) {
    let paths = [MINIBATCHES, PROMPTS];
    let found = format!("{n_minibatches} mini-batches of {n_prompts} scenarios");
    if n_minibatches > n_prompts {
        let hint = "a mini-batch holds all samples of one scenario or more";
        reader.refuse(&paths, found, format!("at most {n_prompts}"), hint);
    } else if !n_prompts.is_multiple_of(n_minibatches) {
        let hint = "mini-batches are equally large";
        reader.refuse(&paths, found, format!("a divisor of {n_prompts}"), hint);
    }
}
