//! A limit of the calls that run at the same time; others wait in the order in which they came.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Room for a number of calls.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    room: Semaphore,
}

impl ConcurrencyLimit {
    /// Room for `max_running` calls, at least one.
    pub fn new(max_running: usize) -> ConcurrencyLimit {
        let n = max_running.clamp(1, Semaphore::MAX_PERMITS);
        ConcurrencyLimit { room: Semaphore::new(n) }
    }

    /// Waits for room, which is given back when the result is dropped.
    pub async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so there is always a permit in the end.
        self.room.acquire().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn no_more_than_the_limit_run() {
        let limit = Arc::new(ConcurrencyLimit::new(3));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let call = || {
            let (limit, running, most) = (limit.clone(), running.clone(), most.clone());
            tokio::spawn(async move {
                let permit = limit.enter().await;
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                running.fetch_sub(1, Ordering::SeqCst);
                drop(permit);
            })
        };
        let calls: Vec<_> = (0..20).map(|_| call()).collect();
        for call in calls {
            call.await.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }
}
