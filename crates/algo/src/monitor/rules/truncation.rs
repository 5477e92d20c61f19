//! Trajectories that are cut off at a limit.
//!
//! Only a warning: whether longer answers are wanted or shorter ones, a person must say. The limit is
//! a starting point and not published.

use super::super::{Finding, Level, Signal};
use crate::Problem;
use crate::error::Problems;

/// How large their share may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TruncationRule {
    /// Above this share, a warning.
    pub warn: f64,
}

impl Default for TruncationRule {
    fn default() -> Self {
        TruncationRule { warn: 0.2 }
    }
}

impl TruncationRule {
    pub(in super::super) fn judge(&self, share: f64) -> Finding {
        let fine = "most trajectories come to their end";
        let finding = Finding::ok(Signal::Truncation, share, self.warn, fine);
        if share > self.warn {
            let meaning = "many trajectories are cut off before their end";
            let advice = "raise the limit, or make long answers cost reward";
            finding.crossed(Level::Warn, self.warn, meaning, advice)
        } else {
            finding
        }
    }

    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.warn >= 0.0 && self.warn < 1.0,
            "truncation.warn",
            self.warn,
            "from 0 to below 1",
            "0.2 is usual",
        );
        problems.into_vec()
    }
}
