//! A circuit breaker: somebody who failed several times in a row is left alone for a while.
//!
//! Closed: all calls go through, and faults in a row are counted. Open: calls fail at once until the
//! cool-down is over. Half-open: one call is let through as a trial; it closes the breaker again or
//! opens it for another cool-down (Nygard, *Release It!*, chapter "Stability Patterns").
//! A call that began before the breaker opened says nothing about the time after: its outcome is
//! ignored, so that a slow success from before cannot close it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Faults in a row that open it; at least 1.
    pub max_faults: u32,
    /// How long it stays open before a trial.
    pub cool_down: Duration,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        BreakerSettings { max_faults: 8, cool_down: Duration::from_secs(30) }
    }
}

/// What a breaker does with the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Lets it through.
    Closed,
    /// Refuses it.
    Open,
    /// Lets one through as a trial.
    HalfOpen,
}

/// A circuit breaker. Time comes in as an argument.
#[derive(Debug)]
pub struct Breaker {
    settings: BreakerSettings,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    n_faults: u32,
    /// When it opened; closed where `None`.
    opened_at: Option<Duration>,
    has_trial: bool,
    /// Counts openings and closings.
    era: u64,
}

/// A call that was let through. Dropped without a word, it was given up and says nothing.
#[derive(Debug)]
pub struct Pass<'a> {
    breaker: &'a Breaker,
    era: u64,
    is_trial: bool,
}

impl Default for Breaker {
    fn default() -> Self {
        Breaker::new(BreakerSettings::default())
    }
}

impl Breaker {
    /// A closed breaker.
    pub fn new(settings: BreakerSettings) -> Breaker {
        Breaker { settings, inner: Mutex::default() }
    }

    /// What it would do with a call now.
    pub fn state(&self, now: Duration) -> BreakerState {
        match self.inner().opened_at {
            None => BreakerState::Closed,
            Some(at) if now < at + self.settings.cool_down => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    /// Lets a call through.
    ///
    /// # Errors
    /// How long to wait for the next trial, where it does not.
    pub fn enter(&self, now: Duration) -> Result<Pass<'_>, Duration> {
        let mut inner = self.inner();
        let is_trial = match inner.opened_at {
            None => false,
            Some(at) => {
                let wait = (at + self.settings.cool_down).saturating_sub(now);
                if !wait.is_zero() || inner.has_trial {
                    return Err(wait);
                }
                true
            }
        };
        inner.has_trial |= is_trial;
        Ok(Pass { breaker: self, era: inner.era, is_trial })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// The call went well, or failed by its own fault.
    pub fn succeeded(self) {
        let mut inner = self.breaker.inner();
        if inner.era == self.era {
            inner.n_faults = 0;
            if self.is_trial {
                inner.opened_at = None;
                inner.era += 1;
            }
        }
    }

    /// The other side failed it.
    pub fn failed(self, now: Duration) {
        let mut inner = self.breaker.inner();
        if inner.era == self.era {
            inner.n_faults += 1;
            if self.is_trial || inner.n_faults >= self.breaker.settings.max_faults.max(1) {
                inner.opened_at = Some(now);
                inner.n_faults = 0;
                inner.era += 1;
            }
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.is_trial {
            self.breaker.inner().has_trial = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn breaker() -> Breaker {
        Breaker::new(BreakerSettings { max_faults: 2, cool_down: at(10) })
    }

    fn opened(now: u64) -> Breaker {
        let breaker = breaker();
        breaker.enter(at(now)).unwrap().failed(at(now));
        breaker.enter(at(now)).unwrap().failed(at(now));
        breaker
    }

    #[test]
    fn faults_in_a_row_open_it() {
        let breaker = breaker();
        breaker.enter(at(0)).unwrap().failed(at(0));
        breaker.enter(at(0)).unwrap().succeeded();
        breaker.enter(at(0)).unwrap().failed(at(0));
        assert_eq!(breaker.state(at(0)), BreakerState::Closed);
        breaker.enter(at(1)).unwrap().failed(at(1));
        assert_eq!(breaker.state(at(2)), BreakerState::Open);
        assert_eq!(breaker.enter(at(4)).unwrap_err(), at(7));
    }

    #[test]
    fn one_trial_decides() {
        for is_well in [true, false] {
            let breaker = opened(0);
            assert_eq!(breaker.state(at(10)), BreakerState::HalfOpen);
            let trial = breaker.enter(at(10)).unwrap();
            assert_eq!(breaker.enter(at(10)).unwrap_err(), at(0), "there is one trial at a time");
            if is_well {
                trial.succeeded();
                assert_eq!(breaker.state(at(10)), BreakerState::Closed);
                breaker.enter(at(10)).unwrap().failed(at(10));
                assert_eq!(breaker.state(at(10)), BreakerState::Closed, "it counts from 0 again");
            } else {
                trial.failed(at(11));
                assert_eq!(breaker.enter(at(11)).unwrap_err(), at(10));
            }
        }
    }

    #[test]
    fn a_trial_that_was_given_up_makes_room_for_another() {
        let breaker = opened(0);
        drop(breaker.enter(at(10)).unwrap());
        assert_eq!(breaker.state(at(10)), BreakerState::HalfOpen);
        breaker.enter(at(10)).unwrap().succeeded();
        assert_eq!(breaker.state(at(10)), BreakerState::Closed);
    }

    #[test]
    fn late_news_is_ignored() {
        let breaker = breaker();
        let slow = [breaker.enter(at(0)).unwrap(), breaker.enter(at(0)).unwrap()];
        breaker.enter(at(1)).unwrap().failed(at(1));
        breaker.enter(at(1)).unwrap().failed(at(1));
        let [one, two] = slow;
        one.succeeded();
        assert_eq!(breaker.state(at(2)), BreakerState::Open);
        two.failed(at(9));
        assert_eq!(breaker.state(at(11)), BreakerState::HalfOpen);
    }
}
