//! Writes what happens in a run into the database.
//!
//! The run tells a bounded channel and never waits: training must not stand still because a database is
//! away. Everything is in the run folder as well.

use std::time::Duration;

use serde_json::{Map, Value, json};
use stateset_train::{Event, Sink};
use tokio::sync::{mpsc, watch};

use crate::store::{JobRow, Progress, Store, StoreError};

/// Events that may wait for the database.
const MAX_WAITING: usize = 4096;

/// Pause before the database is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Something to be written.
#[derive(Debug)]
pub(super) struct Note {
    step: i64,
    kind: &'static str,
    body: Value,
    progress: Option<Progress>,
}

/// Hears what happens in a run.
pub(super) struct Teller {
    notes: mpsc::Sender<Note>,
    episodes_per_step: i64,
    step: i64,
}

/// A teller, and what it tells.
pub(super) fn channel() -> (Teller, mpsc::Receiver<Note>) {
    let (notes, heard) = mpsc::channel(MAX_WAITING);
    (Teller { notes, episodes_per_step: 0, step: 0 }, heard)
}

impl Sink for Teller {
    fn handle(&mut self, event: &Event) {
        if let Some(note) = self.note(event)
            && let Err(error) = self.notes.try_send(note)
        {
            tracing::warn!(%error, "an event of a job is not in the database; its run folder has it");
        }
    }
}

impl Teller {
    /// The same, for steps of so many episodes.
    pub(super) fn with_episodes_per_step(self, n: i64) -> Teller {
        Teller { episodes_per_step: n, ..self }
    }

    fn note(&mut self, event: &Event) -> Option<Note> {
        let (kind, body, progress) = match event {
            Event::RunStarted(start) => {
                self.step = i64::from(start.resumed_step.unwrap_or(0));
                let body = json!({
                    "algorithm": start.algorithm, "model": start.model,
                    "environment": start.environment, "n_steps": start.n_steps,
                    "resumed_step": start.resumed_step, "n_parameters": start.n_parameters,
                    "n_trained_parameters": start.n_trained_parameters,
                });
                ("started", body, None)
            }
            Event::StepFinished { step, of, metrics, secs } => {
                self.step = i64::from(*step);
                let metrics: Map<String, Value> =
                    metrics.iter().map(|(name, value)| (name.clone(), (*value).into())).collect();
                let progress = Progress {
                    step: self.step,
                    n_steps: i64::from(*of),
                    n_episodes: self.step * self.episodes_per_step,
                    metrics: metrics.clone().into(),
                };
                ("step", json!({"secs": secs, "metrics": metrics}), Some(progress))
            }
            Event::EvaluationFinished { name, summary, .. } => {
                let reward = summary.reward.map(|reward| {
                    json!({"mean": reward.estimate, "low": reward.low, "high": reward.high})
                });
                let body = json!({
                    "name": name, "reward": reward, "n_episodes": summary.n_episodes,
                    "mean_turns": summary.mean_turns, "n_failed": summary.n_failed,
                });
                ("evaluation", body, None)
            }
            Event::CheckpointSaved { path, is_best, .. } => {
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                ("checkpoint", json!({"name": name, "is_best": is_best}), None)
            }
            Event::Warning { text } => ("warning", json!({"text": text}), None),
            _ => return None,
        };
        Some(Note { step: self.step, kind, body, progress })
    }
}

/// Writes notes until the run is over. A database that is away or full is waited for, until the process is
/// to end.
pub(super) async fn record(
    store: Store,
    job: JobRow,
    mut notes: mpsc::Receiver<Note>,
    mut stopping: watch::Receiver<bool>,
) {
    while let Some(note) = notes.recv().await {
        let write = || write(&store, &job.id, &job.owner, &note);
        if let Err(error) = patiently(&mut stopping, write).await {
            tracing::warn!(%error, job = job.id, "an event of a job is not in the database");
            if may_pass(&error) {
                return;
            }
        }
    }
}

async fn write(store: &Store, id: &str, owner: &str, note: &Note) -> Result<(), StoreError> {
    if note.kind == "started" {
        store.forget_events_after(id, note.step).await?;
    }
    if let Some(progress) = &note.progress
        && !store.write_progress(id, owner, progress).await?
    {
        // The lease is lost: somebody else writes about this job now.
        return Ok(());
    }
    store.add_event(id, note.step, note.kind, &note.body).await
}

/// Does it again and again while the database is away or full. A process that is to end tries once: what
/// it held ends by itself.
pub(super) async fn patiently<T, F>(
    stopping: &mut watch::Receiver<bool>,
    mut attempt: impl FnMut() -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        let error = match attempt().await {
            Err(error) if may_pass(&error) => error,
            other => return other,
        };
        tracing::warn!(%error, "the database cannot be written; trying again");
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return Err(error),
        }
    }
}

fn may_pass(error: &StoreError) -> bool {
    match error {
        StoreError::Unavailable(error) => !matches!(error, sqlx::Error::PoolClosed),
        StoreError::Full(_) => true,
        _ => false,
    }
}
