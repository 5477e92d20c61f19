//! Working on jobs: one after another, each on a thread of its own.
//!
//! While a job trains, its lease is renewed. A lease that cannot be renewed for its whole length counts as
//! lost: the run is stopped, for another process may go on with it. The lock of the run folder keeps two
//! of them apart even then. A job whose disk is full goes back into the queue and is tried again, from its
//! last whole checkpoint, until there is room.

use std::any::Any;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use stateset_train::{RunError, StopSignal, TrainError, TrainedRun};
use tokio::sync::oneshot;

use super::jobs::Inner;
use super::prepare::{Described, Refusal};
use super::recorder::{self, Teller, patiently};
use crate::ServeError;
use crate::api_error::is_full_disk;
use crate::gateway::Sessions;
use crate::models::Library;
use crate::observe::DiskProbe;
use crate::store::{JobRow, JobState, StoreError};

/// Times that a process may die in a job without a step being done, before the job counts as failed.
const MAX_ATTEMPTS: i64 = 5;

/// Works on jobs until the process is to end.
pub(super) async fn work(inner: Arc<Inner>) {
    let mut stopping = inner.stopping.subscribe();
    while !*stopping.borrow_and_update() {
        match claim(&inner).await {
            Ok(Some(job)) => train(&inner, job).await,
            Ok(None) => rest(&inner, &mut stopping).await,
            Err(error) => {
                tracing::warn!(%error, "jobs cannot be looked for");
                rest(&inner, &mut stopping).await;
            }
        }
    }
}

async fn rest(inner: &Inner, stopping: &mut tokio::sync::watch::Receiver<bool>) {
    tokio::select! {
        () = inner.wake.notified() => {}
        () = tokio::time::sleep(inner.settings.poll) => {}
        _ = stopping.changed() => {}
    }
}

/// Leases the oldest job that nobody works on and whose run folder can be reached from here.
async fn claim(inner: &Inner) -> Result<Option<JobRow>, StoreError> {
    let (store, lease) = (&inner.store, inner.settings.lease_millis());
    for (id, run_dir, has_begun) in store.free_jobs().await? {
        if has_begun && !Path::new(&run_dir).is_dir() {
            tracing::debug!(job = id, run_dir, "left to a process that reaches its run folder");
            continue;
        }
        if let Some(job) = store.lease_job(&id, &store.new_id("lease"), lease).await? {
            return Ok(Some(job));
        }
    }
    Ok(None)
}

/// How the work on a job ended.
enum Ended {
    /// Every step was done, or the run ended itself.
    Completed(Value),
    /// It was stopped and saved.
    Stopped(Value),
    /// Its folder is held by somebody else.
    Busy,
    /// Its disk takes nothing; it goes on by itself once there is room.
    Paused(String),
    Failed(String),
}

impl Ended {
    /// The end for this reason, which is told as `text`.
    fn by(text: String, reason: &(dyn Error + 'static)) -> Ended {
        match is_full_disk(reason) {
            true => Ended::Paused(format!("paused until the disk has room: {text}")),
            false => Ended::Failed(text),
        }
    }
}

async fn train(inner: &Arc<Inner>, job: JobRow) {
    if job.attempts > MAX_ATTEMPTS {
        let text = format!(
            "{MAX_ATTEMPTS} processes ended while they worked on it, and none of them did a step"
        );
        return finish(inner, &job, Ended::Failed(text)).await;
    }
    if job.is_cancel_asked {
        // Its last process died before it could stop.
        return finish(inner, &job, Ended::Stopped(json!({}))).await;
    }
    let described = match inner.described(&job) {
        Ok(described) => described,
        Err(text) => return finish(inner, &job, Ended::Failed(text)).await,
    };
    // Until the end is written, so that whoever waits for a sample is told of the end.
    let _open = described.gateway.as_ref().and_then(|wish| wish.open(&job.id, &inner.sessions));
    tracing::info!(job = job.id, attempt = job.attempts, "a training begins or goes on");
    let stop = StopSignal::default();
    let (says, ended) = oneshot::channel();
    let (teller, notes) = recorder::channel();
    let (store, stopping) = (inner.store.clone(), inner.stopping.subscribe());
    let recorder = tokio::spawn(recorder::record(store, job.clone(), notes, stopping));
    let (library, sessions) = (inner.library.clone(), inner.sessions.clone());
    let signal = stop.clone();
    let thread = std::thread::Builder::new().name("training-job".to_owned());
    let started = thread.spawn(move || {
        let ended = run(&library, &sessions, &described, signal, teller);
        // Nobody listens where the runtime is gone already.
        says.send(ended).ok();
    });
    let ended = match started {
        Ok(thread) => {
            let ended = attend(inner, &job, &stop, ended).await;
            ended.unwrap_or_else(|| Ended::Failed(panic_text(thread.join())))
        }
        Err(error) => Ended::Failed(format!("no thread could be started: {error}")),
    };
    if let Err(error) = recorder.await {
        tracing::error!(%error, job = job.id, "the writer of a job's events ended by itself");
    }
    finish(inner, &job, ended).await;
}

fn panic_text(joined: Result<(), Box<dyn Any + Send>>) -> String {
    let panic = joined.err();
    let text = panic.as_ref().and_then(|panic| {
        panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied())
    });
    format!("the trainer broke: {}", text.unwrap_or("no message"))
}

