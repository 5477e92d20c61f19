//! Everything a report is made of, read from a run folder.
//!
//! A report is wanted most where something went wrong, so nothing here is an error: a file that is
//! missing or cannot be read becomes a note, and the rest is shown.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;

use stateset_core::Trajectory;

use crate::{
    EvaluationSummary, EventLine, EventRecord, HealthRecord, MetricsRow, RunError, RunFolder,
    RunStartRecord, RunSummary, read_conversations, read_events, read_metrics,
};

/// What lies in a run folder.
#[derive(Debug, Default)]
pub(super) struct RunData {
    /// The resolved configuration as text.
    pub(super) config: Option<String>,
    /// How the run began, the last time it did.
    pub(super) start: Option<RunStartRecord>,
    /// Checkpoints from which it went on.
    pub(super) resumed_steps: Vec<u32>,
    /// One row for each step, in order.
    pub(super) metrics: Vec<MetricsRow>,
    /// All evaluations in order of steps; of one that was played twice, the later.
    pub(super) evaluations: Vec<Evaluation>,
    /// What was found of the run's health, and which settings changed, in order.
    pub(super) health: Vec<HealthNote>,
    /// Warnings by step and text, with how often they came.
    pub(super) warnings: Vec<Warning>,
    /// Held-out conversations before training.
    pub(super) before: Vec<Trajectory>,
    /// Held-out conversations after training.
    pub(super) after: Vec<Trajectory>,
    /// Figures of the whole run; `None` where it is not finished.
    pub(super) summary: Option<RunSummary>,
    /// What could not be read, as sentences.
    pub(super) problems: Vec<String>,
}

/// One evaluation.
#[derive(Clone, Debug)]
pub(super) struct Evaluation {
    pub(super) name: String,
    pub(super) step: u32,
    pub(super) summary: EvaluationSummary,
}

/// One warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    /// Step of the first time.
    pub(super) step: u32,
    pub(super) text: String,
    /// How often it came.
    pub(super) n_times: usize,
}

/// Something found of the run's health, or done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HealthNote {
    /// A number crossed a limit.
    Found {
        /// The step.
        step: u32,
        /// `warn` or `act`.
        level: String,
        /// The number and what it means.
        text: String,
        /// What to do.
        advice: String,
    },
    /// A setting changed by itself.
    Adjusted {
        /// All of it in words.
        text: String,
    },
}

impl RunData {
    /// Reads `run`.
    pub(super) fn load(run: &RunFolder) -> RunData {
        let mut data = RunData::default();
        data.config = data.text(run);
        data.take_figures(run);
        let before = read_conversations(run, RunFolder::BEFORE);
        data.before = data.noted(before).unwrap_or_default();
        let after = read_conversations(run, RunFolder::AFTER);
        data.after = data.noted(after).unwrap_or_default();
        let summary = RunSummary::read(run);
        data.summary = data.noted(summary);
        data
    }

    /// Reads what charts are made of: events and metrics, no conversations.
    pub(super) fn figures(run: &RunFolder) -> RunData {
        let mut data = RunData::default();
        data.take_figures(run);
        data
    }

    fn take_figures(&mut self, run: &RunFolder) {
        let events = read_events(&run.events());
        let events = self.noted(events);
        self.take_events(events);
        let metrics = read_metrics(&run.metrics());
        self.metrics = self.noted(metrics);
    }

    /// The evaluation `name`.
    pub(super) fn evaluation(&self, name: &str) -> Option<&Evaluation> {
        self.evaluations.iter().rev().find(|evaluation| evaluation.name == name)
    }

    /// Steps done so far.
    pub(super) fn last_step(&self) -> u32 {
        let from_summary = self.summary.as_ref().map(|summary| summary.n_steps);
        from_summary.unwrap_or_else(|| self.metrics.iter().map(|row| row.step).max().unwrap_or(0))
    }

    fn noted<T: Default>(&mut self, read: Result<T, RunError>) -> T {
        read.unwrap_or_else(|error| {
            self.problems.push(format!("Failed to {error}."));
            T::default()
        })
    }

    fn text(&mut self, run: &RunFolder) -> Option<String> {
        match fs::read(run.config()) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => self.noted(Err(RunError::io("read", &run.config())(error))),
        }
    }

    fn take_events(&mut self, lines: Vec<EventLine>) {
        let mut evaluations = BTreeMap::new();
        for EventLine { at_step, event, .. } in lines {
            match event {
                EventRecord::RunStarted(start) => {
                    self.resumed_steps.extend(start.resumed_step);
                    self.start = Some(start);
                }
                EventRecord::EvaluationFinished { name, step, summary } => {
                    evaluations.insert((step, name), summary.into());
                }
                EventRecord::Warning { text } => self.take_warning(at_step, text),
                EventRecord::HealthFound(found) => self.take_finding(found),
                EventRecord::SettingAdjusted(change) => {
                    self.health.push(HealthNote::Adjusted { text: change.text });
                }
                _ => {}
            }
        }
        let evaluation = |((step, name), summary)| Evaluation { name, step, summary };
        self.evaluations = evaluations.into_iter().map(evaluation).collect();
    }

    /// Its warning, which went before it, need not be told a second time.
    fn take_finding(&mut self, found: HealthRecord) {
        if let Some(index) = self.warnings.iter().position(|told| told.text == found.text) {
            self.warnings.remove(index);
        }
        let number =
            |value: Option<f64>| value.map_or("not finite".to_owned(), |v| format!("{v:.4}"));
        let HealthRecord { step, level, signal, value, threshold, meaning, advice, .. } = found;
        let limit = threshold.map_or_else(String::new, |limit| format!(" (limit {limit:.4})"));
        let text = format!("{signal} {}{limit}: {meaning}", number(value));
        self.health.push(HealthNote::Found { step, level, text, advice });
    }

    fn take_warning(&mut self, step: u32, text: String) {
        match self.warnings.iter_mut().find(|warning| warning.text == text) {
            Some(warning) => warning.n_times += 1,
            None => self.warnings.push(Warning { step, text, n_times: 1 }),
        }
    }
}
