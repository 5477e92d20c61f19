//! All open sessions, by address.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::session::Session;
use crate::api_error::ApiError;

/// Where a session is found: run, scenario, sample.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub(super) run: String,
    pub(super) scenario: String,
    pub(super) sample: String,
}

/// All open sessions. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Sessions {
    open: Arc<RwLock<HashMap<Address, Arc<Session>>>>,
}

impl Sessions {
    /// Opens a session at an address that nobody else has.
    pub(super) fn open(&self, address: Address, session: Arc<Session>) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).insert(address, session);
    }

    /// Closes the session at this address.
    pub(super) fn close(&self, address: &Address) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).remove(address);
    }

    /// The session at this address, for whoever has its key. Without it nobody learns whether it exists.
    ///
    /// # Errors
    /// [`ApiError`] 404.
    pub(super) fn find(&self, address: &Address, key: &str) -> Result<Arc<Session>, ApiError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let session = open.get(address).filter(|session| session.opens_with(key));
        session.cloned().ok_or_else(|| {
            let Address { run, scenario, sample } = address;
            let mut error =
                ApiError::not_found("open sample", &format!("{run}/{scenario}/{sample}"));
            error.message.push_str(" for this key; it may be over");
            error
        })
    }
}
