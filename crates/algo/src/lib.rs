//! Advantages, losses with their gradients, KL estimators, schedules and diagnostics: slices in, numbers out.
//!
//! An [`Algorithm`] is a small value with two parts. [`Algorithm::prepare`] reads the arrays of a
//! whole optimiser step ([`StepData`]) and makes a [`Plan`]: advantages and denominators.
//! [`Algorithm::loss`] then takes the [`RowScores`] of one micro-batch after another and gives the
//! micro-batch's share of the loss and its *gradients* with respect to every log-prob, entropy and
//! value. A trainer sums the shares and carries the gradients back through the model; it knows no
//! algorithm, and no algorithm knows a tensor.
//!
//! Scores and gradients are `f32`, as an engine holds them; all arithmetic between is `f64`.
//!
//! # Example
//!
//! ```
//! use stateset_algo::{Algorithm, Grpo, RowData, RowScores, StepData, TrajectoryData};
//!
//! // Two samples of one scenario, one row of two sampled tokens each.
//! let sampled = [[-0.5, -1.0], [-0.7, -0.2]];
//! let step = StepData {
//!     trajectories: vec![
//!         TrajectoryData { group: 0, reward: Some(1.0), ..Default::default() },
//!         TrajectoryData { group: 0, reward: Some(0.0), ..Default::default() },
//!     ],
//!     rows: (0..2)
//!         .map(|i| RowData { trajectory: i, behaviour: &sampled[i], ..Default::default() })
//!         .collect(),
//!     ..Default::default()
//! };
//! let grpo = Grpo::default();
//! let plan = grpo.prepare(&step)?;
//! let scores = RowScores { row: 0, logprobs: &sampled[0], entropies: &[1.0, 1.0], values: None };
//! let out = grpo.loss(&plan, &[scores]);
//! assert!(out.gradients[0].logprobs[0] < 0.0, "descending raises the better sample's log-probs");
//! # Ok::<(), stateset_algo::AlgoError>(())
//! ```

mod adaptive_kl;
mod advantage;
mod algorithm;
mod bootstrap;
mod diagnostics;
mod error;
mod feedback;
mod kl;
mod plan;
mod policy;
mod ratio;
mod schedule;
mod scores;
mod step;

pub use adaptive_kl::AdaptiveKl;
pub use advantage::{GroupAdvantage, RewardCombination, RewardScaling, weighted_total};
pub use algorithm::{Algorithm, Wants};
pub use bootstrap::{Bootstrap, Interval};
pub use diagnostics::{
    ClipSide, Diagnostics, Mean, Moments, RewardStats, RowStats, TokenFacts, TokenStats,
    explained_variance,
};
pub use error::{AlgoError, Problem};
pub use feedback::{
    BradleyTerry, Comparison, FeedbackError, MAX_DISAGREEMENT, OrderTally, SoftLabel, TruthTally,
    Wins, centred_score, expected_score, option_probabilities, soft_label_loss,
};
pub use kl::{KlEstimator, KlPenalty, k1, k2, k3};
pub use plan::{Plan, RowPlan, Unit};
pub use policy::{Aggregation, Clip, Grpo, TokenWeights};
pub use ratio::{MAX_LOG_RATIO, Term, ratio};
pub use schedule::{Ramp, Schedule, ScheduleShape, warmup_steps_from_ratio};
pub use scores::{LossOutput, RowGradients, RowScores};
pub use step::{GenerationWindow, RowData, StepData, TrajectoryData};
