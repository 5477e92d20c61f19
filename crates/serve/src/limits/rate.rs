//! How many requests one caller may send: a token bucket for each.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::{NoOpMiddleware, StateInformationMiddleware};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::api_error::ApiError;
use crate::security::Who;

/// Requests after which buckets that are full again are forgotten.
const SWEEP_EVERY: u32 = 4096;

type Buckets<C> = RateLimiter<Who, DashMapStateStore<Who>, C, StateInformationMiddleware>;

/// A bucket for each caller that holds a minute's requests and is filled evenly.
pub struct RateLimit<C: Clock = DefaultClock> {
    per_minute: NonZeroU32,
    buckets: Buckets<C>,
    clock: C,
    taken: AtomicU32,
}

/// What a caller has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests that a full bucket holds.
    pub limit: u32,
    /// Requests that may follow at once.
    pub remaining: u32,
    /// Until the bucket is full again.
    pub full_in: Duration,
}

impl RateLimit {
    /// So many requests a minute for each caller.
    pub fn per_minute(per_minute: NonZeroU32) -> RateLimit {
        RateLimit::with_clock(per_minute, DefaultClock::default())
    }
}

impl<C: Clock + Clone> RateLimit<C> {
    fn with_clock(per_minute: NonZeroU32, clock: C) -> RateLimit<C> {
        let store = DashMapStateStore::<Who>::default();
        let quota = Quota::per_minute(per_minute);
        let buckets =
            RateLimiter::<Who, _, C, NoOpMiddleware<C::Instant>>::new(quota, store, clock.clone())
                .with_middleware();
        RateLimit { per_minute, buckets, clock, taken: AtomicU32::new(0) }
    }

    /// Takes one request out of the caller's bucket.
    ///
    /// # Errors
    /// [`ApiError`] 429 where it is empty, with what is left and when.
    pub fn take(&self, who: &Who) -> Result<Allowance, Box<(ApiError, Allowance)>> {
        if self.taken.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.buckets.retain_recent();
        }
        match self.buckets.check_key(who) {
            Ok(snapshot) => Ok(self.allowance(snapshot.remaining_burst_capacity())),
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                let message = format!(
                    "this caller may send {} requests a minute and has sent them; wait as Retry-After says",
                    self.per_minute
                );
                let status = StatusCode::TOO_MANY_REQUESTS;
                let error = ApiError::new(status, "rate_limit_exceeded", message);
                Err(Box::new((error.retry_after(wait), self.allowance(0))))
            }
        }
    }

    fn allowance(&self, remaining: u32) -> Allowance {
        let limit = self.per_minute.get();
        let missing = limit.saturating_sub(remaining);
        let full_in = Duration::from_secs(60) * missing / limit;
        Allowance { limit, remaining, full_in }
    }
}

impl Allowance {
    /// Writes the documented headers; times are in whole seconds, rounded up.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert("x-ratelimit-limit", self.limit.into());
        headers.insert("x-ratelimit-remaining", self.remaining.into());
        let seconds = self.full_in.as_millis().div_ceil(1000);
        headers.insert("x-ratelimit-reset", u64::try_from(seconds).unwrap_or(u64::MAX).into());
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_evenly() {
        let clock = FakeRelativeClock::default();
        let rate = RateLimit::with_clock(NonZeroU32::new(3).unwrap(), clock.clone());
        let (ann, bob) = (Who::Key("ann".into()), Who::Key("bob".into()));
        let left: Vec<u32> = (0..3).map(|_| rate.take(&ann).unwrap().remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        let (error, allowance) = *rate.take(&ann).unwrap_err();
        assert_eq!((error.status.as_u16(), error.code), (429, "rate_limit_exceeded"));
        assert_eq!(error.retry_after, Some(Duration::from_secs(20)));
        let full_in = Duration::from_secs(60);
        assert_eq!(allowance, Allowance { limit: 3, remaining: 0, full_in });
        assert!(rate.take(&bob).is_ok());
        clock.advance(Duration::from_secs(20));
        assert!(rate.take(&ann).is_ok());
        assert!(rate.take(&ann).is_err());
    }

    #[test]
    fn full_buckets_are_forgotten() {
        let clock = FakeRelativeClock::default();
        let rate = RateLimit::with_clock(NonZeroU32::new(1).unwrap(), clock.clone());
        for n in 0..SWEEP_EVERY - 1 {
            let _ = rate.take(&Who::Address(std::net::IpAddr::V4(n.into())));
        }
        clock.advance(Duration::from_secs(120));
        let _ = rate.take(&Who::Key("last".into()));
        assert!(rate.buckets.len() <= 1, "{}", rate.buckets.len());
    }

    #[test]
    fn headers_are_whole_numbers() {
        let mut headers = HeaderMap::new();
        let full_in = Duration::from_millis(1001);
        Allowance { limit: 60, remaining: 7, full_in }.write(&mut headers);
        let text = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(text("x-ratelimit-limit"), "60");
        assert_eq!(text("x-ratelimit-remaining"), "7");
        assert_eq!(text("x-ratelimit-reset"), "2");
    }
}
