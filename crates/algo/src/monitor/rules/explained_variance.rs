//! Whether the critic foresees anything.
//!
//! A critic that predicts worse than a constant turns advantages into noise. Until it has recovered,
//! only it should be trained; the policy goes on from a value clearly above the one that stopped it,
//! so that it does not start and stop with each step. The warm-up is the 50 steps by which VAPO
//! (arXiv 2504.05118) trains the critic alone; the limits are starting points and not published.

use super::super::{Action, Finding, Level, MonitorState, Signal};
use crate::Problem;
use crate::error::Problems;

/// When the critic is too bad to be used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExplainedVarianceRule {
    /// Below this explained variance the policy waits.
    pub freeze_below: f64,
    /// Above this one it goes on.
    pub resume_above: f64,
    /// Steps at the start in which nothing is said.
    pub warm_up_steps: u64,
}

impl Default for ExplainedVarianceRule {
    fn default() -> Self {
        ExplainedVarianceRule { freeze_below: 0.0, resume_above: 0.1, warm_up_steps: 50 }
    }
}

impl ExplainedVarianceRule {
    pub(in super::super) fn judge(&self, state: &mut MonitorState, explained: f64) -> Finding {
        let fine = "the critic foresees part of the returns";
        let signal = Signal::ExplainedVariance;
        let finding = Finding::ok(signal, explained, self.freeze_below, fine);
        if state.n_steps <= self.warm_up_steps {
            return Finding { meaning: "the critic is still new", ..finding };
        }
        if explained < self.freeze_below {
            state.is_policy_frozen = true;
        } else if explained > self.resume_above {
            state.is_policy_frozen = false;
        }
        if !state.is_policy_frozen {
            return finding;
        }
        let meaning = "the critic predicts worse than a constant, or has not recovered from it";
        let advice = "train the critic alone until it explains more, and for longer at the start";
        let threshold =
            if explained < self.freeze_below { self.freeze_below } else { self.resume_above };
        finding.crossed(Level::Act, threshold, meaning, advice).with_action(Action::FreezePolicy)
    }

    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.freeze_below.is_finite()
                && self.resume_above >= self.freeze_below
                && self.resume_above < 1.0,
            "explained_variance.resume_above",
            (self.freeze_below, self.resume_above),
            "below 1, and not below freeze_below",
            "0 and 0.1 are usual",
        );
        problems.into_vec()
    }
}
