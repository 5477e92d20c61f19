//! The seam between trainers and algorithms.
//!
//! A trainer holds a `&dyn Algorithm` and never asks which one. The choice a reader may question:
//! `loss` returns gradients instead of taking part in automatic differentiation, so that every loss
//! is plain arithmetic that finite differences can check.

use crate::{
    AlgoError, Controls, Credit, Diagnostics, LossOutput, Plan, RowCredit, RowScores, StepData,
};

/// What an algorithm needs beside the log-prob of each loss token, which it always needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Gradients with respect to the entropies will come back. Entropies themselves are always
    /// given, for the diagnostics.
    pub entropy_gradient: bool,
    /// [`crate::RowData::reference`] must be set in every row.
    pub reference: bool,
    /// [`crate::RowData::values`] and [`RowScores::values`] must be set, and gradients with respect
    /// to them will come back.
    pub values: bool,
    /// [`RowScores::values`] has one entry more than the row has loss tokens: the value after its last
    /// token. ([`crate::RowData::end_value`] is set wherever values are wanted.)
    pub end_value: bool,
    /// [`crate::RowData::entropies`] must be set.
    pub entropies: bool,
    /// [`crate::RowData::old`] must be what the weights at the start of the update phase say, even
    /// where other weights sampled.
    pub old: bool,
    /// [`crate::RowScores::log_sum_p2`] must be set.
    pub log_sum_p2: bool,
    /// The policy itself is not trained: no gradient with respect to log-probs will come back.
    pub values_only: bool,
    /// [`crate::RowData::current`] must be set in the rows of [`crate::Preference::Mismatched`]
    /// trajectories.
    pub current_of_mismatched: bool,
}

/// A training algorithm: rewards to advantages, log-probs to loss and gradients.
pub trait Algorithm: Send + Sync {
    /// Lower-case name, such as `grpo`.
    fn name(&self) -> &'static str;

    /// What a trainer must bring along.
    fn wants(&self) -> Wants;

    /// Credit for a whole rollout batch: everything about rewards. Called once, before the first
    /// optimiser step.
    ///
    /// # Errors
    /// [`AlgoError`] where the settings are invalid or the arrays do not fit each other.
    fn credit(&self, batch: &StepData<'_>) -> Result<Credit, AlgoError>;

    /// Everything that depends on the whole optimiser step: masks, statistics, denominators.
    /// `credit` has one entry for each row of the step.
    ///
    /// # Errors
    /// [`AlgoError`] where the settings are invalid or the arrays do not fit each other.
    fn prepare<'a>(
        &self,
        step: &StepData<'a>,
        credit: Vec<RowCredit>,
    ) -> Result<Plan<'a>, AlgoError>;

    /// A micro-batch's share of the step's loss, with gradients. The shares of any division of the
    /// step's rows into micro-batches that keeps [`Plan::unit`] whole add up to the same loss.
    ///
    /// A NaN among the scores gives a NaN loss: the caller must not step on it.
    ///
    /// # Panics
    /// Where `rows` names a row that the plan does not have, or has another number of loss tokens.
    fn loss(&self, plan: &Plan<'_>, rows: &[RowScores<'_>]) -> LossOutput;

    /// The coefficients for the next optimiser step, after one with these statistics over
    /// `n_trajectories`.
    fn adapt(
        &self,
        controls: Controls,
        _diagnostics: &Diagnostics,
        _n_trajectories: usize,
    ) -> Controls {
        controls
    }

    /// True where the passes over the present batch should end, because the policy has moved far
    /// enough; asked after each pass, with its statistics.
    fn ends_passes(&self, _pass: &Diagnostics) -> bool {
        false
    }

    /// How gradients become a change of the weights.
    fn step_rule(&self) -> StepRule<'_> {
        StepRule::FirstOrder
    }
}

/// How gradients become a change of the weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepRule<'a> {
    /// The optimiser's way.
    FirstOrder,
    /// A natural-gradient step inside a trust region.
    TrustRegion(&'a crate::TrustRegion),
}
