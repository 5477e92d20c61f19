//! From token losses to one number: what a token weighs.
//!
//! With N_i the loss tokens of trajectory i (over all its rows), N their sum over the whole
//! *optimiser step*, B the number of trajectories of the step:
//!
//! | name | loss | source |
//! |---|---|---|
//! | `grpo` | mean over i of ( sum ell / max(N_i, 1) ) | arXiv 2402.03300; every trajectory weighs the same |
//! | `dapo` | sum ell / N | arXiv 2503.14476; every token weighs the same; TRL's default |
//! | `dr_grpo` | sum ell / (B L_max) | arXiv 2503.20783; no length in the denominator |
//! | `token_sum` | mean over i of ( sum ell ) | verl's `seq-mean-token-sum`; with a sequence ratio it is LUSPO's, arXiv 2602.05261 |
//! | `bnpo` | per micro-batch: sum ell / its N, weighed by its share of the step's rows | TRL |
//!
//! All but `bnpo` are one number for each row, fixed for the step, so no division into micro-batches
//! changes them. `bnpo` is defined by the micro-batch, and does depend on it; with micro-batches of
//! equal size its share is TRL's 1 / gradient-accumulation steps.
//!
//! TRL's `dapo` divides by the *average* token count of the optimiser steps of a generation batch
//! instead of this step's own; `trl_window` does the same, from [`crate::StepData::window`]. The DAPO
//! paper normalises inside each group; TRL, verl and this do it over the batch.

use crate::error::Problems;
use crate::{AlgoError, Problem, StepData};

/// How token losses are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregation {
    /// Mean over trajectories of the mean over tokens.
    Grpo,
    /// Mean over the tokens of the micro-batch.
    Bnpo,
    /// Mean over trajectories of the sum over tokens.
    TokenSum,
    /// Sum over tokens, divided by trajectories times a constant.
    DrGrpo {
        /// L_max: the token limit of a completion, 1 or more.
        max_completion_tokens: usize,
    },
    /// Mean over the tokens of the optimiser step.
    Dapo {
        /// Divide by the average token count of the generation batch's steps, as TRL does.
        trl_window: bool,
    },
}

impl Default for Aggregation {
    fn default() -> Self {
        Aggregation::Dapo { trl_window: false }
    }
}

/// Weight of each row's tokens in the loss of the step.
#[derive(Clone, Debug, PartialEq)]
pub enum TokenWeights {
    /// One weight for each row of the step.
    Fixed(Vec<f64>),
    /// One weight for all rows of a micro-batch.
    MicroBatch {
        /// Rows of the step.
        n_rows: usize,
    },
}

impl Aggregation {
    /// Name as in TRL's `loss_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Aggregation::Grpo => "grpo",
            Aggregation::Bnpo => "bnpo",
            Aggregation::TokenSum => "token_sum",
            Aggregation::DrGrpo { .. } => "dr_grpo",
            Aggregation::Dapo { .. } => "dapo",
        }
    }

    /// Everything wrong with the settings.
    pub fn validate(self) -> Vec<Problem> {
        let mut problems = Problems::default();
        if let Aggregation::DrGrpo { max_completion_tokens } = self {
            problems.require(
                max_completion_tokens > 0,
                "aggregation.max_completion_tokens",
                max_completion_tokens,
                "1 or more",
                "take the limit that the rollouts are sampled with",
            );
        }
        problems.into_vec()
    }

    /// The weights of a step whose trajectories have `lengths` loss tokens (0 where masked).
    ///
    /// # Errors
    /// [`AlgoError::MissingWindow`] where TRL's average is wanted and the step has no window.
    pub fn weights(
        self,
        step: &StepData<'_>,
        lengths: &[usize],
    ) -> Result<TokenWeights, AlgoError> {
        let n_trajectories = lengths.len().max(1) as f64;
        let uniform =
            |denominator: f64| TokenWeights::Fixed(vec![1.0 / denominator; step.rows.len()]);
        Ok(match self {
            Aggregation::Grpo => {
                let weight = |i: usize| 1.0 / (n_trajectories * lengths[i].max(1) as f64);
                TokenWeights::Fixed(step.rows.iter().map(|row| weight(row.trajectory)).collect())
            }
            Aggregation::Bnpo => TokenWeights::MicroBatch { n_rows: step.rows.len() },
            Aggregation::TokenSum => uniform(n_trajectories),
            Aggregation::DrGrpo { max_completion_tokens } => {
                uniform(n_trajectories * max_completion_tokens.max(1) as f64)
            }
            Aggregation::Dapo { trl_window: false } => {
                uniform(lengths.iter().sum::<usize>().max(1) as f64)
            }
            Aggregation::Dapo { trl_window: true } => {
                let window = step.window.ok_or(AlgoError::MissingWindow)?;
                let n_tokens = window.n_loss_tokens.max(1) as f64;
                uniform(n_tokens / window.n_optimizer_steps.max(1) as f64)
            }
        })
    }
}

