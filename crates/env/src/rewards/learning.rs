//! Did the pupil learn, instead of being told?
//!
//! # What earns
//! A pupil who understood is worth 1, less 0.3 where the answer was told on the way. One who did not is
//! worth 0.4 times the share of help they took up, and half of that where the answer was told.
//!
//! # Cannot be scored
//! A conversation without a pupil, or without a turn of the tutor.
//!
//! # Known ways to cheat
//! Hints are found by words, so a list of them would help; the pupil takes lists as a muddle and at most
//! two points a turn.

use async_trait::async_trait;
use stateset_core::{Reward, RewardContext, RewardResult, Score, Trajectory};

use super::composite::WeightedReward;
use crate::pupil::PupilReport;

/// What telling the answer takes from a pupil who understood in the end.
const COST_OF_TELLING: f64 = 0.3;
/// What help is worth that did not lead to understanding.
const WORTH_OF_HELP: f64 = 0.4;

/// Judges whether a pupil learned; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LearningReward;

impl LearningReward {
    /// This reward as a part of a composite.
    pub fn weighted(weight: f64) -> WeightedReward {
        WeightedReward::new(weight, LearningReward)
    }

    /// The score of a lesson.
    pub fn judge(&self, trajectory: &Trajectory) -> Score {
        if trajectory.assistant_texts().next().is_none() {
            return Score::unscorable("the tutor never spoke");
        }
        let Some(report) = PupilReport::read(trajectory) else {
            return Score::unscorable("no pupil took part");
        };
        let was_told = report.n_told > 0;
        let value = match (report.goal_reached, was_told) {
            (true, false) => 1.0,
            (true, true) => 1.0 - COST_OF_TELLING,
            (false, false) => WORTH_OF_HELP * report.understanding,
            (false, true) => WORTH_OF_HELP / 2.0 * report.understanding,
        };
        let evidence = format!("{} hints taken up, told {} times", report.n_hints, report.n_told);
        Score::with_evidence(value, evidence)
    }
}

#[async_trait]
impl Reward for LearningReward {
    fn name(&self) -> &str {
        "learning"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory))
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use stateset_core::EnvironmentState;

    fn judged(goal_reached: bool, understanding: f64, n_told: u32) -> f64 {
        let report = PupilReport {
            goal_reached,
            understanding,
            n_hints: 1,
            was_probed: true,
            n_told,
            was_encouraged: false,
            satisfaction: 0.5,
            patience: 4,
            patience_left: 4,
            n_faults: 0,
            ended_by: None,
        };
        let mut state = EnvironmentState::new("e");
        report.write(&mut state.metadata);
        let trajectory = Trajectory { final_state: Some(state), ..chat(&["Hi.", "Why?"]) };
        value(&LearningReward.judge(&trajectory))
    }

    #[test]
    fn learning_earns_and_telling_costs() {
        assert_eq!(judged(true, 1.0, 0), 1.0);
        assert_eq!(judged(true, 1.0, 1), 0.7);
        assert_eq!(judged(false, 0.5, 0), 0.2);
        assert_eq!(judged(false, 0.5, 2), 0.1);
        assert!(value(&LearningReward.judge(&chat(&["Hi.", "Why?"]))).is_nan());
    }
}
