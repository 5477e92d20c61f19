//! What an algorithm knows of a whole optimiser step before the first micro-batch.

use crate::{
    Aggregation, AlgoError, Controls, Diagnostics, RowCredit, RowData, RowScores, StepData,
    TokenFacts, TokenWeights, TrajectoryData,
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
    /// The trajectories of the step.
    pub trajectories: Vec<TrajectoryData>,
    /// One number for each trajectory that its tokens' loss depends on and no token's log-prob does;
    /// empty where the algorithm has none.
    pub contexts: Vec<f64>,
    /// Loss tokens of the step, without masked trajectories.
    pub n_loss_tokens: usize,
    /// Those of them that the critic has a target for.
    pub n_value_tokens: usize,
    /// Those of them in trajectories that count as solved.
    pub n_positive_tokens: usize,
    /// Coefficients that moved since the run began.
    pub controls: Controls,
    /// Statistics known before the first micro-batch; the losses add theirs.
    pub diagnostics: Diagnostics,
    rows: Vec<RowPlan<'a>>,
    weights: TokenWeights,
}

/// One row of a prepared step.
#[derive(Clone, Debug, PartialEq)]
pub struct RowPlan<'a> {
    /// The row.
    pub data: RowData<'a>,
    /// Its tokens' advantages and returns.
    pub credit: RowCredit,
    /// It has no part in the loss, nor in any statistic of tokens.
    pub masked: bool,
    /// Its trajectory counts as solved.
    pub is_positive: bool,
    /// Which tokens have a part in the policy loss; all where empty.
    pub kept: Vec<bool>,
}

impl<'a> Plan<'a> {
    /// A plan in which rows may be split at will, and truncated trajectories are left out of the loss
    /// and its denominators if `mask_truncated`.
    ///
    /// # Errors
    /// [`AlgoError`] where the arrays of the step do not fit each other or the credit.
    pub fn new(
        step: &StepData<'a>,
        credit: Vec<RowCredit>,
        aggregation: Aggregation,
        mask_truncated: bool,
    ) -> Result<Plan<'a>, AlgoError> {
        step.check()?;
        check_credit(step, &credit)?;
        let is_masked = |i: usize| mask_truncated && step.trajectories[i].truncated;
        let is_positive = |i: usize| {
            step.trajectories[i].scored().is_some_and(|reward| reward >= step.success_reward)
        };
        let lengths: Vec<usize> = (step.trajectory_lengths().into_iter().enumerate())
            .map(|(i, length)| if is_masked(i) { 0 } else { length })
            .collect();
        let row_plan = |(&data, credit): (&RowData<'a>, RowCredit)| RowPlan {
            data,
            credit,
            masked: is_masked(data.trajectory),
            is_positive: is_positive(data.trajectory),
            kept: Vec::new(),
        };
        let n_targets = |credit: &RowCredit| credit.returns.iter().filter(|r| !r.is_nan()).count();
        let taught = step.rows.iter().zip(&credit).filter(|(row, _)| !is_masked(row.trajectory));
        let n_value_tokens = taught.map(|(_, credit)| n_targets(credit)).sum();
        let positive = lengths.iter().enumerate().filter(|(i, _)| is_positive(*i));
        Ok(Plan {
            unit: Unit::Row,
            contexts: Vec::new(),
            n_loss_tokens: lengths.iter().sum(),
            n_value_tokens,
            n_positive_tokens: positive.map(|(_, length)| length).sum(),
            controls: step.controls,
            diagnostics: Diagnostics::default(),
            rows: step.rows.iter().zip(credit).map(row_plan).collect(),
            weights: aggregation.weights(step, &lengths)?,
            trajectories: step.trajectories.clone(),
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

    /// Rows of the step.
    pub fn rows(&self) -> &[RowPlan<'a>] {
        &self.rows
    }

    /// Keeps only some tokens of a row in the policy loss.
    pub(crate) fn keep(&mut self, row: usize, kept: Vec<bool>) {
        self.rows[row].kept = kept;
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

    /// Indices into `rows` by trajectory, in order of their first row.
    pub fn by_trajectory(&self, rows: &[RowScores<'_>]) -> Vec<Vec<usize>> {
        let mut place = vec![usize::MAX; self.trajectories.len()];
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for (index, scores) in rows.iter().enumerate() {
            let trajectory = self.rows[scores.row].data.trajectory;
            if place[trajectory] == usize::MAX {
                place[trajectory] = groups.len();
                groups.push(Vec::new());
            }
            groups[place[trajectory]].push(index);
        }
        groups
    }
}

fn check_credit(step: &StepData<'_>, credit: &[RowCredit]) -> Result<(), AlgoError> {
    for (row, data) in step.rows.iter().enumerate() {
        let expected = data.behaviour.len();
        let advantages = credit.get(row).map_or(&[][..], |credit| &credit.advantages);
        if advantages.len() != expected || advantages.iter().any(|a| !a.is_finite()) {
            return Err(AlgoError::BadAdvantages { row, expected, got: advantages.len() });
        }
        let returns = credit.get(row).map_or(0, |credit| credit.returns.len());
        if returns != 0 && returns != expected {
            let array = "returns";
            return Err(AlgoError::LengthMismatch { row, array, expected, got: returns });
        }
    }
    Ok(())
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
