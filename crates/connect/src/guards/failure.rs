//! What guards want to know of an error, whatever it is an error of.
//!
//! Two questions are kept apart. *May the same call be made again?* decides on retries; *is the other
//! side ill?* decides on the circuit breaker. A refund whose answer got lost is ill and must not be
//! repeated; a wrong argument is neither.

use std::time::Duration;

use stateset_core::{PolicyError, ToolError};

/// Why a guard ended a call by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// There was no answer within this time.
    TimedOut(Duration),
    /// The breaker is open; it lets a trial through after this time.
    BreakerOpen(Duration),
}

impl Stop {
    fn message(self) -> String {
        match self {
            Stop::TimedOut(limit) => format!("there was no answer within {} s", seconds(limit)),
            Stop::BreakerOpen(wait) => format!(
                "it failed several times in a row and is left alone for another {} s",
                seconds(wait)
            ),
        }
    }
}

fn seconds(time: Duration) -> String {
    let rounded = (time.as_secs_f64() * 1000.0).round() / 1000.0;
    rounded.to_string()
}

/// An error that guards can deal with.
pub trait Failure: Send + Sized {
    /// True where the same call may succeed a moment later and can be made again without harm.
    fn is_passing(&self) -> bool;

    /// True where the other side is ill, rather than the request wrong.
    fn is_fault(&self) -> bool;

    /// How long the other side asks to be left alone.
    fn retry_after(&self) -> Option<Duration>;

    /// The error of a call to `who` that a guard ended.
    fn stopped(who: &str, stop: Stop) -> Self;
}

impl Failure for PolicyError {
    fn is_passing(&self) -> bool {
        matches!(self, PolicyError::Unavailable { .. })
    }

    fn is_fault(&self) -> bool {
        matches!(self, PolicyError::Unavailable { .. } | PolicyError::Failed(_))
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            PolicyError::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    fn stopped(who: &str, stop: Stop) -> Self {
        let (who, message) = (who.to_owned(), stop.message());
        match stop {
            Stop::TimedOut(_) => PolicyError::Unavailable { who, message, retry_after: None },
            Stop::BreakerOpen(_) => PolicyError::Refused { who, message },
        }
    }
}

impl Failure for ToolError {
    fn is_passing(&self) -> bool {
        matches!(self, ToolError::Unavailable { is_repeatable: true, .. })
    }

    fn is_fault(&self) -> bool {
        matches!(self, ToolError::Unavailable { .. })
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            ToolError::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// A call that timed out may have had its effect, so it counts as one that cannot be repeated.
    fn stopped(who: &str, stop: Stop) -> Self {
        let (tool, mut message) = (who.to_owned(), stop.message());
        if let Stop::TimedOut(_) = stop {
            message.push_str("; it may have taken effect all the same");
        }
        ToolError::Unavailable { tool, message, retry_after: None, is_repeatable: false }
    }
}
