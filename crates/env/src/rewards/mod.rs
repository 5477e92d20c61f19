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

mod adaptive;
mod agent_turns;
mod combine;
mod composite;
mod conciseness;
mod contains;
mod exact_number;
mod factories;
mod file;
mod function;
mod helpfulness;
mod multi_objective;
mod number;
mod pareto;
mod parts_table;
mod regex;
mod running_weights;
mod safety;
mod spec;
mod task_completion;
mod verified;

pub use adaptive::{Adaptation, AdaptiveReward, Rule};
pub use combine::Combine;
pub use composite::{CompositeReward, WeightedReward};
pub use conciseness::ConcisenessReward;
pub use contains::{ContainsReward, Matching, Need};
pub use exact_number::ExactNumberReward;
pub use factories::{
    SIMILARITY_WEIGHT, create_adaptive_reward, create_customer_service_reward,
    create_domain_reward, create_helpful_agent_reward, create_task_agent_reward,
    create_tutoring_reward,
};
pub use file::{MAX_REWARD_FILE_BYTES, RewardFile, RewardFileFormat};
pub use function::{ScoreFuture, async_reward_fn, reward_fn};
pub use helpfulness::HelpfulnessReward;
pub use multi_objective::{MultiObjectiveReward, Objective};
pub(crate) use number::all_numbers;
pub use number::final_number;
pub use pareto::ParetoReport;
pub use parts_table::{Column, PartsTable, Summary, TOTAL};
pub use regex::RegexReward;
pub(crate) use regex::compile_pattern;
pub use safety::SafetyReward;
pub use spec::{REWARD_NAMES, REWARD_PRESETS, parse_reward};
pub use task_completion::TaskCompletionReward;
pub use verified::VerifiedReward;
