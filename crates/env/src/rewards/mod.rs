//! Rewards: judgements of whole conversations, each with its rules in words at the head of its file.
//!
//! All values are from 0 to 1. What cannot be judged (no assistant turn, no expected answer) is
//! [`stateset_core::Score::Unscorable`], never 0. `words/` holds the phrases that they look for. Heuristics read the text only and are English; each
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

mod action_oriented;
mod adaptive;
mod agent_turns;
mod combine;
mod composite;
mod conciseness;
mod contains;
mod correctness;
mod customer_service;
mod database;
mod diversity;
mod domain_specific;
mod empathy;
mod engagement;
mod exact_number;
mod factories;
mod file;
mod function;
mod goal_coverage;
mod helpfulness;
mod heuristic;
mod kpi;
mod learning;
mod length;
mod lexicon;
mod multi_objective;
mod number;
mod pareto;
mod parts_table;
mod professionalism;
mod reasoning_format;
mod regex;
mod running_weights;
mod safety;
mod sales;
mod similarity;
mod similarity_aware;
mod spec;
mod task_completion;
mod technical_support;
mod tool_use;
mod user_satisfaction;
mod verified;

pub use action_oriented::ActionOrientedReward;
pub use adaptive::{Adaptation, AdaptiveReward, Rule};
pub use combine::Combine;
pub use composite::{CompositeReward, WeightedReward};
pub use conciseness::ConcisenessReward;
pub(crate) use contains::holds_word;
pub use contains::{ContainsReward, Matching, Need};
pub use correctness::CorrectnessReward;
pub use customer_service::CustomerServiceReplyReward;
pub use database::{DatabaseReward, ToolProgressReward};
pub use diversity::DiversityReward;
pub use domain_specific::DomainSpecificReward;
pub use empathy::EmpathyReward;
pub use engagement::EngagementReward;
pub use exact_number::ExactNumberReward;
pub use factories::{
    SIMILARITY_WEIGHT, create_adaptive_reward, create_customer_service_reward,
    create_domain_reward, create_helpful_agent_reward, create_task_agent_reward,
    create_tutoring_reward,
};
pub use file::{MAX_REWARD_FILE_BYTES, RewardFile, RewardFileFormat};
pub use function::{ScoreFuture, async_reward_fn, reward_fn};
pub use goal_coverage::GoalCoverageReward;
pub use helpfulness::HelpfulnessReward;
pub use kpi::KpiReward;
pub use learning::LearningReward;
pub use length::LengthReward;
pub use multi_objective::{MultiObjectiveReward, Objective};
pub(crate) use number::all_numbers;
pub use number::final_number;
pub use pareto::ParetoReport;
pub use parts_table::{Column, PartsTable, Summary, TOTAL};
pub use professionalism::ProfessionalismReward;
pub use reasoning_format::ReasoningFormatReward;
pub use regex::RegexReward;
pub(crate) use regex::compile_pattern;
pub use safety::SafetyReward;
pub use sales::SalesReplyReward;
pub use similarity::{Likeness, SimilarityReward};
pub use similarity_aware::SimilarityAwareReward;
pub use spec::{REWARD_NAMES, REWARD_PRESETS, parse_reward};
pub use task_completion::TaskCompletionReward;
pub use technical_support::TechnicalSupportReplyReward;
pub use tool_use::ToolUseReward;
pub use user_satisfaction::UserSatisfactionReward;
pub use verified::VerifiedReward;

/// The guide's page on rewards, whose code is compiled and run with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/rewards.md")]
mod guide {}
