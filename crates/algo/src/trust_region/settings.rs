//! TRPO's trust region (arXiv 1502.05477): how far a natural-gradient step may go.
//!
//! Maximise S = mean(rho A) subject to mean KL <= `max_kl`. With g = grad S and H the Fisher matrix,
//! the direction x solves (H + damping) x = g; its length is sqrt(2 max_kl / (x . H x)), shortened by
//! `backtrack` until the surrogate has risen and the KL is kept. Defaults are those of sb3-contrib's
//! `trpo.py`, but for `curvature_share`: H is averaged over a part of the tokens, as in the paper's
//! own experiments (10 %), because every product with it is a forward and a backward pass.

use crate::Problem;
use crate::error::Problems;

/// Settings of a natural-gradient step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrustRegion {
    /// Greatest mean KL(new || old) of a step, nats a token, above 0. 0.01.
    pub max_kl: f64,
    /// Added to the curvature in every direction, 0 or more. 0.1.
    pub damping: f64,
    /// Most products with the curvature matrix, 1 or more. 15.
    pub cg_iterations: usize,
    /// Squared norm of the residual at which the direction is good enough. 1e-10.
    pub residual: f64,
    /// Factor between the lengths that are tried, above 0 and below 1. 0.8.
    pub backtrack: f64,
    /// Most lengths that are tried, 1 or more. 10.
    pub max_backtracks: usize,
    /// Share of the rows that the curvature is averaged over, above 0 to 1. 0.1.
    pub curvature_share: f64,
}

impl Default for TrustRegion {
    fn default() -> Self {
        TrustRegion {
            max_kl: 0.01,
            damping: 0.1,
            cg_iterations: 15,
            residual: 1e-10,
            backtrack: 0.8,
            max_backtracks: 10,
            curvature_share: 0.1,
        }
    }
}

impl TrustRegion {
    /// Length of the first step along `x`, where `x_h_x` is x . (H + damping) x. 0 where the curvature
    /// is not positive: then there is no step to take.
    pub fn first_length(&self, x_h_x: f64) -> f64 {
        if x_h_x > 0.0 && x_h_x.is_finite() { (2.0 * self.max_kl / x_h_x).sqrt() } else { 0.0 }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        let hint = "the defaults are sb3-contrib's";
        let is_size = |x: f64| x.is_finite() && x > 0.0;
        problems.require(is_size(self.max_kl), "trust_region.max_kl", self.max_kl, "above 0", hint);
        problems.require(
            self.damping.is_finite() && self.damping >= 0.0,
            "trust_region.damping",
            self.damping,
            "0 or more",
            hint,
        );
        problems.require(
            self.cg_iterations > 0,
            "trust_region.cg_iterations",
            self.cg_iterations,
            "1 or more",
            hint,
        );
        problems.require(
            self.backtrack > 0.0 && self.backtrack < 1.0,
            "trust_region.backtrack",
            self.backtrack,
            "above 0 and below 1",
            hint,
        );
        problems.require(
            self.max_backtracks > 0,
            "trust_region.max_backtracks",
            self.max_backtracks,
            "1 or more",
            hint,
        );
        problems.require(
            self.curvature_share > 0.0 && self.curvature_share <= 1.0,
            "trust_region.curvature_share",
            self.curvature_share,
            "above 0 to 1",
            "0.1 is the paper's",
        );
        problems.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sigmoid policy with one parameter, p = .5: Fisher .25, damping .1, delta .01, g = .3.
    #[test]
    fn golden_one_parameter() {
        let settings = TrustRegion::default();
        let h = 0.25 + settings.damping;
        let x = 0.3 / h;
        let step = settings.first_length(x * h * x) * x;
        assert!((step - 0.239046).abs() < 1e-6, "{step}");
        let p = 1.0 / (1.0 + (-step).exp());
        let kl = p * (p / 0.5).ln() + (1.0 - p) * ((1.0 - p) / 0.5).ln();
        assert!((kl - 0.007092).abs() < 1e-6, "{kl}");
    }

    #[test]
    fn no_curvature_is_no_step() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(TrustRegion::default().first_length(bad), 0.0);
        }
    }

    #[test]
    fn every_problem_is_reported() {
        let bad = TrustRegion {
            max_kl: 0.0,
            damping: -1.0,
            cg_iterations: 0,
            residual: 0.0,
            backtrack: 1.0,
            max_backtracks: 0,
            curvature_share: 0.0,
        };
        assert_eq!(bad.validate().len(), 6);
        assert_eq!(TrustRegion::default().validate(), []);
    }
}
