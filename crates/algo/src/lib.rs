//! Advantages, losses with their gradients, KL estimators, schedules and diagnostics: slices in, numbers out.
//!
//! An [`Algorithm`] is a small value with three parts. [`Algorithm::credit`] reads the arrays of a
//! rollout batch ([`StepData`]) and gives every token its advantage. [`Algorithm::prepare`] makes a
//! [`Plan`] of one optimiser step: masks and denominators. [`Algorithm::loss`] then takes the [`RowScores`] of one micro-batch after another and gives the
//! micro-batch's share of the loss and its *gradients* with respect to every log-prob, entropy and
//! value. A trainer sums the shares and carries the gradients back through the model; it knows no
//! algorithm, and no algorithm knows a tensor.
//!
//! Scores and gradients are `f32`, as an engine holds them; all arithmetic between is `f64`.
//!
//! # Example
//!
//! ```
//! use stateset_algo::{Algorithm, PolicyGradient, RowData, RowScores, StepData, TrajectoryData};
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
//! let grpo = PolicyGradient::default();
//! let credit = grpo.credit(&step)?;
//! let plan = grpo.prepare(&step, credit.rows)?;
//! let scores = RowScores { logprobs: &sampled[0], entropies: &[1.0, 1.0], ..RowScores::default() };
//! let out = grpo.loss(&plan, &[scores]);
//! assert!(out.gradients[0].logprobs[0] < 0.0, "descending raises the better sample's log-probs");
//! # Ok::<(), stateset_algo::AlgoError>(())
//! ```

mod adaptive_entropy;
mod adaptive_kl;
mod advantage;
mod algorithm;
mod bootstrap;
mod credit;
mod diagnostics;
mod error;
mod feedback;
mod kl;
mod monitor;
mod plan;
mod policy;
mod preference;
mod ratio;
mod real;
mod schedule;
mod scores;
mod step;
mod trust_region;
mod value_loss;

pub use adaptive_entropy::AdaptiveEntropy;
pub use adaptive_kl::AdaptiveKl;
pub use advantage::{
    AdvantageEstimator, Baseline, BiLevelGae, BiLevelVersion, CriticEstimator, DecoupledGae, Gae,
    GaeBatch, GiGpo, GroupAdvantage, LeaveOneOut, PolicyLambda, ReinforcePlusPlus,
    RewardCombination, RewardScaling, SoftOverlong, TokenCredit, TurnCredit, TurnGae,
    TwoPartRewards, Visit, Whitening, add_turn_rewards, discounted_returns, group_advantages,
    penalised_reward, token_rewards, weighted_total,
};
pub use algorithm::{Algorithm, StepRule, Wants};
pub use bootstrap::{Bootstrap, Interval};
pub use credit::{Credit, RowCredit};
pub use diagnostics::{
    ClipSide, Diagnostics, Mean, Moments, RewardStats, RowStats, TokenFacts, TokenStats,
    ValueStats, explained_variance,
};
pub use error::{AlgoError, Problem};
pub use feedback::{
    Comparison, FeedbackError, MAX_DISAGREEMENT, OrderTally, SoftLabel, Strengths, TruthTally,
    Wins, centred_score, expected_score, option_probabilities, soft_label_loss,
};
pub use kl::{KlEstimator, KlPenalty, k1, k2, k3};
pub use monitor::{
    Action, AdjustLimits, AdjustState, Adjustment, AutoAdjust, BaselineEpisode, BaselineFacts,
    BaselineRun, Choice, ClipKind, ClipShareRule, DeadGroupsRule, DiagnosticsMonitor, Difficulty,
    DriftRule, EffectiveSamplesRule, EntropyRule, EvaluationRule, ExplainedVarianceRule, Finding,
    GradientRule, HealthReport, Knob, Level, MismatchKlRule, MismatchWeightRule, MonitorRules,
    MonitorState, Override, OverrideValue, Profile, Quantity, ReferenceKlRule, RunTraits, Signal,
    Trigger, TruncationRule, choose_profile,
};
pub use plan::{Plan, RowPlan, Unit};
pub use policy::{
    Aggregation, Cispo, Clip, Correction, CorrectionLevel, CorrectionRule, Gepo, Gmpo,
    PolicyGradient, RatioLevel, Reinforce, Sapo, Sequence, Slopes, Surrogate, TokenLoss,
    TokenWeights, ValueTerm, Vespo, VespoShape, a2c, bnpo, cispo, dapo, dr_grpo, gepo, gmpo, grpo,
    gspo, gspo_token, luspo, off_policy_mask, ppo, reinforce, reinforce_pp, rloo, sapo, trpo, vapo,
    vespo,
};
pub use preference::{
    BradleyTerry, Completion, CompletionId, Cpo, CpoLoss, Dpo, DpoLoss, FDivergence, Imbalance,
    Judged, Kto, KtoLoss, KtoOutput, KtoStep, Orpo, Pair, PairGradients, PairOutput, PairTotals,
    PreferenceStats, RewardOutput, Role, ScoredPair, WeightedLoss,
};
pub use ratio::{MAX_LOG_RATIO, Term, ratio};
pub use real::Real;
pub use schedule::{Ramp, Schedule, ScheduleShape, warmup_steps_from_ratio};
pub use scores::{LossOutput, RowGradients, RowScores};
pub use step::{
    Controls, GenerationWindow, Preference, RowData, StepData, TrajectoryData, TurnData,
};
pub use trust_region::{Accepted, Candidate, ConjugateGradient, Direction, TrustRegion};
pub use value_loss::{ValueLoss, ValueLossSums};
