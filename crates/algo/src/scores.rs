//! What a trainer brings from a forward pass, and what it takes back for the backward pass.

use crate::Diagnostics;

/// The current policy's scores of one row.
///
/// # Shapes
/// One entry for each loss token of the row, in the order of [`crate::RowData::behaviour`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowScores<'a> {
    /// Index of the row in [`crate::StepData::rows`].
    pub row: usize,
    /// Log-prob of the token, natural log, at the sampling temperature.
    pub logprobs: &'a [f32],
    /// Entropy of the distribution it was drawn from, nats.
    pub entropies: &'a [f32],
    /// Value of the state before the token, where the algorithm wants it; with one more entry where it
    /// also wants the value after the last token.
    pub values: Option<&'a [f32]>,
    /// Log of the sum of squared probabilities of the token's distribution, where the algorithm wants
    /// it.
    pub log_sum_p2: Option<&'a [f32]>,
}

/// Derivatives of the step's loss with respect to the scores of one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowGradients {
    /// With respect to each log-prob.
    pub logprobs: Vec<f32>,
    /// With respect to each entropy; empty where they are all zero.
    pub entropies: Vec<f32>,
    /// With respect to each value; empty where they are all zero.
    pub values: Vec<f32>,
    /// With respect to each log of the sum of squares; empty where they are all zero.
    pub log_sum_p2: Vec<f32>,
}

/// What a micro-batch adds to the step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LossOutput {
    /// Its share of the loss; shares of micro-batches add up.
    pub loss: f64,
    /// One for each of the rows given, in their order.
    pub gradients: Vec<RowGradients>,
    /// Statistics; add them to those of the plan and of the other micro-batches.
    pub diagnostics: Diagnostics,
}
