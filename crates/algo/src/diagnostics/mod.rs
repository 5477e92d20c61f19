//! What a training step reports about itself.

mod explained_variance;
mod moments;
mod report;
mod rewards;
mod tokens;
mod values;

pub use explained_variance::explained_variance;
pub use moments::{Mean, Moments};
pub use report::Diagnostics;
pub use rewards::RewardStats;
pub use tokens::{ClipSide, RowStats, TokenFacts, TokenStats};
pub use values::ValueStats;
