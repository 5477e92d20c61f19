//! Estimators of KL(policy || reference) from one token, and the penalty made of them.
//!
//! With d = log pi(token) - log ref(token), after Schulman, "Approximating KL divergence"
//! (joschu.net/blog/kl-approx.html): k1 = d, k2 = d²/2, k3 = exp(-d) - 1 + d. On tokens sampled from
//! pi, k1 and k3 are unbiased and k2 has little variance.
//!
//! Their *gradients as a loss* are another matter: E grad k1 = 0, E grad k2 = grad KL(pi || ref),
//! E grad k3 = grad KL(ref || pi). DeepSeek-V3.2 (arXiv 2512.02556) therefore multiplies k3 by the
//! importance ratio with the gradient running through the ratio: that gives the exact
//! grad KL(pi || ref), on and off policy, and is TRL's default (`use_bias_correction_kl`).
//!
//! The exponent of k3 is clamped like every log-ratio ([`MAX_LOG_RATIO`]).

use crate::error::Problems;
use crate::{MAX_LOG_RATIO, Problem, Term};

/// d itself: unbiased, but its expected gradient is zero. For reward penalties and drift metrics.
pub fn k1(d: f64) -> Term {
    Term { value: d, slope: 1.0 }
}

/// d²/2.
pub fn k2(d: f64) -> Term {
    Term { value: 0.5 * d * d, slope: d }
}

/// exp(-d) - 1 + d, never negative. Flat where |d| exceeds [`MAX_LOG_RATIO`].
pub fn k3(d: f64) -> Term {
    let clamped = d.clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO);
    let reverse = (-clamped).exp_m1();
    let slope = if d.abs() > MAX_LOG_RATIO { 0.0 } else { -reverse };
    Term { value: reverse + clamped, slope }
}

/// Which estimator a KL penalty uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KlEstimator {
    /// [`k1`]. Refused as a loss by [`KlPenalty::validate`].
    K1,
    /// [`k2`].
    K2,
    /// [`k3`], the estimator of the GRPO paper.
    K3,
    /// Importance ratio times [`k3`], gradient through both; TRL's default.
    #[default]
    K3ImportanceCorrected,
}

impl KlEstimator {
    /// The estimate for a token with log-prob gap `d` = current - reference and importance ratio
    /// `ratio` of current to old policy.
    pub fn term(self, d: f64, ratio: Term) -> Term {
        match self {
            KlEstimator::K1 => k1(d),
            KlEstimator::K2 => k2(d),
            KlEstimator::K3 => k3(d),
            KlEstimator::K3ImportanceCorrected => {
                let k3 = k3(d);
                Term {
                    value: ratio.value * k3.value,
                    slope: ratio.slope * k3.value + ratio.value * k3.slope,
                }
            }
        }
    }
}

/// A KL term inside the token sum of a loss.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KlPenalty {
    /// Weight beta, 0 or more; 0 switches the term off, and no reference is needed. TRL 0.0,
    /// DeepSeek-R1 0.001, verl 0.001, DeepSeekMath 0.04.
    pub coef: f64,
    /// The estimator.
    pub estimator: KlEstimator,
}

impl KlPenalty {
    /// True where the term takes part in the loss.
    pub fn is_on(&self) -> bool {
        self.coef != 0.0
    }

    /// The weighted term of one token; see [`KlEstimator::term`].
    pub fn term(&self, d: f64, ratio: Term) -> Term {
        let Term { value, slope } = self.estimator.term(d, ratio);
        Term { value: self.coef * value, slope: self.coef * slope }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.coef.is_finite() && self.coef >= 0.0,
            "kl.coef",
            self.coef,
            "0 or more",
            "0 switches the penalty off, 0.001 to 0.04 is usual",
        );
        problems.require(
            !(self.is_on() && self.estimator == KlEstimator::K1),
            "kl.estimator",
            self.estimator,
            "K2, K3 or K3ImportanceCorrected",
            "the gradient of k1 averages to zero, so it would hold nothing back",
        );
        problems.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON_POLICY: Term = Term { value: 1.0, slope: 1.0 };

