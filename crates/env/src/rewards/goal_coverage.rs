//! How much of an agenda user's goal was met?
//!
//! # What earns
//! 1 where the goal was reached: everything told, every request answered truly as far as the truth is
//! known, and the thing done. Otherwise half the share of the goal that was met: constraints that came
//! after the first message, true answers, and the doing, each counted once.
//!
//! # Cannot be scored
//! A conversation without an agenda user, or without a turn of the agent.
//!
//! # Known ways to cheat
//! An expert user tells everything by themselves, so part of the half can be had by any polite
//! noise; only asking, answering and doing bring the other half. Claiming that it is done too early
//! earns nothing and costs the user's patience. Made-up answers satisfy the user and not this reward,
//! where the scenario holds the true ones.

use async_trait::async_trait;
use stateset_core::{Reward, RewardContext, RewardResult, Score, Trajectory};

use super::composite::WeightedReward;
use crate::agenda::AgendaReport;

/// What meeting a share of the goal is worth without reaching it.
const WORTH_OF_SHARE: f64 = 0.5;

/// Judges how much of an agenda user's goal was met; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GoalCoverageReward;

impl GoalCoverageReward {
    /// This reward as a part of a composite.
    pub fn weighted(weight: f64) -> WeightedReward {
        WeightedReward::new(weight, GoalCoverageReward)
    }

    /// The score of a conversation.
    pub fn judge(&self, trajectory: &Trajectory) -> Score {
        if trajectory.assistant_texts().next().is_none() {
            return Score::unscorable("the agent never spoke");
        }
        match AgendaReport::read(trajectory) {
            Some(report) => of_report(&report),
            None => Score::unscorable("no agenda user took part"),
        }
    }
}

#[async_trait]
impl Reward for GoalCoverageReward {
    fn name(&self) -> &str {
        "goal_coverage"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory))
    }
}

fn of_report(report: &AgendaReport) -> Score {
    let value = if report.goal_reached { 1.0 } else { WORTH_OF_SHARE * report.coverage() };
    let evidence = format!(
        "{} of {} facts told, {} of {} requests answered, {} of them wrongly{}",
        report.n_told,
        report.n_constraints,
        report.n_answered,
        report.n_requests,
        report.n_wrong_answers,
        if report.is_booked { ", done" } else { "" },
    );
    Score::with_evidence(value, evidence)
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use stateset_core::EnvironmentState;

    fn report() -> AgendaReport {
        AgendaReport {
            goal_reached: false,
            n_constraints: 3,
            n_told: 2,
            n_told_at_first: 1,
            n_requests: 1,
            n_asked: 1,
            n_answered: 1,
            n_wrong_answers: 0,
            needs_booking: true,
            is_booked: false,
            satisfaction: 0.4,
            patience: 4,
            patience_left: 3,
            n_faults: 1,
            ended_by: None,
        }
    }

    fn judged(report: &AgendaReport) -> f64 {
        let mut state = EnvironmentState::new("e");
        report.write(&mut state.metadata);
        let trajectory = Trajectory { final_state: Some(state), ..chat(&["Hi.", "What day?"]) };
        value(&GoalCoverageReward.judge(&trajectory))
    }

    #[test]
    fn only_the_whole_goal_earns_more_than_half() {
        assert_eq!(judged(&report()), 0.5 * 2.0 / 4.0);
        assert_eq!(judged(&AgendaReport { n_wrong_answers: 1, ..report() }), 0.5 * 1.0 / 4.0);
        assert_eq!(judged(&AgendaReport { is_booked: true, n_told: 3, ..report() }), 0.5);
        assert_eq!(judged(&AgendaReport { goal_reached: true, ..report() }), 1.0);
    }

    #[test]
    fn cannot_be_scored() {
        assert!(value(&GoalCoverageReward.judge(&chat(&["Hi.", "What day?"]))).is_nan());
        assert!(value(&GoalCoverageReward.judge(&chat(&["Hi."]))).is_nan());
    }
}
