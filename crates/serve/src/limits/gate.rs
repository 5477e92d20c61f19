//! The limits of a server, as settings and at work.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Capacity, RateLimit};

/// The limits of a server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Requests a minute of one key; `None` is any number.
    pub rate_per_minute: Option<NonZeroU32>,
    /// Requests that are answered at the same time.
    pub max_requests: usize,
    /// How long a client may take to send the head of a request, and a connection may be idle.
    pub header_timeout: Duration,
    /// How long a client may take none of what is written to it.
    pub write_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            rate_per_minute: NonZeroU32::new(60),
            max_requests: 1024,
            header_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
        }
    }
}

/// The limits that count.
pub struct Gate {
    /// Requests of one caller.
    pub(crate) rate: Option<RateLimit>,
    /// Requests of all.
    pub(crate) capacity: Capacity,
}

impl Gate {
    /// Begins to count.
    pub fn new(limits: &Limits) -> Gate {
        Gate {
            rate: limits.rate_per_minute.map(RateLimit::per_minute),
            capacity: Capacity::new(limits.max_requests),
        }
    }
}
