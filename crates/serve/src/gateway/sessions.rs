//! All open sessions, by address, and the runs that offer theirs to programs elsewhere.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::watch;

use super::address::Address;
use super::session::Session;
use crate::api_error::ApiError;

/// All open sessions. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Sessions {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    open: RwLock<Open>,
    /// A session or a run was opened or closed.
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Open {
    sessions: HashMap<Address, Arc<Session>>,
    /// Runs that are under way and offer samples.
    runs: HashSet<String>,
}

/// A run that offers samples, until this is dropped.
pub(crate) struct OpenRun {
    sessions: Sessions,
    run: String,
}

impl Sessions {
    /// Opens a session at an address that nobody else has.
    pub(super) fn open(&self, address: Address, session: Arc<Session>) {
        self.write().sessions.insert(address, session);
        self.shared.changed.send_replace(());
    }

    /// Closes the session at this address.
    pub(super) fn close(&self, address: &Address) {
        self.write().sessions.remove(address);
        self.shared.changed.send_replace(());
    }

    /// The session at this address, for whoever has its key. Without it nobody learns whether it exists.
    ///
    /// # Errors
    /// [`ApiError`] 404.
    pub(super) fn find(&self, address: &Address, key: &str) -> Result<Arc<Session>, ApiError> {
        let open = self.read();
        let session = open.sessions.get(address).filter(|session| session.opens_with(key));
        session.cloned().ok_or_else(|| {
            let mut error = ApiError::not_found("open sample", &address.name());
            error.message.push_str(" for this key; it may be over");
            error
        })
    }

    /// Begins to offer the samples of `run`.
    pub(crate) fn open_run(&self, run: &str) -> OpenRun {
        self.write().runs.insert(run.to_owned());
        self.shared.changed.send_replace(());
        OpenRun { sessions: self.clone(), run: run.to_owned() }
    }

    /// True while samples of `run` are offered here.
    pub(crate) fn is_open(&self, run: &str) -> bool {
        self.read().runs.contains(run)
    }

    /// The open samples of `run` that programs elsewhere play, the oldest first.
    pub(crate) fn offered(&self, run: &str) -> Vec<(Address, Arc<Session>)> {
        let open = self.read();
        let of_run =
            open.sessions.iter().filter(|(at, session)| at.run == run && session.offer.is_some());
        let mut found: Vec<_> = of_run.map(|(at, s)| (at.clone(), s.clone())).collect();
        found.sort_by_key(|(_, session)| session.offer.as_ref().map(|offer| offer.since));
        found
    }

    /// Takes up to `n` samples of `run` that nobody took before. Where there are none, waits for one; at most
    /// for `wait`, and not beyond the end of the run.
    pub(crate) async fn take(
        &self,
        run: &str,
        n: usize,
        wait: Duration,
    ) -> Vec<(Address, Arc<Session>)> {
        let until = tokio::time::Instant::now() + wait;
        let mut changed = self.shared.changed.subscribe();
        let was_open = self.is_open(run);
        loop {
            changed.mark_unchanged();
            let offered = self.offered(run).into_iter();
            let taken: Vec<_> =
                offered.filter(|(_, session)| session.is_taken_now()).take(n).collect();
            let is_over = was_open && !self.is_open(run);
            if !taken.is_empty() || is_over {
                return taken;
            }
            match tokio::time::timeout_at(until, changed.changed()).await {
                Ok(Ok(())) => {}
                _ => return taken,
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Open> {
        self.shared.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Open> {
        self.shared.open.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenRun {
    fn drop(&mut self) {
        self.sessions.write().runs.remove(&self.run);
        self.sessions.shared.changed.send_replace(());
    }
}

/// 401: no key of the sample was sent.
pub(super) fn missing_key() -> ApiError {
    let message = "the sample's key is missing: send \"Authorization: Bearer KEY\"";
    ApiError::new(StatusCode::UNAUTHORIZED, "missing_key", message)
}
