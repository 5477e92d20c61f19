//! A user's own code at the documented points of a run.
//!
//! Hooks do nothing unless overridden. A callback sees figures, never the weights or the loss, so it
//! cannot change what a run computes, only end it.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{EvaluationSummary, Event, RolloutOutcome, RunStart, RunSummary};

/// Whether the run goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// It goes on.
    #[default]
    Continue,
    /// It ends well, after the step under way: last evaluation, final checkpoint, summary.
    Stop,
}

impl Flow {
    /// Stop if either says so.
    pub fn or(self, other: Flow) -> Flow {
        if self == Flow::Stop { Flow::Stop } else { other }
    }
}

/// Hooks of a run. They run on the training thread: what is slow here slows the run down.
pub trait Callback: Send {
    /// The run begins, or goes on after a stop.
    fn on_train_start(&mut self, _start: &RunStart) {}

    /// One training episode is over and judged.
    fn on_episode_end(&mut self, _episode: &RolloutOutcome) {}

    /// One optimisation step is over.
    fn on_step_end(&mut self, _step: u32, _metrics: &BTreeMap<String, f64>) -> Flow {
        Flow::Continue
    }

    /// Held-out conversations were played and judged after `step` steps.
    fn on_evaluation_end(&mut self, _name: &str, _step: u32, _summary: &EvaluationSummary) -> Flow {
        Flow::Continue
    }

    /// A checkpoint is safe on disk.
    fn on_checkpoint_saved(&mut self, _path: &Path, _step: u32, _is_best: bool) {}

    /// The run is over.
    fn on_train_end(&mut self, _summary: &RunSummary) {}
}

/// Calls the hook that `event` belongs to, if there is one.
pub(crate) fn call(callback: &mut dyn Callback, event: &Event) -> Flow {
    match event {
        Event::RunStarted(start) => callback.on_train_start(start),
        Event::RolloutFinished(outcome) => callback.on_episode_end(outcome),
        Event::StepFinished { step, metrics, .. } => return callback.on_step_end(*step, metrics),
        Event::EvaluationFinished { name, step, summary } => {
            return callback.on_evaluation_end(name, *step, summary);
        }
        Event::CheckpointSaved { path, step, is_best } => {
            callback.on_checkpoint_saved(path, *step, *is_best);
        }
        Event::RunFinished(summary) => callback.on_train_end(summary),
        Event::PhaseChanged { .. }
        | Event::RolloutProgress { .. }
        | Event::Warning { .. }
        | Event::HealthFound { .. }
        | Event::SettingAdjusted(_) => {}
    }
    Flow::Continue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Recorder(Vec<&'static str>);

    impl Callback for Recorder {
        fn on_train_start(&mut self, _: &RunStart) {
            self.0.push("on_train_start");
        }
        fn on_episode_end(&mut self, _: &RolloutOutcome) {
            self.0.push("on_episode_end");
        }
        fn on_step_end(&mut self, _: u32, _: &BTreeMap<String, f64>) -> Flow {
            self.0.push("on_step_end");
            Flow::Stop
        }
        fn on_evaluation_end(&mut self, _: &str, _: u32, _: &EvaluationSummary) -> Flow {
            self.0.push("on_evaluation_end");
            Flow::Stop
        }
        fn on_checkpoint_saved(&mut self, _: &Path, _: u32, _: bool) {
            self.0.push("on_checkpoint_saved");
        }
        fn on_train_end(&mut self, _: &RunSummary) {
            self.0.push("on_train_end");
        }
    }

    struct Idle;
    impl Callback for Idle {}

    #[test]
    fn every_hook_hears_its_event_and_only_two_can_stop() {
        let events = [
            (Event::RunStarted(RunStart::default()), Flow::Continue),
            (Event::PhaseChanged { step: 1, phase: crate::Phase::Sampling }, Flow::Continue),
            (Event::RolloutProgress { done: 1, total: 1 }, Flow::Continue),
            (Event::RolloutFinished(RolloutOutcome::default()), Flow::Continue),
            (
                Event::StepFinished { step: 1, of: 1, metrics: BTreeMap::new(), secs: 0.0 },
                Flow::Stop,
            ),
            (
                Event::EvaluationFinished {
                    name: "a".into(),
                    step: 1,
                    summary: Default::default(),
                },
                Flow::Stop,
            ),
            (Event::CheckpointSaved { path: "c".into(), step: 1, is_best: false }, Flow::Continue),
            (Event::Warning { text: "w".into() }, Flow::Continue),
            (Event::RunFinished(RunSummary::default()), Flow::Continue),
        ];
        let mut recorder = Recorder::default();
        for (event, wanted) in &events {
            assert_eq!(call(&mut recorder, event), *wanted, "{event:?}");
            assert_eq!(call(&mut Idle, event), Flow::Continue, "{event:?}");
        }
        assert_eq!(
            recorder.0,
            [
                "on_train_start",
                "on_episode_end",
                "on_step_end",
                "on_evaluation_end",
                "on_checkpoint_saved",
                "on_train_end"
            ]
        );
    }
}
