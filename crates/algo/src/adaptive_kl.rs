//! The KL coefficient as a controlled quantity.
//!
//! Ziegler et al. 2019 (arXiv 1909.08593, section 2.2) and `lm-human-preferences`: after each update
//! the coefficient moves in proportion to the clipped relative error of the measured KL.
//!
//! What "the measured KL" is must be said, because sources differ: here it is the mean over
//! trajectories of the *sum* over loss tokens of k1, as in the original; give the mean over tokens
//! only together with a target of that size.

use crate::Problem;
use crate::error::Problems;

/// Moves a KL coefficient towards the value that holds the KL at a target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptiveKl {
    /// KL to hold, nats for each trajectory. OpenAI 6, verl 0.1.
    pub target: f64,
    /// Slowness: over so many trajectories the coefficient changes by a fifth at most. OpenAI and
    /// verl 10,000.
    pub horizon_samples: f64,
}

impl Default for AdaptiveKl {
    fn default() -> Self {
        AdaptiveKl { target: 6.0, horizon_samples: 10_000.0 }
    }
}

impl AdaptiveKl {
    /// The coefficient after an update on `n_samples` trajectories with a measured KL of `kl`.
    /// Never negative; a `kl` that is no number changes nothing.
    pub fn next(&self, coef: f64, kl: f64, n_samples: usize) -> f64 {
        if kl.is_nan() {
            return coef;
        }
        let error = (kl / self.target - 1.0).clamp(-0.2, 0.2);
        (coef * (1.0 + error * n_samples as f64 / self.horizon_samples)).max(0.0)
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.target.is_finite() && self.target > 0.0,
            "adaptive_kl.target",
            self.target,
            "above 0",
            "6 nats for each trajectory is the original",
        );
        problems.require(
            self.horizon_samples.is_finite() && self.horizon_samples > 0.0,
            "adaptive_kl.horizon_samples",
            self.horizon_samples,
            "above 0",
            "10000 is usual",
        );
        problems.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        let controller = AdaptiveKl::default();
        assert!((controller.next(0.2, 12.0, 256) - 0.201024).abs() < 1e-6);
        assert!((controller.next(0.2, 5.0, 256) - 0.199147).abs() < 1e-6);
    }

    #[test]
    fn holds_still_on_target_and_without_a_measurement() {
        let controller = AdaptiveKl::default();
        assert_eq!(controller.next(0.2, 6.0, 256), 0.2);
        assert_eq!(controller.next(0.2, f64::NAN, 256), 0.2);
    }

    #[test]
    fn never_turns_negative() {
        assert_eq!(AdaptiveKl::default().next(0.2, 0.0, 100_000), 0.0);
    }

    #[test]
    fn both_problems_are_reported() {
        let bad = AdaptiveKl { target: 0.0, horizon_samples: f64::NAN };
        assert_eq!(bad.validate().len(), 2);
        assert_eq!(AdaptiveKl::default().validate(), []);
    }
}
