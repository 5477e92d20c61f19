//! Whether the policy still tries different things.
//!
//! Entropy is held against that of the first step, because what is high depends on the vocabulary and
//! on the task. The shares are starting points and not published; what is done about a collapse, an
//! entropy target and a higher upper clipping bound, is that of Skywork-OR1 (arXiv 2505.22312) and
//! DAPO (arXiv 2503.14476).

use super::super::{Finding, Level, MonitorState, Signal};
use crate::Problem;
use crate::error::Problems;

/// How much of the first step's entropy must be left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EntropyRule {
    /// Below this share, a warning.
    pub warn_share: f64,
    /// Below this share, something must change.
    pub act_share: f64,
}

impl Default for EntropyRule {
    fn default() -> Self {
        EntropyRule { warn_share: 0.3, act_share: 0.1 }
    }
}

impl EntropyRule {
    pub(in super::super) fn judge(&self, state: &MonitorState, entropy: f64) -> Finding {
        let initial = state.initial_entropy.unwrap_or(entropy);
        let (warn, act) = (self.warn_share * initial, self.act_share * initial);
        let fine = "the policy still tries different things";
        let finding = Finding::ok(Signal::Entropy, entropy, warn, fine).with_reference(initial);
        if entropy < act {
            let meaning = "the policy says the same thing over and over and cannot find better";
            let advice = "set an entropy target of half the initial entropy, raise the upper \
                          clipping bound to 0.28, or sample at a higher temperature";
            finding.crossed(Level::Act, act, meaning, advice)
        } else if entropy < warn {
            let meaning = "the policy explores far less than at the start";
            let advice = "watch whether the reward still rises";
            finding.crossed(Level::Warn, warn, meaning, advice)
        } else {
            finding
        }
    }

    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.act_share > 0.0 && self.warn_share >= self.act_share && self.warn_share < 1.0,
            "entropy.act_share",
            (self.warn_share, self.act_share),
            "shares between 0 and 1, the warning the greater",
            "0.3 and 0.1 are usual",
        );
        problems.into_vec()
    }
}
