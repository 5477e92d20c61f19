//! All guards around one call, in the order that makes sense of them.
//!
//! Retry stands outside, so each attempt passes all others again. Breaker before the queues: who is
//! left alone must not be waited for. The time limit is innermost, so waiting in a queue does not count
//! against the other side.

use std::sync::Arc;
use std::time::Duration;

use super::breaker::Breaker;
use super::clock::{Clock, SystemClock};
use super::concurrency::ConcurrencyLimit;
use super::failure::{Failure, Stop};
use super::rate_limit::RateLimit;
use super::retry::Retry;
use super::time_limit::within;

/// Guards of calls to one place. Clones share limits and breaker.
#[derive(Clone)]
pub struct Guards {
    /// Who is called, for messages.
    pub who: String,
    /// Limit of each attempt.
    pub time_limit: Option<Duration>,
    /// Repeats failed calls.
    pub retry: Option<Arc<Retry>>,
    /// Leaves the other side alone where it fails.
    pub breaker: Option<Arc<Breaker>>,
    /// Limit of calls at the same time.
    pub concurrency: Option<Arc<ConcurrencyLimit>>,
    /// Limit of calls in a time.
    pub rate: Option<Arc<RateLimit>>,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
}

impl Guards {
    /// No guards yet around calls to `who`.
    pub fn none(who: impl Into<String>) -> Guards {
        Guards {
            who: who.into(),
            time_limit: None,
            retry: None,
            breaker: None,
            concurrency: None,
            rate: None,
            clock: Arc::new(SystemClock::default()),
        }
    }

    /// What suits a remote service: a minute for an attempt, four retries, a breaker, 16 calls at once.
    pub fn usual(who: impl Into<String>) -> Guards {
        Guards {
            time_limit: Some(Duration::from_secs(60)),
            retry: Some(Arc::new(Retry::default())),
            breaker: Some(Arc::new(Breaker::default())),
            concurrency: Some(Arc::new(ConcurrencyLimit::new(16))),
            ..Guards::none(who)
        }
    }

    /// Makes a call.
    ///
    /// # Errors
    /// The last attempt's, or that a guard ended it.
    pub async fn run<T, E, F>(&self, call: impl Fn() -> F) -> Result<T, E>
    where
        E: Failure,
        F: Future<Output = Result<T, E>>,
    {
        match &self.retry {
            Some(retry) => retry.run(self.clock.as_ref(), || self.attempt(call())).await,
            None => self.attempt(call()).await,
        }
    }

    async fn attempt<T, E: Failure>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let pass = match &self.breaker {
            Some(breaker) => Some(
                breaker
                    .enter(self.clock.now())
                    .map_err(|wait| E::stopped(&self.who, Stop::BreakerOpen(wait)))?,
            ),
            None => None,
        };
        if let Some(rate) = &self.rate {
            rate.wait(self.clock.as_ref()).await;
        }
        let _room = match &self.concurrency {
            Some(limit) => limit.enter().await,
            None => None,
        };
        let result = match self.time_limit {
            Some(limit) => within(limit, &self.who, call).await,
            None => call.await,
        };
        match (pass, &result) {
            (Some(pass), Err(error)) if error.is_fault() => pass.failed(self.clock.now()),
            (Some(pass), _) => pass.succeeded(),
            (None, _) => {}
        }
        result
    }
}
