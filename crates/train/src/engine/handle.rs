//! The engine on a thread of its own, reached by jobs.
//!
//! Rollouts are many small asynchronous tasks; the engine is one big synchronous worker. A job is a
//! function of the engine's state that runs between two passes of the sampler, so a training step is
//! simply a long job. The thread runs inside a pool of its own size; nothing else computes there.
//!
//! Whoever stops waiting for a completion cancels it: before each pass the engine looks whether somebody
//! still listens, so a slot is free within one pass, however many jobs wait.

use std::thread;
use std::time::Instant;

use stateset_nn::{NnError, SampleRequest};
use tokio::sync::{mpsc, oneshot};

use super::ongoing::{Listener, Ongoing, Sampled, SampledToken};
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
        request: SampleRequest,
        tokens: Option<mpsc::UnboundedSender<SampledToken>>,
    ) -> Result<Sampled, TrainError> {
        self.begin(request, tokens).await?.whole().await
    }

    /// As [`Engine::sample`], in two parts: returns once the engine has accepted the request.
    ///
    /// # Errors
    /// As [`Engine::sample`].
    pub async fn begin(
        &self,
        mut request: SampleRequest,
        tokens: Option<mpsc::UnboundedSender<SampledToken>>,
    ) -> Result<Ongoing, TrainError> {
        let (listener, started, answer) = Listener::new(tokens);
        let submit = move |state: &mut EngineState| -> Result<_, NnError> {
            state.next_id += 1;
            request.id = state.next_id;
            let (id, version) = (request.id, state.sampled().1);
            let is_steered = request.steering.is_on();
            state.sampler.submit(request)?;
            state.listeners.insert(id, listener.of(version, is_steered));
            Ok(version)
        };
        let version = self.run(submit).await??;
        Ok(Ongoing { version, started, answer })
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

fn serve(mut state: EngineState, mut queue: mpsc::Receiver<Job>) {
    loop {
        state.forget_cancelled();
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
        state.forget_cancelled();
        let begun = Instant::now();
        let (starts, events) = state.sample();
        starts.into_iter().for_each(|start| state.start(start, begun));
        events.into_iter().for_each(|event| state.deliver(event));
    }
}
