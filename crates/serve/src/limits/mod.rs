//! How much one caller and all requests together may take. What one request may hold (messages, prompts,
//! characters, tokens) is checked by the routes that read it.

mod capacity;
mod gate;
mod rate;

pub use capacity::{Capacity, Slot};
pub use gate::{Gate, Limits};
pub use rate::{Allowance, RateLimit};
