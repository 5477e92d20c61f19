//! Rewards for single turns, where an algorithm wants them. Off by default: a reward for the whole
//! conversation says what is wanted, a reward for a turn says how somebody thinks it is done.

use stateset_core::EnvironmentState;

use crate::customer::CustomerReport;
use crate::names::named_enum;

named_enum! {
    /// What a turn is worth by itself.
    pub enum TurnReward {
        /// 0.1; 0.1 more above 50 characters, 0.1 less below 10. What the documents describe; it pays
        /// for length alone, so a long conversation of long turns wins. Use it for comparison only.
        Length => "length",
        /// With a simulated customer: half a point shared among the facts that had to be asked for,
        /// half a point for the solved problem, and a tenth off for each point of patience lost. Over
        /// an episode without faults it adds up to 1. Scripted users give none.
        Progress => "progress",
    }
}

impl TurnReward {
    /// The worth of a turn in which the agent said `text` and the report went from `before` to the
    /// one in `state`.
    pub(super) fn of(
        self,
        text: &str,
        before: Option<&CustomerReport>,
        state: &EnvironmentState,
    ) -> Option<f64> {
        match self {
            TurnReward::Length => Some(match text.chars().count() {
                0..10 => 0.0,
                10..=50 => 0.1,
                _ => 0.2,
            }),
            TurnReward::Progress => {
                let after = CustomerReport::from_metadata(&state.metadata)?;
                Some(worth(&after) - worth(before?))
            }
        }
    }
}

fn worth(report: &CustomerReport) -> f64 {
    let n_to_ask = report.facts_required.saturating_sub(report.facts_in_opening);
    let facts = if n_to_ask == 0 { 0.5 } else { 0.5 * report.share_of_facts_asked() };
    let goal = if report.goal_reached { 0.5 } else { 0.0 };
    let lost = f64::from(report.patience.saturating_sub(report.patience_left));
    facts + goal - 0.1 * lost
}
