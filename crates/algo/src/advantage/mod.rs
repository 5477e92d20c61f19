//! Rewards to advantages: one file each, and the choice among them.

mod baseline;
mod estimator;
mod gae;
mod gae_batch;
mod gigpo;
mod group;
mod group_kernel;
mod leave_one_out;
mod length_adaptive;
mod reinforce_pp;
mod soft_overlong;
mod token_rewards;
mod turn_credit;
mod turn_gae;
mod whiten;

pub use baseline::Baseline;
pub use estimator::{AdvantageEstimator, CriticEstimator};
pub use gae::{Gae, TokenCredit};
pub use gae_batch::GaeBatch;
pub use gigpo::{GiGpo, Visit};
pub use group::{GroupAdvantage, RewardCombination, RewardScaling, weighted_total};
pub use group_kernel::group_advantages;
pub use leave_one_out::LeaveOneOut;
pub use length_adaptive::{DecoupledGae, PolicyLambda};
pub use reinforce_pp::{ReinforcePlusPlus, discounted_returns};
pub use soft_overlong::SoftOverlong;
pub use token_rewards::{add_turn_rewards, penalised_reward, token_rewards};
pub use turn_credit::{TurnCredit, TwoPartRewards};
pub use turn_gae::{BiLevelGae, BiLevelVersion, TurnGae};
pub use whiten::Whitening;
