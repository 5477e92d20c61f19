//! How much one caller, one request and all requests together may take.

mod capacity;
mod gate;
mod rate;
mod sizes;

pub use capacity::{Capacity, Slot};
pub use gate::{Gate, Limits};
pub use rate::{Allowance, RateLimit};
pub use sizes::SizeLimits;
