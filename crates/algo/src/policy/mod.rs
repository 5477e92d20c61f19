//! Policy losses: one file each, and the parts they share.

mod aggregation;
mod clip;
mod grpo;

pub use aggregation::{Aggregation, TokenWeights};
pub use clip::Clip;
pub use grpo::Grpo;
