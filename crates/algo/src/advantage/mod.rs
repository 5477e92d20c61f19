//! Rewards to advantages: one file each, and the choice among them.

mod estimator;
mod group;

pub use estimator::AdvantageEstimator;
pub use group::{GroupAdvantage, RewardCombination, RewardScaling, weighted_total};
