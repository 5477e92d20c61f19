//! The closed set of things that happen in a run.
//!
//! Trainers emit these and never print. Steps count from 1 to the run's number of steps; a thing that
//! happens before the first step belongs to step 0.

use std::collections::BTreeMap;
use std::path::PathBuf;

use stateset_algo::{Adjustment, Finding};
use stateset_core::{RolloutError, Trajectory, TrajectoryId};

use super::{EvaluationSummary, RunSummary};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The run begins, or goes on after a stop.
    RunStarted(RunStart),
    /// The run turns to another kind of work inside `step`.
    PhaseChanged {
        /// The step under way.
        step: u32,
        /// The work that begins.
        phase: Phase,
    },
    /// More rollouts of the batch under way are done.
    RolloutProgress {
        /// Done so far.
        done: usize,
        /// In the batch.
        total: usize,
    },
    /// One episode is over and judged.
    RolloutFinished(RolloutOutcome),
    /// One optimisation step is over.
    StepFinished {
        /// The step, from 1.
        step: u32,
        /// Steps of the whole run.
        of: u32,
        /// Numbers by name; see [`crate::metric`].
        metrics: BTreeMap<String, f64>,
        /// Wall time of the step.
        secs: f64,
    },
    /// Held-out conversations were played and judged.
    EvaluationFinished {
        /// Which evaluation, such as `before`, `after` or `held_out`.
        name: String,
        /// Steps trained so far.
        step: u32,
        /// What came out.
        summary: EvaluationSummary,
    },
    /// A checkpoint is safe on disk.
    CheckpointSaved {
        /// Its folder.
        path: PathBuf,
        /// Steps trained so far.
        step: u32,
        /// Whether it is the best so far.
        is_best: bool,
    },
    /// Something a person should know; the run goes on.
    Warning {
        /// A sentence.
        text: String,
    },
    /// A watched number crossed a limit, or got worse. A [`Event::Warning`] in words goes before it.
    HealthFound {
        /// The step it was found in.
        step: u32,
        /// What was found, and what to do.
        finding: Finding,
    },
    /// A setting changed by itself and has its new value from the next step on.
    SettingAdjusted(Adjustment),
    /// The run is over.
    RunFinished(RunSummary),
}

impl Event {
    /// What is found of a run's health, as a warning; `None` for every other event.
    pub(crate) fn as_warning(&self) -> Option<Event> {
        let Event::HealthFound { finding, .. } = self else { return None };
        let Finding { signal, value, threshold, meaning, advice, .. } = finding;
        let mut text = format!("{signal} is {value:.4} (limit {threshold:.4}): {meaning}");
        if !advice.is_empty() {
            text += &format!("; {advice}");
        }
        Some(Event::Warning { text })
    }
}

/// How a run begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunStart {
    /// Name of the run.
    pub run_name: String,
    /// Name of the algorithm, such as `grpo`.
    pub algorithm: String,
    /// Name or path of the model.
    pub model: String,
    /// Name of the environment.
    pub environment: String,
    /// Steps of the whole run.
    pub n_steps: u32,
    /// Step of the checkpoint it goes on from; `None` for a new run.
    pub resumed_step: Option<u32>,
    /// The run's seed.
    pub seed: u64,
    /// Parameters of the model.
    pub n_parameters: u64,
    /// Parameters that are trained.
    pub n_trained_parameters: u64,
    /// What the run will need of memory, in words.
    pub memory_plan: String,
}

/// The work inside a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Playing episodes.
    Sampling,
    /// Updating weights.
    Training,
    /// Playing held-out episodes.
    Evaluating,
    /// Writing a checkpoint.
    Saving,
}

impl Phase {
    /// Lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Sampling => "sampling",
            Phase::Training => "training",
            Phase::Evaluating => "evaluating",
            Phase::Saving => "saving",
        }
    }
}

/// One finished episode in figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RolloutOutcome {
    /// Where in the run it belongs.
    pub id: TrajectoryId,
    /// The scenario played.
    pub scenario_id: String,
    /// Total reward; `None` where failed or unscorable.
    pub reward: Option<f64>,
    /// Turns the agent took.
    pub n_turns: usize,
    /// Tokens it sampled.
    pub n_tokens: usize,
    /// Why it ended early, if it did.
    pub error: Option<RolloutError>,
}

impl From<&Trajectory> for RolloutOutcome {
    fn from(trajectory: &Trajectory) -> Self {
        RolloutOutcome {
            id: trajectory.id,
            scenario_id: trajectory.scenario_id.clone(),
            reward: trajectory.reward(),
            n_turns: trajectory.assistant_texts().count(),
            n_tokens: trajectory.turns.iter().map(|turn| turn.n_tokens).sum(),
            error: trajectory.error.clone(),
        }
    }
}
