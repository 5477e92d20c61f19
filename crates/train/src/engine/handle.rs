//! The engine on a thread of its own, reached by jobs.
//!
//! Rollouts are many small asynchronous tasks; the engine is one big synchronous worker. A job is a
//! function of the engine's state that runs between two passes of the sampler, so a training step is
//! simply a long job. The thread runs inside a pool of its own size; nothing else computes there.

use std::thread;

use stateset_core::{FinishReason, PolicyVersion};
use stateset_nn::{NnError, SampleEvent, SampleRequest};
use tokio::sync::{mpsc, oneshot};

use super::state::EngineState;
use crate::TrainError;

/// Jobs that may wait; senders wait beyond that.
const WAITING_JOBS: usize = 1024;

pub(super) type Job = Box<dyn FnOnce(&mut EngineState) + Send>;

/// A way to reach the engine. Clones reach the same one; it ends with the last of them.
#[derive(Clone)]
pub struct Engine {
    jobs: mpsc::Sender<Job>,
}

/// What was sampled for one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampled {
    /// The tokens, the one that ended it included.
    pub tokens: Vec<u32>,
    /// Log-prob of each.
    pub logprobs: Vec<f32>,
    /// Why it ended.
    pub finish: FinishReason,
    /// Whose weights drew them.
    pub version: PolicyVersion,
}

/// Collects the tokens of one request.
pub(super) struct Listener {
    sampled: Sampled,
    done: Option<oneshot::Sender<Sampled>>,
    tokens: Option<mpsc::UnboundedSender<u32>>,
}

impl Engine {
    /// Starts the thread. `build` makes the state there, with `threads` threads to compute on.
    ///
    /// # Errors
    /// [`TrainError`] where the threads cannot be started or `build` fails.
    pub fn start(
        threads: usize,
        build: impl FnOnce() -> Result<EngineState, TrainError> + Send + 'static,
    ) -> Result<Engine, TrainError> {
        let invalid = |message: String| TrainError::Invalid { what: "start the engine", message };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("engine-{i}"))
            .build()
            .map_err(|error| invalid(error.to_string()))?;
        let (jobs, queue) = mpsc::channel::<Job>(WAITING_JOBS);
        let (ready, is_ready) = std::sync::mpsc::channel();
        let body = move || {
            pool.install(|| match build() {
                Ok(state) => {
                    let _ = ready.send(Ok(()));
                    serve(state, queue);
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                }
            });
        };
        let started = thread::Builder::new().name("engine".to_owned()).spawn(body);
        started.map_err(|error| invalid(error.to_string()))?;
        is_ready.recv().unwrap_or(Err(TrainError::EngineGone))?;
        Ok(Engine { jobs })
    }

    /// Runs a job and returns its result.
    ///
    /// # Errors
    /// [`TrainError::EngineGone`] where the engine has ended.
    pub async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut EngineState) -> R + Send + 'static,
    ) -> Result<R, TrainError> {
        let (job, answer) = answered(job);
        self.jobs.send(job).await.map_err(|_| TrainError::EngineGone)?;
        answer.await.map_err(|_| TrainError::EngineGone)
    }

    /// As [`Engine::run`], for a long job that sampling does not have to wait for: it begins once nothing
    /// is being sampled. What is asked for meanwhile is sampled after it.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub async fn run_when_idle<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut EngineState) -> R + Send + 'static,
    ) -> Result<R, TrainError> {
        let (job, answer) = answered(job);
        let put_off: Job = Box::new(move |state| state.put_off.push(job));
        self.jobs.send(put_off).await.map_err(|_| TrainError::EngineGone)?;
        answer.await.map_err(|_| TrainError::EngineGone)
    }

    /// As [`Engine::run`], for threads that may wait. It must not be called from an asynchronous task.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub fn run_blocking<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut EngineState) -> R + Send + 'static,
    ) -> Result<R, TrainError> {
        let (job, answer) = answered(job);
        self.jobs.blocking_send(job).map_err(|_| TrainError::EngineGone)?;
        answer.blocking_recv().map_err(|_| TrainError::EngineGone)
    }

    /// Samples one completion. `tokens` receives each token as it is drawn. Dropping the future
    /// cancels the request.
    ///
    /// # Errors
    /// [`TrainError`] where the request does not fit or the engine has ended.
    pub async fn sample(
        &self,
        mut request: SampleRequest,
        tokens: Option<mpsc::UnboundedSender<u32>>,
    ) -> Result<Sampled, TrainError> {
        let (done, answer) = oneshot::channel();
        let submit = move |state: &mut EngineState| -> Result<u64, NnError> {
            state.next_id += 1;
            request.id = state.next_id;
            let (id, version) = (request.id, state.sampled().1);
            state.sampler.submit(request)?;
            let sampled = Sampled {
                tokens: Vec::new(),
                logprobs: Vec::new(),
                finish: FinishReason::Cancelled,
                version,
            };
            state.listeners.insert(id, Listener { sampled, done: Some(done), tokens });
            Ok(id)
        };
        let id = self.run(submit).await??;
        let mut guard = CancelOnDrop { engine: self, id: Some(id) };
        let sampled = answer.await.map_err(|_| TrainError::EngineGone);
        guard.id = None;
        sampled
    }
}

/// A job for the queue, and where its result comes.
fn answered<R: Send + 'static>(
    job: impl FnOnce(&mut EngineState) -> R + Send + 'static,
) -> (Job, oneshot::Receiver<R>) {
    let (result, answer) = oneshot::channel();
    let job: Job = Box::new(move |state| {
        let _ = result.send(job(state));
    });
    (job, answer)
}

struct CancelOnDrop<'a> {
    engine: &'a Engine,
    id: Option<u64>,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id else { return };
        let cancel: Job = Box::new(move |state| {
            state.sampler.cancel(id);
            state.listeners.remove(&id);
        });
        // A full queue leaves the request running to its end, which costs time only.
        let _ = self.engine.jobs.try_send(cancel);
    }
}

fn serve(mut state: EngineState, mut queue: mpsc::Receiver<Job>) {
    loop {
        if state.sampler.is_idle() && state.put_off.is_empty() {
            match queue.blocking_recv() {
                Some(job) => job(&mut state),
                None => return,
            }
        }
        while let Ok(job) = queue.try_recv() {
            job(&mut state);
        }
        if state.sampler.is_idle() {
            for job in std::mem::take(&mut state.put_off) {
                job(&mut state);
            }
        }
        for event in state.sample() {
            deliver(&mut state, event);
        }
    }
}

fn deliver(state: &mut EngineState, event: SampleEvent) {
    let Some(listener) = state.listeners.get_mut(&event.id) else { return };
    listener.sampled.tokens.push(event.token);
    listener.sampled.logprobs.push(event.logprob);
    if let Some(tokens) = &listener.tokens {
        let _ = tokens.send(event.token);
    }
    if let Some(finish) = event.finish {
        listener.sampled.finish = finish;
        if let Some(mut listener) = state.listeners.remove(&event.id)
            && let Some(done) = listener.done.take()
        {
            let _ = done.send(listener.sampled);
        }
    }
}
