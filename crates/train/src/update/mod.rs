//! Improving the policy with what was played.

mod batch;
mod before;
mod gradient;
mod micro;
mod natural;
mod summary;
mod turns;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod update;

pub use batch::{Batch, BatchRow, BatchTrajectory};
pub(crate) use micro::packed;
pub use summary::UpdateReport;
pub use update::{UpdateLimits, UpdatePlace, UpdateSettings, update};
