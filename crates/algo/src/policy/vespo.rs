//! VESPO: a shaped sequence weight in front of the log-prob (arXiv 2602.10693).
//!
//! With W_i = exp( sum_t clamp(lc - lo) [+ sum_t log u_t] ) the importance weight of the trajectory,
//! log W clamped to [log 1e-8, 20], and u_t the sampler's mismatch weight where it is corrected:
//!
//!   phi_i = exp( lambda + k log W_i - lambda W_i ),   ell_t = -sg(phi_i) A_t lc_t
//!
//! (k, lambda) is (2, 3) where A >= 0 and (3, 2) elsewhere, as in TRL. phi(1) = 1.

use super::{Sequence, Slopes, Surrogate, TokenLoss};
use crate::error::Problems;
use crate::{MAX_LOG_RATIO, PolicyGradient, Problem};

/// Exponent and damping of the weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Exponent, 0 or more.
    pub k: f64,
    /// Damping, 0 or more.
    pub lambda: f64,
}

/// Settings of VESPO.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vespo {
    /// Where the advantage is 0 or more.
    pub positive: Shape,
    /// Where it is below 0.
    pub negative: Shape,
}

impl Default for Vespo {
    fn default() -> Self {
        Vespo { positive: Shape { k: 2.0, lambda: 3.0 }, negative: Shape { k: 3.0, lambda: 2.0 } }
    }
}

/// VESPO with TRL's settings.
pub fn vespo() -> PolicyGradient {
    PolicyGradient {
        name: "vespo",
        surrogate: Surrogate::Vespo(Vespo::default()),
        ..PolicyGradient::default()
    }
}

impl Vespo {
    /// The loss of every token of a trajectory.
    pub fn losses(&self, sequence: &Sequence) -> Vec<TokenLoss> {
        let clamp = |x: f64| x.clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO);
        let sum: f64 = sequence.log_ratios().map(clamp).sum::<f64>() + sequence.context;
        let log_weight = sum.clamp(1e-8f64.ln(), MAX_LOG_RATIO);
        let weight = log_weight.exp();
        let token = |i: usize| {
            let advantage = sequence.advantages[i];
            let Shape { k, lambda } = if advantage >= 0.0 { self.positive } else { self.negative };
            let slope = -(lambda + k * log_weight - lambda * weight).exp() * advantage;
            let loss = Slopes { value: slope * sequence.current[i], own: slope, shared: 0.0 };
            let ratio = crate::ratio(sequence.current[i] - sequence.old[i]).value;
            TokenLoss::unclipped(loss, ratio)
        };
        (0..sequence.len()).map(token).collect()
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        let is_size = |x: f64| x.is_finite() && x >= 0.0;
        for (key, shape) in [("vespo.positive", self.positive), ("vespo.negative", self.negative)] {
            problems.require(
                is_size(shape.k) && is_size(shape.lambda),
                key,
                shape,
                "k and lambda of 0 or more",
                "(2, 3) and (3, 2) are the paper's",
            );
        }
        problems.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Correction, CorrectionLevel, CorrectionRule};

    /// phi of log W, for a positive and a negative advantage of 1.
    fn phi(log_weight: f64, advantage: f64) -> f64 {
        let sequence = Sequence {
            current: vec![-1.0],
            old: vec![-1.0 - log_weight],
            advantages: vec![advantage],
            ..Sequence::default()
        };
        -Vespo::default().losses(&sequence)[0].loss.own / advantage
    }

    /// The shared batch: products 1.3 x .7 x 1 with A = 1, and .5 with A = -1.
    #[test]
    fn golden_shapes() {
        assert!((phi(0.91f64.ln(), 1.0) - 1.084782).abs() < 1e-6);
        assert!((phi(0.5f64.ln(), -1.0) - 0.339785).abs() < 1e-6);
        assert!((phi(0.0, 1.0) - 1.0).abs() < 1e-12 && (phi(0.0, -1.0) - 1.0).abs() < 1e-12);
        assert!(phi(50.0, 1.0) == 0.0 && phi(-50.0, 1.0) < 1e-6);
    }

    #[test]
    fn corrections_by_sequence_are_refused() {
        let rule = CorrectionRule::Truncate { max: 2.0 };
        let keys = |level| -> Vec<&str> {
            let correction = Some(Correction { level, rule, veto: 0.0 });
            let method = PolicyGradient { correction, ..vespo() };
            method.validate().iter().map(|problem| problem.key).collect()
        };
        assert!(keys(CorrectionLevel::Token).is_empty());
        assert_eq!(keys(CorrectionLevel::Sequence), ["correction.level"]);
        assert_eq!(keys(CorrectionLevel::Geometric), ["correction.level"]);
    }
}
