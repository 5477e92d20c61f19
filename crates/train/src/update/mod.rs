//! Improving the policy with what was played.

mod batch;
mod micro;
mod turns;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod update;

pub use batch::{Batch, BatchRow, BatchTrajectory};
pub use update::{UpdateReport, UpdateSettings, update};
