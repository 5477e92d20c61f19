//! Judging a finished conversation.

use async_trait::async_trait;

use crate::{RewardResult, Scenario, Trajectory, Weighing};

/// What a reward may look at beside the trajectory.
#[derive(Clone, Copy, Debug)]
pub struct RewardContext<'a> {
    /// The scenario that was played.
    pub scenario: &'a Scenario,
}

/// Scores whole conversations.
#[async_trait]
pub trait Reward: Send + Sync {
    /// Short name for tables, such as `helpfulness`.
    fn name(&self) -> &str;

    /// Judges `trajectory`. What cannot be judged is [`crate::Score::Unscorable`], never 0.
    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult;

    /// For a reward whose weights change in a training run: what changes them. See [`Weighing`].
    fn weighing(&self) -> Option<Box<dyn Weighing>> {
        None
    }
}
