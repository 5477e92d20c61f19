//! How many requests are answered at the same time. More are refused at once instead of queued without
//! end: a client that is told to come back can go elsewhere.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::api_error::ApiError;

/// After how long a refused client may ask again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Slots for requests; a request keeps its own until the last byte of its answer is gone.
#[derive(Clone, Debug)]
pub struct Capacity {
    slots: Arc<Semaphore>,
    n_slots: usize,
}

/// The right to be answered; dropping it gives it to another.
#[derive(Debug)]
pub struct Slot {
    _permit: OwnedSemaphorePermit,
}

impl Capacity {
    /// So many requests at the same time.
    pub fn new(n_slots: usize) -> Capacity {
        let n_slots = n_slots.min(Semaphore::MAX_PERMITS);
        Capacity { slots: Arc::new(Semaphore::new(n_slots)), n_slots }
    }

    /// Takes a slot.
    ///
    /// # Errors
    /// [`ApiError`] 503 where none is free.
    pub fn take(&self) -> Result<Slot, ApiError> {
        let permit = Arc::clone(&self.slots).try_acquire_owned();
        permit.map(|permit| Slot { _permit: permit }).map_err(|_| {
            let message =
                format!("the server answers {} requests already; try again", self.n_slots);
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", message)
                .retry_after(RETRY_AFTER)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_given_back() {
        let capacity = Capacity::new(2);
        let (first, _second) = (capacity.take().unwrap(), capacity.take().unwrap());
        let error = capacity.take().unwrap_err();
        assert_eq!((error.status.as_u16(), error.code), (503, "overloaded"));
        assert!(error.retry_after.is_some());
        drop(first);
        assert!(capacity.take().is_ok());
    }
}
