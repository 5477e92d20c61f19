//! Whether engines are alive: a job that does nothing is sent to each, and how long it stays away is
//! watched. An engine that computes takes jobs between two passes, so only a stuck one keeps it.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::models::{ServedModel, Voice};

/// How long a question about health waits for a job that may come back at once.
const PATIENCE: Duration = Duration::from_millis(200);

/// What an engine has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EngineLoad {
    /// Requests in the batch.
    pub running: usize,
    /// Requests that wait.
    pub waiting: usize,
    /// Share of the key-value cache in use, 0 to 1.
    pub cache_used: f64,
}

/// The jobs under way, one for each engine.
#[derive(Default)]
pub struct Pulses {
    all: Mutex<Vec<Pulse>>,
}

#[derive(Clone)]
struct Pulse {
    model: Weak<ServedModel>,
    sent: Instant,
    back: Arc<Mutex<Option<Result<EngineLoad, String>>>>,
}

impl Pulses {
    /// What the engine of this model has to do; `None` for models without an engine and for those that
    /// have not said it yet.
    ///
    /// # Errors
    /// What is wrong, where the engine is gone or has kept its job for longer than `deadline`.
    pub async fn load(
        &self,
        model: &Arc<ServedModel>,
        deadline: Duration,
    ) -> Result<Option<EngineLoad>, String> {
        let Voice::Local(policy) = &model.voice else { return Ok(None) };
        let (pulse, is_new) = self.pulse(model);
        if is_new {
            let (engine, back) = (policy.engine().clone(), Arc::clone(&pulse.back));
            let job = tokio::spawn(async move {
                let load = engine.run(|state| state.sampler_load()).await;
                let load = load.map(|(running, waiting, cache_used)| EngineLoad {
                    running,
                    waiting,
                    cache_used,
                });
                let load = load.map_err(|error| error.to_string());
                *back.lock().unwrap_or_else(PoisonError::into_inner) = Some(load);
            });
            let _ = tokio::time::timeout(PATIENCE, job).await;
        }
        let back = pulse.back.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match back {
            Some(load) => load.map(Some),
            None if pulse.sent.elapsed() > deadline => {
                Err(format!("the engine has not moved for {} s", pulse.sent.elapsed().as_secs()))
            }
            None => Ok(None),
        }
    }

    /// The job under way; a new one where there is none, or where it has come back.
    fn pulse(&self, model: &Arc<ServedModel>) -> (Pulse, bool) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|pulse| pulse.model.strong_count() > 0);
        let is_of = |pulse: &&mut Pulse| std::ptr::eq(pulse.model.as_ptr(), Arc::as_ptr(model));
        let new =
            || Pulse { model: Arc::downgrade(model), sent: Instant::now(), back: Arc::default() };
        match all.iter_mut().find(is_of) {
            Some(pulse) => {
                let is_back = pulse.back.lock().unwrap_or_else(PoisonError::into_inner).is_some();
                if is_back {
                    *pulse = new();
                }
                (pulse.clone(), is_back)
            }
            None => {
                all.push(new());
                (all[all.len() - 1].clone(), true)
            }
        }
    }
}
