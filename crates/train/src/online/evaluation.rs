//! Plays held-out scenarios and sums up.
//!
//! Every evaluation of a run draws the same random numbers, so that two can be compared conversation by
//! conversation.

use std::sync::Arc;

use stateset_algo::Bootstrap;
use stateset_core::{Purpose, RunSeed, Scenario, StreamKey, Trajectory};

use super::player::plans;
use crate::rollout::{Stage, play_groups};
use crate::{
    Dispatcher, EvaluationSummary, Event, RunFolder, TrainError, read_conversations,
    write_conversations,
};

/// Plays the evaluations of one run.
pub(super) struct Evaluator {
    /// Agent, world, judge, sampling and limits.
    pub(super) stage: Stage,
    /// What is played.
    pub(super) scenarios: Vec<Arc<Scenario>>,
    /// Samples of each scenario.
    pub(super) n_samples: usize,
    /// Where conversations are written.
    pub(super) folder: RunFolder,
}

impl Evaluator {
    /// Plays every scenario, writes the conversations down as those of `name`, and sums up.
    ///
    /// # Errors
    /// Where the conversations cannot be written.
    pub(super) async fn evaluate(
        &self,
        name: &str,
        dispatcher: &mut Dispatcher,
    ) -> Result<EvaluationSummary, TrainError> {
        let all: Vec<usize> = (0..self.scenarios.len()).collect();
        let plans = plans(&self.scenarios, &all, self.n_samples);
        let (mut done, total) = (0, all.len() * self.n_samples);
        let finished = |_: &Trajectory| {
            done += 1;
            dispatcher.emit(&Event::RolloutProgress { done, total });
            Ok::<(), TrainError>(())
        };
        let groups = play_groups(&self.stage, 0, &plans, Vec::new(), finished).await?;
        let played: Vec<Trajectory> =
            groups.into_iter().flat_map(|group| group.trajectories).collect();
        write_conversations(&self.folder, name, &played)?;
        sum_up(&played, self.stage.seed)
    }

    /// What the evaluation `name` came to; `None` where it has not been played.
    ///
    /// # Errors
    /// Where its conversations cannot be read.
    pub(super) fn recall(&self, name: &str) -> Result<Option<EvaluationSummary>, TrainError> {
        let played = read_conversations(&self.folder, name)?;
        played.map(|played| sum_up(&played, self.stage.seed)).transpose()
    }
}

fn sum_up(played: &[Trajectory], seed: RunSeed) -> Result<EvaluationSummary, TrainError> {
    let mut stream = seed.stream(Purpose::Bootstrap, StreamKey::default());
    Ok(EvaluationSummary::of(played, &Bootstrap::default(), &mut stream)?)
}
