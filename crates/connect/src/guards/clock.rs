//! Time as guards see it: it can be read and waited for.
//!
//! A trait, because a test that waits for a minute of cool-down is a test that nobody runs.

use std::time::{Duration, Instant};

use async_trait::async_trait;

/// Tells the time and waits.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Time since some moment that never changes; never goes back.
    fn now(&self) -> Duration;

    /// Waits.
    async fn sleep(&self, time: Duration);
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock { start: Instant::now() }
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use std::sync::Mutex;

    use super::*;

    /// Waiting takes no time and moves the clock; all waits are written down.
    #[derive(Default)]
    pub(crate) struct ManualClock {
        now: Mutex<Duration>,
        pub(crate) slept: Mutex<Vec<Duration>>,
    }

    impl ManualClock {
        pub(crate) fn advance(&self, time: Duration) {
            *self.now.lock().unwrap() += time;
        }
    }

    #[async_trait]
    impl Clock for ManualClock {
        fn now(&self) -> Duration {
            *self.now.lock().unwrap()
        }

        async fn sleep(&self, time: Duration) {
            self.slept.lock().unwrap().push(time);
            self.advance(time);
            tokio::task::yield_now().await;
        }
    }
}
