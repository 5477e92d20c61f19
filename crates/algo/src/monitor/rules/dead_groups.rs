//! Groups whose samples all got the same reward, and so teach nothing.
//!
//! The limits are starting points and not published. Where rewards do not rise either, the run can
//! no longer learn and should end; a rise is the mean of the newer half of the span above that of
//! the older half, because single steps play different scenarios and jump about.

use super::super::{Action, Finding, Level, MonitorState, Signal};
use super::span::{held_for, rise};
use crate::Problem;
use crate::error::Problems;

/// How large the share of trajectories in such groups may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeadGroupsRule {
    /// Above this share, a warning.
    pub warn: f64,
    /// Above this share, something must change.
    pub act: f64,
    /// For so many steps in a row.
    pub act_steps: usize,
    /// What the reward must have risen by over these steps, in its own units, to be worth going on.
    pub min_gain: f64,
}

impl Default for DeadGroupsRule {
    fn default() -> Self {
        DeadGroupsRule { warn: 0.5, act: 0.8, act_steps: 20, min_gain: 0.01 }
    }
}

impl DeadGroupsRule {
    pub(in super::super) fn judge(&self, state: &MonitorState, share: f64) -> Finding {
        let fine = "most groups have something to compare";
        let finding = Finding::ok(Signal::DeadGroups, share, self.warn, fine);
        if held_for(state.of(Signal::DeadGroups), self.act_steps, |share| share > self.act) {
            let meaning = "hardly any group has taught anything for many steps";
            let advice = "sample groups until enough of them differ, or change to scenarios that \
                          are neither always solved nor never";
            let finding = finding.crossed(Level::Act, self.act, meaning, advice);
            return match rise(state.rewards(), self.act_steps) {
                Some(gain) if gain <= self.min_gain => finding.with_action(Action::StopRun),
                _ => finding,
            };
        }
        if share > self.warn {
            let meaning = "most groups have equal rewards and teach nothing";
            let advice = "see whether the scenarios are too easy or too hard";
            return finding.crossed(Level::Warn, self.warn, meaning, advice);
        }
        finding
    }

    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.warn > 0.0 && self.act >= self.warn && self.act < 1.0,
            "dead_groups.act",
            (self.warn, self.act),
            "shares between 0 and 1, the warning first",
            "0.5 and 0.8 are usual",
        );
        problems.require(
            self.act_steps > 1,
            "dead_groups.act_steps",
            self.act_steps,
            "2 or more",
            "20 is usual",
        );
        problems.require(
            self.min_gain.is_finite(),
            "dead_groups.min_gain",
            self.min_gain,
            "a number",
            "0.01 is usual for rewards from 0 to 1",
        );
        problems.into_vec()
    }
}
