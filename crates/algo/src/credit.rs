//! Who gets the credit: an advantage for every loss token, and what a critic should have said.
//!
//! Credit is given once for a whole rollout batch, before the first optimiser step, because baselines
//! and deviations are those of the batch and because values are those from before the update. The
//! optimiser steps then share it, however the batch is divided among them.

use crate::{RewardStats, StepData};

/// Credit of a rollout batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Credit {
    /// One for each row of the batch, in its order.
    pub rows: Vec<RowCredit>,
    /// Statistics of rewards, groups and lengths.
    pub rewards: RewardStats,
}

/// Credit of one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowCredit {
    /// Advantage of each loss token.
    pub advantages: Vec<f64>,
    /// What the critic is to say of the state before each loss token; NaN where it learns nothing.
    /// Empty without a critic.
    pub returns: Vec<f64>,
}

impl Credit {
    /// Every token has its trajectory's advantage.
    ///
    /// # Panics
    /// Where there are fewer advantages than trajectories.
    pub fn of_trajectories(batch: &StepData<'_>, advantages: &[f64]) -> Credit {
        let row = |row: &crate::RowData<'_>| RowCredit {
            advantages: vec![advantages[row.trajectory]; row.behaviour.len()],
            returns: Vec::new(),
        };
        Credit::of_rows(batch, batch.rows.iter().map(row).collect())
    }

    /// Credit of these rows, with the statistics of the batch.
    pub fn of_rows(batch: &StepData<'_>, rows: Vec<RowCredit>) -> Credit {
        let mut has_advantage = vec![false; batch.trajectories.len()];
        for (row, credit) in batch.rows.iter().zip(&rows) {
            has_advantage[row.trajectory] |= credit.advantages.iter().any(|a| *a != 0.0);
        }
        Credit { rewards: RewardStats::of(batch, &has_advantage), rows }
    }
}
