//! A limit of the calls in a time: a token bucket.
//!
//! The bucket holds at most `burst` tokens and fills evenly. A call takes one; where there is none it
//! goes into debt and waits until the debt is paid, so callers are served in the order in which they
//! came without a queue. A caller that gives up while waiting leaves its token in debt: the limit is
//! then kept too strictly rather than broken.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::clock::Clock;

/// A token bucket.
#[derive(Debug)]
pub struct RateLimit {
    per_second: f64,
    burst: f64,
    /// Tokens (negative: debt) at a time.
    bucket: Mutex<(f64, Duration)>,
}

impl RateLimit {
    /// At most `burst` calls at once (at least 1), and `per_second` calls a second in the long run. A
    /// rate that is not a number above 0 counts as no limit.
    pub fn new(per_second: f64, burst: usize) -> RateLimit {
        let per_second = if per_second > 0.0 { per_second } else { f64::INFINITY };
        let burst = burst.max(1) as f64;
        RateLimit { per_second, burst, bucket: Mutex::new((burst, Duration::ZERO)) }
    }

    /// Waits until a call may be made.
    pub async fn wait(&self, clock: &dyn Clock) {
        let wait = self.take(clock.now());
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
    }

    /// Takes a token, and says how long to wait for it.
    fn take(&self, now: Duration) -> Duration {
        if self.per_second.is_infinite() {
            return Duration::ZERO;
        }
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, since) = *bucket;
        let filled = now.saturating_sub(since).as_secs_f64() * self.per_second;
        let left = (tokens + filled).min(self.burst) - 1.0;
        *bucket = (left, now.max(since));
        Duration::try_from_secs_f64((-left).max(0.0) / self.per_second).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::testing::ManualClock;
    use super::*;

    #[tokio::test]
    async fn a_burst_and_then_evenly() {
        let (limit, clock) = (RateLimit::new(2.0, 3), ManualClock::default());
        let mut times = Vec::new();
        for _ in 0..7 {
            limit.wait(&clock).await;
            times.push(clock.now().as_millis());
        }
        assert_eq!(times, [0, 0, 0, 500, 1000, 1500, 2000]);
        clock.advance(Duration::from_secs(100));
        let waits = [(); 5].map(|()| limit.take(clock.now()).as_millis());
        assert_eq!(waits, [0, 0, 0, 500, 1000], "a long rest fills the bucket and no more");
    }

    #[test]
    fn no_rate_is_no_limit() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let limit = RateLimit::new(rate, 1);
            assert!((0..100).all(|_| limit.take(Duration::ZERO).is_zero()), "{rate}");
        }
    }
}
