//! Repeating what may succeed a moment later, with pauses that grow and vary.
//!
//! Pause n is `base * 2^(n-1)`, at most `max_pause`, of which a random share is taken away, so that
//! many callers that failed together do not come back together ("jitter"; Brooker, *Exponential
//! Backoff and Jitter*, 2015). The other side's own wish (`Retry-After`) is a lower bound; a wish
//! longer than `max_wait` ends the attempts, because nobody wants to sleep for an hour unasked.
//! The random numbers are keyed by seed, call and attempt. They shape waiting only, never results.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use stateset_core::{Purpose, RunSeed, StreamKey};

use super::clock::Clock;
use super::failure::Failure;

/// How calls are repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetrySettings {
    /// Attempts after the first one.
    pub max_retries: u32,
    /// Pause before the first repetition.
    pub base: Duration,
    /// The longest pause that doubling leads to.
    pub max_pause: Duration,
    /// The longest pause that the other side may ask for.
    pub max_wait: Duration,
    /// Share of a pause that is random, from 0 to 1.
    pub jitter: f64,
    /// What the random share is drawn from.
    pub seed: RunSeed,
}

impl Default for RetrySettings {
    fn default() -> Self {
        RetrySettings {
            max_retries: 4,
            base: Duration::from_millis(500),
            max_pause: Duration::from_secs(30),
            max_wait: Duration::from_secs(120),
            jitter: 0.5,
            seed: RunSeed(0),
        }
    }
}

/// Repeats calls.
#[derive(Debug, Default)]
pub struct Retry {
    settings: RetrySettings,
    n_calls: AtomicU32,
}

impl Retry {
    /// Repeats by these settings.
    pub fn new(settings: RetrySettings) -> Retry {
        Retry { settings, n_calls: AtomicU32::new(0) }
    }

    /// Makes `attempt` until it succeeds, fails for good, or was made often enough.
    ///
    /// # Errors
    /// The last attempt's.
    pub async fn run<T, E, F>(
        &self,
        clock: &dyn Clock,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, E>
    where
        E: Failure,
        F: Future<Output = Result<T, E>>,
    {
        let call = self.n_calls.fetch_add(1, Ordering::Relaxed);
        let mut n_failed = 0;
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            n_failed += 1;
            let wished = error.retry_after().unwrap_or_default();
            let is_over = n_failed > self.settings.max_retries || wished > self.settings.max_wait;
            if is_over || !error.is_passing() {
                return Err(error);
            }
            clock.sleep(self.pause(call, n_failed).max(wished)).await;
        }
    }

    /// The pause of a call after its `n_failed`-th failure.
    fn pause(&self, call: u32, n_failed: u32) -> Duration {
        let RetrySettings { base, max_pause, jitter, seed, .. } = self.settings;
        let whole = base.saturating_mul(1 << (n_failed - 1).min(20)).min(max_pause);
        let key = StreamKey { step: call, scenario: n_failed, ..StreamKey::default() };
        let unit = seed.stream(Purpose::Backoff, key).unit();
        whole.mul_f64(1.0 - jitter.clamp(0.0, 1.0) * unit)
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::testing::ManualClock;
    use super::*;
    use stateset_core::PolicyError;
    use std::sync::Mutex;

    fn busy(retry_after: Option<u64>) -> PolicyError {
        let retry_after = retry_after.map(Duration::from_secs);
        PolicyError::Unavailable { who: "w".into(), message: "busy".into(), retry_after }
    }

    /// What the call gave, how often it was made, and the pauses.
    async fn tried(
        settings: RetrySettings,
        answers: Vec<Result<u8, PolicyError>>,
    ) -> (Result<u8, PolicyError>, usize, Vec<Duration>) {
        let n = answers.len();
        let answers = Mutex::new(answers.into_iter());
        let clock = ManualClock::default();
        let retry = Retry::new(settings);
        let result = retry.run(&clock, || async { answers.lock().unwrap().next().unwrap() }).await;
        let n_left = answers.lock().unwrap().len();
        (result, n - n_left, clock.slept.into_inner().unwrap())
    }

    #[tokio::test]
    async fn passing_failures_are_repeated_with_growing_pauses() {
        let settings = RetrySettings { jitter: 0.0, ..RetrySettings::default() };
        let answers = vec![Err(busy(None)), Err(busy(None)), Err(busy(None)), Ok(1)];
        let (result, n, pauses) = tried(settings, answers).await;
        assert_eq!((result, n), (Ok(1), 4));
        assert_eq!(pauses, [500, 1000, 2000].map(Duration::from_millis));
    }

    #[tokio::test]
    async fn it_gives_up_in_the_end_and_at_once_where_it_is_hopeless() {
        let settings = RetrySettings { max_retries: 1, ..RetrySettings::default() };
        let (result, n, _) = tried(settings, vec![Err(busy(None)), Err(busy(None)), Ok(1)]).await;
        assert_eq!((result, n), (Err(busy(None)), 2));
        let refused = PolicyError::Refused { who: "w".into(), message: "no".into() };
        for error in [refused, PolicyError::Cancelled, PolicyError::Failed("engine".into())] {
            let (result, n, pauses) = tried(settings, vec![Err(error.clone()), Ok(1)]).await;
            assert_eq!((result, n, pauses.len()), (Err(error), 1, 0));
        }
    }

    #[tokio::test]
    async fn the_other_side_says_when_to_come_back() {
        let settings = RetrySettings::default();
        let (result, _, pauses) = tried(settings, vec![Err(busy(Some(7))), Ok(1)]).await;
        assert_eq!((result, pauses), (Ok(1), vec![Duration::from_secs(7)]));
        let (result, n, _) = tried(settings, vec![Err(busy(Some(3600))), Ok(1)]).await;
        assert_eq!((result, n), (Err(busy(Some(3600))), 1));
    }

    #[test]
    fn pauses_vary_by_call_and_repeat_by_seed() {
        let retry = Retry::default();
        let pauses: Vec<Duration> = (0..50).map(|call| retry.pause(call, 3)).collect();
        let again: Vec<Duration> = (0..50).map(|call| Retry::default().pause(call, 3)).collect();
        assert_eq!(pauses, again);
        let (low, high) = (Duration::from_secs(1), Duration::from_secs(2));
        assert!(pauses.iter().all(|pause| (low..=high).contains(pause)), "{pauses:?}");
        assert!(pauses.iter().max() > pauses.iter().min());
        assert!(retry.pause(0, u32::MAX) <= Duration::from_secs(30));
    }
}
