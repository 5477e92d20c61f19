//! Rewards: judgements of whole conversations, each with its rules in words at the head of its file.
//!
//! All values are from 0 to 1. What cannot be judged (no assistant turn, no expected answer) is
//! [`stateset_core::Score::Unscorable`], never 0. Heuristics read the text only and are English; each
//! file says which ways to cheat it are blocked and which are not.
//!
//! # Example
//! ```
//! use stateset_env::rewards::{CompositeReward, HelpfulnessReward, SafetyReward};
//!
//! let reward =
//!     CompositeReward::new([HelpfulnessReward::weighted(0.7), SafetyReward::weighted(0.3)])?;
//! assert_eq!(reward.weights().collect::<Vec<_>>(), [("helpfulness", 0.7), ("safety", 0.3)]);
//! # Ok::<(), stateset_env::EnvError>(())
//! ```

mod agent_turns;
mod composite;
mod conciseness;
mod contains;
mod database;
mod exact_number;
mod goal_coverage;
mod helpfulness;
mod kpi;
mod learning;
mod number;
mod regex;
mod safety;
mod spec;
mod task_completion;
mod user_satisfaction;

pub use composite::{Combine, CompositeReward, WeightedReward};
pub use conciseness::ConcisenessReward;
pub(crate) use contains::holds_word;
pub use contains::{ContainsReward, Matching, Need};
pub use database::{DatabaseReward, ToolProgressReward};
pub use exact_number::ExactNumberReward;
pub use goal_coverage::GoalCoverageReward;
pub use helpfulness::HelpfulnessReward;
pub use kpi::KpiReward;
pub use learning::LearningReward;
pub use number::final_number;
pub use regex::RegexReward;
pub use safety::SafetyReward;
pub use spec::{REWARD_NAMES, REWARD_PRESETS, parse_reward};
pub use task_completion::TaskCompletionReward;
pub use user_satisfaction::UserSatisfactionReward;
