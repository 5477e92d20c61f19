//! How far the policy has moved: within a batch, and from the reference.
//!
//! The drift limits are Stable-Baselines3's (`target_kl`, with 1.5 of it as the hard limit). They are
//! meant for several passes over one batch; with a single pass the drift is measured before the
//! weights move, so [`MonitorRules::for_run`](super::MonitorRules::for_run) leaves the rule out. The
//! limits of the reference KL are starting points and not published.

use super::super::{Action, Finding, Level, MonitorState, Signal};
use super::span::held_for;
use crate::Problem;
use crate::error::Problems;

/// KL of the policy that sampled to the current one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriftRule {
    /// KL to stay below, nats per token; above 0. 0.01 to 0.05 is usual.
    pub target: f64,
}

impl Default for DriftRule {
    fn default() -> Self {
        DriftRule { target: 0.02 }
    }
}

impl DriftRule {
    /// Where passes over the batch end, nats per token.
    pub fn limit(&self) -> f64 {
        1.5 * self.target
    }

    pub(in super::super) fn judge(&self, drift: f64) -> Finding {
        let fine = "the policy stays close to the one that sampled";
        let finding = Finding::ok(Signal::Drift, drift, self.target, fine);
        if drift > self.limit() {
            let meaning = "the samples no longer stand for the policy that is trained on them";
            let advice = "end the passes over this batch, take fewer of them or smaller steps";
            finding
                .crossed(Level::Act, self.limit(), meaning, advice)
                .with_action(Action::EndEpochs)
        } else if drift > self.target {
            let meaning = "the policy moves far within one batch";
            let advice = "take fewer passes if it grows";
            finding.crossed(Level::Warn, self.target, meaning, advice)
        } else {
            finding
        }
    }

    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.target.is_finite() && self.target > 0.0,
            "drift.target",
            self.target,
            "above 0",
            "0.02 nats per token is usual",
        );
        problems.into_vec()
    }
}

/// KL of the current policy to the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceKlRule {
    /// From here on a warning, nats per token.
    pub warn: f64,
    /// From here on something must change, nats per token.
    pub act: f64,
    /// For so many steps in a row.
    pub act_steps: usize,
}

impl Default for ReferenceKlRule {
    fn default() -> Self {
        ReferenceKlRule { warn: 0.1, act: 0.5, act_steps: 10 }
    }
}

impl ReferenceKlRule {
    pub(in super::super) fn judge(&self, state: &MonitorState, kl: f64) -> Finding {
        let fine = "the policy stays close to where it began";
        let finding = Finding::ok(Signal::ReferenceKl, kl, self.warn, fine);
        if held_for(state.of(Signal::ReferenceKl), self.act_steps, |kl| kl > self.act) {
            let meaning = "the policy has left the reference and stays away";
            let advice = "weigh the KL more (or let it adapt), or halve the learning rate";
            finding.crossed(Level::Act, self.act, meaning, advice)
        } else if kl > self.warn {
            let meaning = "the policy moves away from where it began";
            let advice = "read some conversations: the reward may be gamed";
            finding.crossed(Level::Warn, self.warn, meaning, advice)
        } else {
            finding
        }
    }

    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.warn > 0.0 && self.act >= self.warn && self.act.is_finite(),
            "reference_kl.act",
            (self.warn, self.act),
            "a warning above 0, and a limit that is not below it",
            "0.1 and 0.5 nats per token are usual",
        );
        problems.require(
            self.act_steps > 0,
            "reference_kl.act_steps",
            self.act_steps,
            "1 or more",
            "10 is usual",
        );
        problems.into_vec()
    }
}
