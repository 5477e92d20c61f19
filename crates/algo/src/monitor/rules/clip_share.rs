//! The share of tokens whose ratio was clipped.
//!
//! Limits for ratios of single tokens; they are starting points and not published. Where one ratio
//! stands for a whole sequence (GSPO) about a hundred times more is clipped by design, and the rule
//! does not apply. A share that is 0 for long is worth a warning only where a batch is used for more
//! than one optimiser step: else the ratio is 1 when it is measured.

use super::super::{Finding, Level, MonitorState, Signal};
use super::span::held_for;
use crate::Problem;
use crate::error::Problems;

/// When too many tokens, or none at all, are clipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipShareRule {
    /// Above this share, a warning.
    pub warn: f64,
    /// Above this share, something must change.
    pub act: f64,
    /// For so many steps in a row.
    pub act_steps: usize,
    /// Steps in a row without any clipping after which a warning comes; `None` never warns.
    pub idle_steps: Option<usize>,
}

impl Default for ClipShareRule {
    fn default() -> Self {
        ClipShareRule { warn: 0.2, act: 0.3, act_steps: 5, idle_steps: Some(50) }
    }
}

impl ClipShareRule {
    pub(in super::super) fn judge(&self, state: &MonitorState, share: f64) -> Finding {
        let recent = state.of(Signal::ClipShare);
        let fine = "few tokens move further than the clipping range allows";
        let finding = Finding::ok(Signal::ClipShare, share, self.warn, fine);
        if held_for(recent, self.act_steps, |share| share > self.act) {
            let meaning = "most of what a step could teach is cut away, step after step";
            finding.crossed(Level::Act, self.act, meaning, "halve the learning rate")
        } else if share > self.warn {
            let meaning = "many tokens move further than the clipping range allows";
            let advice = "lower the learning rate if it stays so";
            finding.crossed(Level::Warn, self.warn, meaning, advice)
        } else if self.idle_steps.is_some_and(|n| held_for(recent, n, |share| share == 0.0)) {
            let meaning = "nothing has been clipped for long, so the policy hardly moves";
            let advice = "raise the learning rate, and check that old log-probs are those of the \
                          policy that sampled";
            finding.crossed(Level::Warn, 0.0, meaning, advice)
        } else {
            finding
        }
    }

    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.warn > 0.0 && self.act >= self.warn && self.act < 1.0,
            "clip_share.act",
            (self.warn, self.act),
            "shares between 0 and 1, the warning first",
            "0.2 and 0.3 are usual",
        );
        problems.require(
            self.act_steps > 0 && self.idle_steps != Some(0),
            "clip_share.act_steps",
            (self.act_steps, self.idle_steps),
            "1 or more",
            "5 and 50 are usual",
        );
        problems.into_vec()
    }
}
