//! Rewards for single turns, where an algorithm wants them. Off by default: a reward for the whole
//! conversation says what is wanted, a reward for a turn says how somebody thinks it is done.

use serde_json::{Map, Value};
use stateset_core::EnvironmentState;

use crate::agenda::AgendaReport;
use crate::customer::CustomerReport;
use crate::names::named_enum;
use crate::pupil::PupilReport;

named_enum! {
    /// What a turn is worth by itself.
    pub enum TurnReward {
        /// 0.1; 0.1 more above 50 characters, 0.1 less below 10. What the documents describe; it pays
        /// for length alone, so a long conversation of long turns wins. Use it for comparison only.
        Length => "length",
        /// With a simulated user: half a point for what they told, were answered or understood, and
        /// the rest alike. For a customer: half a point shared among the facts that had to be asked for,
        /// half a point for the solved problem, and a tenth off for each point of patience lost. Over
        /// an episode without faults it adds up to 1. Scripted users give none.
        Progress => "progress",
    }
}

impl TurnReward {
    /// The worth of a turn in which the agent said `text` and the conversation's worth went from
    /// `before` to that of `state`.
    pub(super) fn of(
        self,
        text: &str,
        before: Option<f64>,
        state: &EnvironmentState,
    ) -> Option<f64> {
        match self {
            TurnReward::Length => Some(match text.chars().count() {
                0..10 => 0.0,
                10..=50 => 0.1,
                _ => 0.2,
            }),
            TurnReward::Progress => Some(worth(&state.metadata)? - before?),
        }
    }
}

/// What a conversation is worth so far, where a simulated user says.
pub(super) fn worth(metadata: &Map<String, Value>) -> Option<f64> {
    if let Some(report) = CustomerReport::from_metadata(metadata) {
        return Some(worth_of_customer(&report));
    }
    let halves = |progress: f64, reached: bool, patience: u32, left: u32| {
        let goal = if reached { 0.5 } else { 0.0 };
        0.5 * progress + goal - 0.1 * f64::from(patience.saturating_sub(left))
    };
    if let Some(report) = AgendaReport::from_metadata(metadata) {
        let (patience, left) = (report.patience, report.patience_left);
        return Some(halves(report.coverage(), report.goal_reached, patience, left));
    }
    let report = PupilReport::from_metadata(metadata)?;
    Some(halves(report.understanding, report.goal_reached, report.patience, report.patience_left))
}

fn worth_of_customer(report: &CustomerReport) -> f64 {
    let n_to_ask = report.facts_required.saturating_sub(report.facts_in_opening);
    let facts = if n_to_ask == 0 { 0.5 } else { 0.5 * report.share_of_facts_asked() };
    let goal = if report.goal_reached { 0.5 } else { 0.0 };
    let lost = f64::from(report.patience.saturating_sub(report.patience_left));
    facts + goal - 0.1 * lost
}
