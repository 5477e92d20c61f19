//! Judging the samples of one scenario beside each other.
//!
//! A judge that sees several attempts at the same thing tells better from worse more surely than it
//! can put a number on one of them. Its scores mean something inside their group only, so they go
//! with advantages that are relative to the group.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::{RewardContext, RewardResult, Stream, Trajectory};

/// What a group reward says of a group.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupJudgement {
    /// One result for each sample, in the group's order.
    pub results: Vec<RewardResult>,
    /// How the judging went, by name: questions asked, answers that could not be read, and the like.
    pub figures: BTreeMap<String, f64>,
}

/// Scores all samples of a scenario together.
#[async_trait]
pub trait GroupReward: Send + Sync {
    /// Short name for tables, such as `pairwise`.
    fn name(&self) -> &str;

    /// Judges `group`, samples of one scenario that ended without error. There is a result for each
    /// of them, and what cannot be judged is [`crate::Score::Unscorable`], never a middle value.
    /// `stream` is the only randomness; the same group and stream give the same questions.
    async fn judge_group(
        &self,
        group: &[&Trajectory],
        context: RewardContext<'_>,
        stream: Stream,
    ) -> GroupJudgement;
}
