//! The choice among advantage estimators: each one's arithmetic is in a file of its own.

use super::GroupAdvantage;
use crate::{AlgoError, Credit, Problem, StepData};

/// How rewards become advantages.
#[derive(Clone, Debug, PartialEq)]
pub enum AdvantageEstimator {
    /// Against the other samples of the scenario.
    Group(GroupAdvantage),
    /// Against all samples of the batch.
    Batch(GroupAdvantage),
}

impl Default for AdvantageEstimator {
    fn default() -> Self {
        GroupAdvantage::default().into()
    }
}

impl From<GroupAdvantage> for AdvantageEstimator {
    fn from(group: GroupAdvantage) -> Self {
        AdvantageEstimator::Group(group)
    }
}

impl AdvantageEstimator {
    /// Credit for a whole rollout batch.
    ///
    /// # Errors
    /// [`AlgoError`] where the arrays do not fit each other or the estimator.
    pub fn credit(&self, batch: &StepData<'_>) -> Result<Credit, AlgoError> {
        match self {
            AdvantageEstimator::Group(group) => {
                Ok(Credit::of_trajectories(batch, &group.advantages(batch)?))
            }
            AdvantageEstimator::Batch(group) => {
                let mut whole = batch.clone();
                whole.trajectories.iter_mut().for_each(|t| t.group = 0);
                Ok(Credit::of_trajectories(batch, &group.advantages(&whole)?))
            }
        }
    }

    /// True where credit is weighed against a critic's values.
    pub fn wants_values(&self) -> bool {
        false
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        match self {
            AdvantageEstimator::Group(group) | AdvantageEstimator::Batch(group) => group.validate(),
        }
    }
}
