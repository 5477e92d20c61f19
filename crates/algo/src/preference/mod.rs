//! Preference losses: which of two answers is better, or whether one answer is good.
//!
//! Plain arithmetic on completions: log-probs in, a loss and its gradient with respect to each
//! current log-prob out. One file for each method, and the parts they share.

mod bradley_terry;
mod completion;
mod cpo;
mod dpo;
mod dpo_loss;
mod f_divergence;
mod kto;
mod logistic;
mod method;
mod orpo;
mod output;
mod pair_sum;
mod reward_model;
mod transport;

pub use bradley_terry::{BradleyTerry, RewardOutput, ScoredPair};
pub use completion::{Completion, CompletionId, Pair, PairTotals, Role};
pub use cpo::{Cpo, CpoLoss};
pub use dpo::{Dpo, WeightedLoss};
pub use dpo_loss::DpoLoss;
pub use f_divergence::FDivergence;
pub use kto::{Imbalance, Judged, Kto, KtoLoss, KtoOutput, KtoStep};
pub use method::PreferenceMethod;
pub use orpo::Orpo;
pub use output::{PairGradients, PairOutput, PreferenceStats};
pub use reward_model::RewardModel;
