//! Gradients that burst.
//!
//! A norm is held against the median of those before it, since what is large depends on the model and
//! on the loss. A norm of 0 comes from a batch without any signal and says nothing of the usual size,
//! so it stays out of the median. The figures are starting points and not published.

use super::super::{Action, Finding, Level, MonitorState, Signal};
use super::span::median;
use crate::Problem;
use crate::error::Problems;

/// How large a gradient may be, and how often it may not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientRule {
    /// Allowed multiple of the median norm.
    pub factor: f64,
    /// Steps over which the median runs.
    pub median_steps: usize,
    /// Norms there must be before anything is judged.
    pub min_norms: usize,
    /// Skipped steps after which the last checkpoint should be restored.
    pub restore_after: usize,
    /// Within so many steps.
    pub restore_within_steps: u64,
}

impl Default for GradientRule {
    fn default() -> Self {
        GradientRule {
            factor: 10.0,
            median_steps: 50,
            min_norms: 5,
            restore_after: 3,
            restore_within_steps: 20,
        }
    }
}

impl GradientRule {
    /// The median norm before this one, where enough is known. `earlier`: oldest first.
    pub(in super::super) fn usual(&self, earlier: &[f64]) -> Option<f64> {
        let from = earlier.len().saturating_sub(self.median_steps);
        let positive = || earlier[from..].iter().copied().filter(|&norm| norm > 0.0);
        if positive().count() < self.min_norms { None } else { median(positive()) }
    }

    /// Whether an optimiser step with that norm should be left out.
    pub(in super::super) fn skips(&self, earlier: &[f64], norm: f64) -> bool {
        !norm.is_finite() || self.usual(earlier).is_some_and(|usual| norm > self.factor * usual)
    }

    /// `state` has not seen `norm` yet.
    pub(in super::super) fn judge(
        &self,
        state: &mut MonitorState,
        step: u64,
        norm: f64,
    ) -> Finding {
        let earlier = state.of(Signal::GradientNorm);
        let (usual, skips) = (self.usual(earlier), self.skips(earlier, norm));
        let threshold = usual.map_or(f64::INFINITY, |usual| self.factor * usual);
        let fine = "gradients have their usual size";
        let mut finding = Finding::ok(Signal::GradientNorm, norm, threshold, fine);
        finding.reference = usual;
        if !skips {
            return finding;
        }
        state.gradient_skips.push(step);
        state.gradient_skips.retain(|&at| at + self.restore_within_steps > step);
        if state.gradient_skips.len() < self.restore_after {
            let meaning = "the gradient is far larger than usual";
            let advice = "leave this step out";
            return finding
                .crossed(Level::Act, threshold, meaning, advice)
                .with_action(Action::SkipStep);
        }
        // What comes after the restored checkpoint is counted anew.
        state.gradient_skips.clear();
        let meaning = "gradients burst again and again";
        let advice = "go back to the last checkpoint with half the learning rate";
        finding
            .crossed(Level::Act, threshold, meaning, advice)
            .with_action(Action::RestoreCheckpoint)
    }

    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.factor.is_finite() && self.factor > 1.0,
            "gradient.factor",
            self.factor,
            "above 1",
            "10 is usual",
        );
        problems.require(
            self.min_norms > 0 && self.median_steps >= self.min_norms,
            "gradient.median_steps",
            (self.min_norms, self.median_steps),
            "1 or more, and not fewer steps than norms",
            "5 and 50 are usual",
        );
        problems.require(
            self.restore_after > 0 && self.restore_within_steps > 0,
            "gradient.restore_after",
            (self.restore_after, self.restore_within_steps),
            "1 or more",
            "3 within 20 steps is usual",
        );
        problems.into_vec()
    }
}
