//! What the services of a server share: database, jobs, and where models come from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::MutexGuard;

use crate::jobs::{JobSettings, Jobs};
use crate::models::Library;
use crate::store::Store;

/// What the services of a server share. Clones share everything.
#[derive(Clone)]
pub struct Services {
    store: Store,
    jobs: Jobs,
    library: Arc<Library>,
    began: Instant,
    /// Exchanges of models happen one after another.
    exchanging: Arc<tokio::sync::Mutex<()>>,
    /// Slots that each model was first loaded with.
    base_slots: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Services {
    /// Puts the parts together and begins to work on jobs. Needs a runtime.
    pub fn start(store: Store, library: Library, settings: JobSettings) -> Services {
        let library = Arc::new(library);
        let jobs = Jobs::start(store.clone(), library.clone(), settings);
        Services {
            store,
            jobs,
            library,
            began: Instant::now(),
            exchanging: Arc::default(),
            base_slots: Arc::default(),
        }
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Training jobs.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Where models come from.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// The right to exchange models, until the guard is dropped.
    pub(crate) async fn exchanging(&self) -> MutexGuard<'_, ()> {
        self.exchanging.lock().await
    }

    /// Slots that a model was first loaded with; it has `now` of them, in case it was not asked before.
    pub(crate) fn base_slots(&self, model: &str, now: usize) -> usize {
        let mut all = self.base_slots.lock().unwrap_or_else(PoisonError::into_inner);
        *all.entry(model.to_owned()).or_insert(now)
    }

    /// Seconds since the start.
    pub fn uptime_secs(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Lets jobs end after their step, to be gone on with later, and closes the database.
    pub async fn stop(&self) {
        self.jobs.stop().await;
        self.store.close().await;
    }
}
