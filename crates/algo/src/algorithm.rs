//! The seam between trainers and algorithms.
//!
//! A trainer holds a `&dyn Algorithm` and never asks which one. The choice a reader may question:
//! `loss` returns gradients instead of taking part in automatic differentiation, so that every loss
//! is plain arithmetic that finite differences can check.

use crate::{AlgoError, LossOutput, Plan, RowScores, StepData};

/// What an algorithm needs beside the log-prob of each loss token, which it always needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Gradients with respect to the entropies will come back. Entropies themselves are always
    /// given, for the diagnostics.
    pub entropy_gradient: bool,
    /// [`crate::RowData::reference`] must be set in every row.
    pub reference: bool,
    /// [`RowScores::values`] must be set, and gradients with respect to them will come back.
    pub values: bool,
}

/// A training algorithm: rewards to advantages, log-probs to loss and gradients.
pub trait Algorithm: Send + Sync {
    /// Lower-case name, such as `grpo`.
    fn name(&self) -> &'static str;

    /// What a trainer must bring along.
    fn wants(&self) -> Wants;

    /// Everything that depends on the whole optimiser step: advantages, statistics, denominators.
    ///
    /// # Errors
    /// [`AlgoError`] where the settings are invalid or the arrays do not fit each other.
    fn prepare<'a>(&self, step: &StepData<'a>) -> Result<Plan<'a>, AlgoError>;

    /// A micro-batch's share of the step's loss, with gradients. The shares of any division of the
    /// step's rows into micro-batches that keeps [`Plan::unit`] whole add up to the same loss.
    ///
    /// A NaN among the scores gives a NaN loss: the caller must not step on it.
    ///
    /// # Panics
    /// Where `rows` names a row that the plan does not have, or has another number of loss tokens.
    fn loss(&self, plan: &Plan<'_>, rows: &[RowScores<'_>]) -> LossOutput;
}
