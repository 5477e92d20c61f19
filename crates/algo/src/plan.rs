//! What an algorithm knows of a whole optimiser step before the first micro-batch.

use crate::{
    Aggregation, AlgoError, Diagnostics, RewardStats, RowData, RowScores, StepData, TokenFacts,
    TokenWeights,
};

/// What a micro-batch must hold whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Rows may go to any micro-batch.
    Row,
    /// All rows of a trajectory stay together.
    Trajectory,
    /// A preferred and a rejected answer stay together.
    Pair,
    /// All rows of a group stay together.
    Group,
    /// The step is one micro-batch.
    Step,
}

/// A prepared optimiser step.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<'a> {
    /// What a micro-batch must hold whole.
    pub unit: Unit,
    /// Advantage of each trajectory.
    pub advantages: Vec<f64>,
    /// Loss tokens of the step, without masked trajectories.
    pub n_loss_tokens: usize,
    /// Statistics of rewards and lengths; the losses add theirs.
    pub diagnostics: Diagnostics,
    rows: Vec<RowPlan<'a>>,
    weights: TokenWeights,
}

/// One row of a prepared step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowPlan<'a> {
    /// The row.
    pub data: RowData<'a>,
    /// Its trajectory's advantage.
    pub advantage: f64,
    /// It has no part in the loss, nor in any statistic of tokens.
    pub masked: bool,
}

impl<'a> Plan<'a> {
    /// A plan in which every token has its trajectory's advantage, rows may be split at will, and
    /// truncated trajectories are left out of the loss and its denominators if `mask_truncated`.
    ///
    /// # Errors
    /// [`AlgoError`] where the arrays of the step do not fit each other or the advantages.
    pub fn new(
        step: &StepData<'a>,
        advantages: Vec<f64>,
        aggregation: Aggregation,
        mask_truncated: bool,
    ) -> Result<Plan<'a>, AlgoError> {
        step.check()?;
        let expected = step.trajectories.len();
        if advantages.len() != expected || advantages.iter().any(|a| !a.is_finite()) {
            return Err(AlgoError::BadAdvantages { expected, got: advantages.len() });
        }
        let is_masked = |i: usize| mask_truncated && step.trajectories[i].truncated;
        let lengths: Vec<usize> = (step.trajectory_lengths().into_iter().enumerate())
            .map(|(i, length)| if is_masked(i) { 0 } else { length })
            .collect();
        let row_plan = |&data: &RowData<'a>| RowPlan {
            data,
            advantage: advantages[data.trajectory],
            masked: is_masked(data.trajectory),
        };
        Ok(Plan {
            unit: Unit::Row,
            n_loss_tokens: lengths.iter().sum(),
            diagnostics: Diagnostics {
                rewards: RewardStats::of(step, &advantages),
                ..Diagnostics::default()
            },
            rows: step.rows.iter().map(row_plan).collect(),
            weights: aggregation.weights(step, &lengths)?,
            advantages,
        })
    }

    /// The row that `scores` belong to.
    ///
    /// # Panics
    /// Where there is no such row, or it has another number of loss tokens.
    pub fn row(&self, scores: &RowScores<'_>) -> &RowPlan<'a> {
        let row = &self.rows[scores.row];
        let n_tokens = row.data.behaviour.len();
        assert_eq!(scores.logprobs.len(), n_tokens, "log-probs of row {}", scores.row);
        assert_eq!(scores.entropies.len(), n_tokens, "entropies of row {}", scores.row);
        row
    }

    /// Weight of a token of each row of a micro-batch in the loss of the step.
    pub fn token_weights(&self, rows: &[RowScores<'_>]) -> Vec<f64> {
        let lengths: Vec<(usize, usize)> = rows
            .iter()
            .map(|scores| {
                let row = &self.rows[scores.row];
                (scores.row, if row.masked { 0 } else { row.data.behaviour.len() })
            })
            .collect();
        self.weights.of_micro_batch(&lengths)
    }
}

impl RowPlan<'_> {
    /// What is known of loss token `token` of this row, given the current policy's scores of it.
    /// The ratio is left at 1 for the algorithm to fill.
    pub fn facts(&self, scores: &RowScores<'_>, token: usize) -> TokenFacts {
        let current = f64::from(scores.logprobs[token]);
        TokenFacts {
            current,
            old: self.data.old.map_or(current, |old| f64::from(old[token])),
            behaviour: f64::from(self.data.behaviour[token]),
            reference: self.data.reference.map(|reference| f64::from(reference[token])),
            entropy: f64::from(scores.entropies[token]),
            ratio: 1.0,
            clipped: None,
        }
    }
}