/// Renews the lease and passes on wishes to end, until the run is over. `None` where its thread broke.
async fn attend(
    inner: &Inner,
    job: &JobRow,
    stop: &StopSignal,
    mut ended: oneshot::Receiver<Ended>,
) -> Option<Ended> {
    let mut stopping = inner.stopping.subscribe();
    let mut cancelled = inner.cancelled.subscribe();
    let mut renewed = Instant::now();
    loop {
        if *stopping.borrow_and_update() {
            stop.stop();
        }
        tokio::select! {
            ended = &mut ended => return ended.ok(),
            _ = cancelled.changed() => {}
            () = tokio::time::sleep(inner.settings.lease / 3) => {}
            _ = stopping.changed() => continue,
        }
        let lease = inner.settings.lease_millis();
        match inner.store.renew_lease(&job.id, &job.owner, lease).await {
            Ok(Some(is_cancel_asked)) => {
                renewed = Instant::now();
                if is_cancel_asked {
                    stop.stop();
                }
            }
            Ok(None) => {
                tracing::warn!(job = job.id, "another process has this training now");
                stop.stop();
            }
            Err(error) if renewed.elapsed() > inner.settings.lease => {
                tracing::warn!(%error, job = job.id, "the lease ran out while the database was away");
                stop.stop();
            }
            Err(error) => tracing::warn!(%error, job = job.id, "a lease could not be renewed"),
        }
    }
}

/// The run itself, on a thread that may block.
fn run(
    library: &Library,
    sessions: &Sessions,
    described: &Described,
    stop: StopSignal,
    teller: Teller,
) -> Ended {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Ended::Failed(format!("no runtime could be started: {error}")),
    };
    if let Err(error) = make_room(described) {
        let text = format!("its run folder cannot be written: {error}");
        return Ended::by(text, &error);
    }
    let mut run = match described.prepare(library) {
        Ok(run) => run,
        Err(refusal) => return ended_by(refusal),
    };
    let per_step = run.resolved.config.steps.rollouts_per_step() as i64;
    run.sinks.push(Box::new(teller.with_episodes_per_step(per_step)));
    run.stop = stop.clone();
    let trained: Result<_, ServeError> = runtime.block_on(async {
        let Some(gateway) = &described.gateway else { return Ok(Some(run.train().await)) };
        // Before programs play: the check opens every scenario and plays none.
        if let Err(error) = run.check().await {
            return Ok(Some(Err(error)));
        }
        let id = described.name();
        let _server = gateway.take_over(&mut run, &id, sessions).await?;
        tokio::select! {
            trained = run.train_checked() => Ok(Some(trained)),
            () = gateway.cut_off(&id, sessions, &stop) => Ok(None),
        }
    });
    let trained = match trained {
        Ok(Some(trained)) => trained,
        Ok(None) => return Ended::Stopped(json!({})),
        Err(error) => return Ended::Failed(format!("failed to {error}")),
    };
    match trained {
        Ok(trained) if trained.is_complete => Ended::Completed(result(&trained)),
        Ok(trained) => Ended::Stopped(result(&trained)),
        Err(error) => ended_by(Refusal::Run(error)),
    }
}

/// Makes the run folder, and sees before the model is loaded whether its disk takes anything.
fn make_room(described: &Described) -> std::io::Result<()> {
    let run_dir = described.run.root();
    std::fs::create_dir_all(run_dir)?;
    let folder = run_dir.parent().unwrap_or(run_dir);
    DiskProbe::new(folder, described.disk.clone()).try_write()
}

fn ended_by(refusal: Refusal) -> Ended {
    match &refusal {
        Refusal::Run(TrainError::Run(RunError::Locked { .. })) => Ended::Busy,
        Refusal::Run(error) => Ended::by(refusal.text(), error),
        Refusal::Settings(_) => Ended::Failed(refusal.text()),
    }
}

fn result(trained: &TrainedRun) -> Value {
    let summary = &trained.summary;
    json!({
        "reward_before": summary.reward_before, "reward_after": summary.reward_after,
        "steps": summary.n_steps, "episodes": summary.n_episodes,
        "sampled_tokens": summary.n_sampled_tokens, "trained_tokens": summary.n_trained_tokens,
        "wall_secs": summary.wall_secs, "peak_rss_bytes": summary.peak_rss_bytes,
        "model_sha256": summary.model_sha256,
    })
}

/// Writes how a job stands after the work on it.
async fn finish(inner: &Inner, job: &JobRow, ended: Ended) {
    let (lease, pause) = (inner.settings.lease_millis(), inner.settings.pause_millis());
    let is_cancelled = match inner.store.job(&job.id).await {
        Ok(now) => now.is_some_and(|now| now.is_cancel_asked),
        Err(_) => false,
    };
    let nothing = json!({});
    let (state, result, error, wait) = match &ended {
        Ended::Completed(result) => (JobState::Completed, result, None, 0),
        Ended::Stopped(result) if is_cancelled => (JobState::Cancelled, result, None, 0),
        Ended::Stopped(_) => (JobState::Queued, &nothing, None, 0),
        Ended::Busy => (JobState::Queued, &nothing, None, lease),
        Ended::Paused(text) => (JobState::Queued, &nothing, Some(text.as_str()), pause),
        Ended::Failed(text) => (JobState::Failed, &nothing, Some(text.as_str()), 0),
    };
    let (store, id) = (&inner.store, &job.id);
    let write = || store.end_work(id, &job.owner, state, result, error, wait);
    match patiently(&mut inner.stopping.subscribe(), write).await {
        Ok(true) => {
            tracing::info!(job = id, state = state.as_str(), "the work on a training ended")
        }
        Ok(false) => {
            tracing::warn!(job = id, "a training was taken over before its end was written")
        }
        Err(error) => tracing::error!(%error, job = id, "the end of a training is not written"),
    }
}
