//! `events.jsonl`: what happened in a run apart from its steps and rollouts.
//!
//! Starts, evaluations, checkpoints, warnings and the end are few; the report is drawn from them, and a
//! resumed run finds its earlier evaluations here. Steps have `metrics.jsonl`, rollouts the journals.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::lines::{LineFile, Stopwatch, read_rows};
use crate::events::newer_schema;
use crate::{EVENT_SCHEMA_VERSION, Event, EventRecord, RunError, Sink};

/// Writes `events.jsonl`.
#[derive(Debug)]
pub struct EventLog {
    file: LineFile,
    stopwatch: Stopwatch,
    step_under_way: u32,
}

/// One line of `events.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventLine {
    /// Layout of this line.
    pub schema_version: u32,
    /// Step under way, or trained so far where none was.
    pub at_step: u32,
    /// Wall time since the start of the run.
    pub wall_secs: f64,
    /// What happened.
    pub event: EventRecord,
}

impl EventLog {
    /// Opens the file at `path`. A new run (`None`) begins an empty file; a run that goes on from the
    /// checkpoint of a step keeps what belongs to the steps up to that one.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn open(path: &Path, resumed_step: Option<u32>) -> Result<EventLog, RunError> {
        let mut secs_before = 0.0f64;
        let file = LineFile::open(path, |line| {
            let line: Option<EventLine> = serde_json::from_str(line).ok();
            let kept = line.filter(|line| resumed_step.is_some_and(|step| line.at_step <= step));
            secs_before = kept.as_ref().map_or(secs_before, |line| secs_before.max(line.wall_secs));
            kept.is_some()
        })?;
        let step_under_way = resumed_step.unwrap_or(0);
        Ok(EventLog { file, stopwatch: Stopwatch::resume(secs_before), step_under_way })
    }

    /// Where the event belongs; moves on where a step begins or ends.
    fn place(&mut self, event: &Event) -> u32 {
        match event {
            Event::PhaseChanged { step, .. } | Event::StepFinished { step, .. } => {
                self.step_under_way = *step;
                *step
            }
            Event::EvaluationFinished { step, .. }
            | Event::CheckpointSaved { step, .. }
            | Event::HealthFound { step, .. } => *step,
            _ => self.step_under_way,
        }
    }
}

impl Sink for EventLog {
    fn handle(&mut self, event: &Event) {
        let at_step = self.place(event);
        if is_frequent(event) {
            return;
        }
        let line = EventLine {
            schema_version: EVENT_SCHEMA_VERSION,
            at_step,
            wall_secs: self.stopwatch.secs(),
            event: event.into(),
        };
        if let Err(error) = self.file.append(&line) {
            tracing::warn!("an event is missing from the log: failed to {error}");
        }
    }
}

/// Reads `events.jsonl`. A last line that is not finished yet is passed over; a file that is not there
/// has no lines.
///
/// # Errors
/// Where the file cannot be read or a line is no event.
pub fn read_events(path: &Path) -> Result<Vec<EventLine>, RunError> {
    let lines: Vec<EventLine> = read_rows(path)?;
    if let Some(index) = lines.iter().position(|line| line.schema_version > EVENT_SCHEMA_VERSION) {
        let reason = newer_schema(lines[index].schema_version);
        return Err(RunError::Line { path: path.to_owned(), line: index + 1, reason });
    }
    Ok(lines)
}

fn is_frequent(event: &Event) -> bool {
    matches!(
        event,
        Event::PhaseChanged { .. }
            | Event::RolloutProgress { .. }
            | Event::RolloutFinished(_)
            | Event::StepFinished { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EvaluationSummary, Phase, RunStart};

    fn warning(text: &str) -> Event {
        Event::Warning { text: text.into() }
    }

    fn evaluation(step: u32) -> Event {
        let summary = EvaluationSummary::default();
        Event::EvaluationFinished { name: "held_out".into(), step, summary }
    }

    fn step(step: u32) -> Event {
        Event::StepFinished { step, of: 3, metrics: Default::default(), secs: 0.0 }
    }

    /// A warning inside step 2 belongs to step 2, so a run that goes on from step 1 will say it again.
    #[test]
    fn resuming_keeps_what_the_checkpoint_knew() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("events.jsonl");
        let mut log = EventLog::open(&path, None).unwrap();
        for event in [
            Event::RunStarted(RunStart::default()),
            warning("in step 0"),
            Event::PhaseChanged { step: 1, phase: Phase::Sampling },
            step(1),
            evaluation(1),
            Event::PhaseChanged { step: 2, phase: Phase::Sampling },
            warning("in step 2"),
            step(2),
            evaluation(2),
        ] {
            log.handle(&event);
        }
        drop(log);
        assert_eq!(read_events(&path).unwrap().len(), 5);

        let mut log = EventLog::open(&path, Some(1)).unwrap();
        log.handle(&Event::RunStarted(RunStart { resumed_step: Some(1), ..RunStart::default() }));
        let lines = read_events(&path).unwrap();
        assert_eq!(lines.iter().map(|line| line.at_step).collect::<Vec<_>>(), [0, 0, 1, 1]);
        assert!(matches!(&lines[3].event, EventRecord::RunStarted(s) if s.resumed_step == Some(1)));
    }

    #[test]
    fn a_newer_line_is_refused_by_name() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("events.jsonl");
        let line = r#"{"schema_version":7,"at_step":0,"wall_secs":0,"event":{"kind":"warning","text":"w"}}"#;
        std::fs::write(&path, format!("{line}\n")).unwrap();
        let error = read_events(&path).unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains("schema 7"), "{error}");
    }
}
