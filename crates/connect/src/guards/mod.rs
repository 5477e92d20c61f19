//! What stands between a caller and somebody who may be slow, busy or gone.
//!
//! [`Guards`] holds time limit, retries, circuit breaker, concurrency limit and rate limit, each of
//! them optional; [`Guarded`] puts them before any [`stateset_core::Policy`], [`stateset_core::Judge`]
//! or [`stateset_core::Tool`]. Time comes from a [`Clock`], so tests do not wait.

mod breaker;
mod clock;
mod concurrency;
mod failure;
mod guarded;
mod pipeline;
mod rate_limit;
mod retry;
mod time_limit;

pub use breaker::{Breaker, BreakerSettings, BreakerState, Pass};
pub use clock::{Clock, SystemClock};
pub use concurrency::ConcurrencyLimit;
pub use failure::{Failure, Stop};
pub use guarded::Guarded;
pub use pipeline::Guards;
pub use rate_limit::RateLimit;
pub use retry::{Retry, RetrySettings};
pub use time_limit::within;
