//! What time it is, by two hands: the date, which somebody may set, and one that only goes on.
//!
//! What is shown to people, and what others wrote dates on, goes by the date. What lasts (leases, claims)
//! goes by the steady hand, so that a date that jumps ends nothing and prolongs nothing.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

type Hand = Arc<dyn Fn() -> i64 + Send + Sync>;

/// Says what time it is; a test hands in its own.
#[derive(Clone)]
pub struct Clock {
    date: Hand,
    steady: Hand,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Clock {
        let (begun, at) = (Instant::now(), date());
        let steady = move || at.saturating_add(millis(begun.elapsed()));
        Clock::new(date, steady)
    }

    /// A clock whose hands show what these give, in milliseconds since 1970. The steady one may begin
    /// anywhere and never goes back.
    pub fn new(
        date: impl Fn() -> i64 + Send + Sync + 'static,
        steady: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Clock {
        Clock { date: Arc::new(date), steady: Arc::new(steady) }
    }

    /// The date, in milliseconds since 1970.
    pub fn millis(&self) -> i64 {
        (self.date)()
    }

    /// What lasts goes by this: milliseconds since some moment, whatever happens to the date.
    pub fn steady_millis(&self) -> i64 {
        (self.steady)()
    }
}

impl Default for Clock {
    fn default() -> Clock {
        Clock::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.millis())
    }
}

fn date() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

/// A span in whole milliseconds; the longest there is where it is longer.
pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