    fn assert_close(got: f64, wanted: f64) {
        assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
    }

    #[test]
    fn golden_half_a_nat() {
        assert_eq!(k1(0.5), Term { value: 0.5, slope: 1.0 });
        assert_eq!(k2(0.5), Term { value: 0.125, slope: 0.5 });
        assert_close(k3(0.5).value, 0.106531);
        assert_close(k3(0.5).slope, 0.393469);
    }

    /// Expected values and gradients over two actions, pi = (.7, .3), ref = (.5, .5), with respect
    /// to the difference of the logits.
    #[test]
    fn golden_expected_gradients_over_two_actions() {
        let (pi, reference) = ([0.7f64, 0.3], [0.5f64, 0.5]);
        // d log pi(a) / d logit difference.
        let score = [pi[1], -pi[0]];
        let expect = |f: &dyn Fn(f64) -> f64| -> f64 {
            (0..2).map(|a| pi[a] * f((pi[a] / reference[a]).ln())).sum()
        };
        let expect_gradient = |estimator: KlEstimator| -> f64 {
            let d = |a: usize| (pi[a] / reference[a]).ln();
            (0..2).map(|a| pi[a] * estimator.term(d(a), ON_POLICY).slope * score[a]).sum()
        };
        assert_close(expect(&|d| k1(d).value), 0.082283);
        assert_close(expect(&|d| k2(d).value), 0.078766);
        assert_close(expect(&|d| k3(d).value), 0.082283);
        assert_close(expect_gradient(KlEstimator::K1), 0.0);
        assert_close(expect_gradient(KlEstimator::K2), 0.177933);
        assert_close(expect_gradient(KlEstimator::K3), 0.2);
        assert_close(expect_gradient(KlEstimator::K3ImportanceCorrected), 0.177933);
    }

    /// Sampled from another policy, the corrected form still gives the reverse-KL gradient.
    #[test]
    fn the_importance_correction_holds_off_policy() {
        let (pi, reference, sampler) = ([0.7f64, 0.3], [0.5f64, 0.5], [0.2f64, 0.8]);
        let score = [pi[1], -pi[0]];
        let gradient: f64 = (0..2)
            .map(|a| {
                let ratio = crate::ratio((pi[a] / sampler[a]).ln());
                let term =
                    KlEstimator::K3ImportanceCorrected.term((pi[a] / reference[a]).ln(), ratio);
                sampler[a] * term.slope * score[a]
            })
            .sum();
        assert_close(gradient, 0.177933);
    }

    #[test]
    fn slopes_are_central_differences() {
        let h = 1e-6;
        let old = -0.9;
        for estimator in
            [KlEstimator::K1, KlEstimator::K2, KlEstimator::K3, KlEstimator::K3ImportanceCorrected]
        {
            for current in [-3.0, -1.0, -0.2] {
                let at = |lc: f64| estimator.term(lc + 1.3, crate::ratio(lc - old));
                let numeric = (at(current + h).value - at(current - h).value) / (2.0 * h);
                assert!((at(current).slope - numeric).abs() < 1e-7, "{estimator:?} at {current}");
            }
        }
    }

    #[test]
    fn fifty_nats_stay_finite() {
        for d in [50.0, -50.0] {
            let corrected = KlEstimator::K3ImportanceCorrected.term(d, crate::ratio(d));
            assert!(k3(d).value.is_finite() && corrected.value.is_finite());
            assert_eq!(k3(d).slope, 0.0);
        }
    }

    #[test]
    fn k1_as_a_loss_is_refused() {
        let on = KlPenalty { coef: 0.1, estimator: KlEstimator::K1 };
        assert_eq!(on.validate()[0].key, "kl.estimator");
        assert_eq!(KlPenalty { coef: 0.0, ..on }.validate(), []);
        let bad = KlPenalty { coef: -0.1, estimator: KlEstimator::K1 };
        assert_eq!(bad.validate().len(), 2);
    }
}
