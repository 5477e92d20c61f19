//! The entropy coefficient as a controlled quantity (Skywork-OR1, arXiv 2505.22312).
//!
//! After each optimiser step the coefficient rises by `step` where the entropy is at or below the
//! target, else it falls by as much. The bonus takes part in the loss only while the entropy of the
//! step before was at or below the target, and therefore never in the first one (as in TRL).

use crate::error::Problems;
use crate::{Controls, Problem};

/// Holds the entropy at a target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptiveEntropy {
    /// Entropy to hold, nats a token. 0.2.
    pub target: f64,
    /// Change of the coefficient with each optimiser step, above 0. 0.005.
    pub step: f64,
    /// Greatest coefficient, above 0. 1.
    pub max: f64,
}

impl Default for AdaptiveEntropy {
    fn default() -> Self {
        AdaptiveEntropy { target: 0.2, step: 0.005, max: 1.0 }
    }
}

impl AdaptiveEntropy {
    /// The coefficient that the loss has now; `first` is the one a run begins with.
    pub fn coef(&self, controls: Controls, first: f64) -> f64 {
        let is_low = controls.entropy.is_some_and(|entropy| entropy <= self.target);
        if is_low { controls.entropy_coef.unwrap_or(first) } else { 0.0 }
    }

    /// Coefficient and entropy after a step with mean entropy `entropy`.
    pub fn next(&self, controls: Controls, first: f64, entropy: Option<f64>) -> Controls {
        let Some(entropy) = entropy.filter(|entropy| entropy.is_finite()) else { return controls };
        let coef = controls.entropy_coef.unwrap_or(first);
        let step = if entropy <= self.target { self.step } else { -self.step };
        let entropy_coef = Some((coef + step).clamp(0.0, self.max));
        Controls { entropy_coef, entropy: Some(entropy), ..controls }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        for (key, value) in [
            ("adaptive_entropy.target", self.target),
            ("adaptive_entropy.step", self.step),
            ("adaptive_entropy.max", self.max),
        ] {
            let holds = value.is_finite() && value > 0.0;
            problems.require(holds, key, value, "above 0", "0.2, 0.005 and 1 are the paper's");
        }
        problems.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        let rule = AdaptiveEntropy::default();
        let start = Controls::default();
        assert_eq!(rule.coef(start, 0.01), 0.0);
        let low = rule.next(start, 0.01, Some(0.15));
        assert!((rule.coef(low, 0.01) - 0.015).abs() < 1e-12);
        let high = rule.next(low, 0.01, Some(0.3));
        assert!((high.entropy_coef.unwrap() - 0.01).abs() < 1e-12);
        assert_eq!(rule.coef(high, 0.01), 0.0);
    }

    #[test]
    fn stays_in_range_and_ignores_what_is_no_number() {
        let rule = AdaptiveEntropy::default();
        let top = Controls { entropy_coef: Some(1.0), ..Controls::default() };
        assert_eq!(rule.next(top, 0.0, Some(0.1)).entropy_coef, Some(1.0));
        let bottom = Controls { entropy_coef: Some(0.0), ..Controls::default() };
        assert_eq!(rule.next(bottom, 0.0, Some(5.0)).entropy_coef, Some(0.0));
        assert_eq!(rule.next(top, 0.0, Some(f64::NAN)), top);
        assert_eq!(rule.next(top, 0.0, None), top);
    }

    #[test]
    fn every_problem_is_reported() {
        let bad = AdaptiveEntropy { target: 0.0, step: f64::NAN, max: -1.0 };
        assert_eq!(bad.validate().len(), 3);
        assert_eq!(AdaptiveEntropy::default().validate(), []);
    }
}
