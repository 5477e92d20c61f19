//! Rewards to advantages.

mod group;

pub use group::{GroupAdvantage, RewardCombination, RewardScaling, weighted_total};