impl TokenWeights {
    /// Weights of a micro-batch: of the rows with these indices and these numbers of loss tokens.
    pub fn of_micro_batch(&self, rows: &[(usize, usize)]) -> Vec<f64> {
        match self {
            TokenWeights::Fixed(weights) => rows.iter().map(|&(row, _)| weights[row]).collect(),
            TokenWeights::MicroBatch { n_rows } => {
                let n_tokens: usize = rows.iter().map(|&(_, length)| length).sum();
                let share = rows.len() as f64 / (*n_rows).max(1) as f64;
                vec![share / n_tokens.max(1) as f64; rows.len()]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GenerationWindow, RowData, TrajectoryData};

    /// Two trajectories; the first has two rows.
    fn step() -> StepData<'static> {
        let row = |trajectory, behaviour| RowData { trajectory, behaviour, ..Default::default() };
        StepData {
            trajectories: vec![TrajectoryData::default(); 2],
            rows: vec![row(0, &[-1.0; 3]), row(1, &[-1.0; 1]), row(0, &[-1.0; 2])],
            ..Default::default()
        }
    }

    fn fixed(aggregation: Aggregation, lengths: &[usize]) -> Vec<f64> {
        match aggregation.weights(&step(), lengths).unwrap() {
            TokenWeights::Fixed(weights) => weights,
            TokenWeights::MicroBatch { .. } => panic!("not fixed"),
        }
    }

    #[test]
    fn weights_of_each_kind() {
        let lengths = step().trajectory_lengths();
        assert_eq!(fixed(Aggregation::Grpo, &lengths), [0.1, 0.5, 0.1]);
        assert_eq!(fixed(Aggregation::default(), &lengths), [1.0 / 6.0; 3]);
        assert_eq!(fixed(Aggregation::TokenSum, &lengths), [0.5; 3]);
        let dr_grpo = Aggregation::DrGrpo { max_completion_tokens: 8 };
        assert_eq!(fixed(dr_grpo, &lengths), [1.0 / 16.0; 3]);
    }

    #[test]
    fn nothing_to_learn_from_stays_finite() {
        assert_eq!(fixed(Aggregation::Grpo, &[0, 0]), [0.5; 3]);
        assert_eq!(fixed(Aggregation::default(), &[0, 0]), [1.0; 3]);
        let bnpo = Aggregation::Bnpo.weights(&step(), &[0, 0]).unwrap();
        assert_eq!(bnpo.of_micro_batch(&[(0, 0), (1, 0)]), [2.0 / 3.0; 2]);
    }

    #[test]
    fn trl_divides_by_the_mean_of_its_window() {
        let aggregation = Aggregation::Dapo { trl_window: true };
        let mut step = step();
        assert_eq!(aggregation.weights(&step, &[5, 1]), Err(AlgoError::MissingWindow));
        step.window = Some(GenerationWindow { n_loss_tokens: 40, n_optimizer_steps: 4 });
        assert_eq!(aggregation.weights(&step, &[5, 1]), Ok(TokenWeights::Fixed(vec![0.1; 3])));
    }

    #[test]
    fn bnpo_shares_of_micro_batches_add_up() {
        let weights = Aggregation::Bnpo.weights(&step(), &[5, 1]).unwrap();
        assert_eq!(weights.of_micro_batch(&[(0, 3), (2, 2)]), [2.0 / 15.0; 2]);
        assert_eq!(weights.of_micro_batch(&[(1, 1)]), [1.0 / 3.0]);
    }

    #[test]
    fn a_limit_of_zero_is_a_problem() {
        let problems = Aggregation::DrGrpo { max_completion_tokens: 0 }.validate();
        assert_eq!(problems[0].key, "aggregation.max_completion_tokens");
        assert_eq!(Aggregation::Bnpo.validate(), []);
    }
}
