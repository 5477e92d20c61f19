//! Probability ratios, clamped, with their derivative.
//!
//! Every log-ratio is clamped to [-20, 20] before it is exponentiated (verl's `core_algos.py`), so
//! that a pair of log-probs 50 nats apart stays finite. TRL has no such clamp in most of its losses:
//! inside it the numbers agree. Where the clamp acts the derivative is 0, as for every clamp.

/// Bound of a log-ratio before it is exponentiated, nats.
pub const MAX_LOG_RATIO: f64 = 20.0;

/// A number that depends on the current log-prob of a token, and its derivative with respect to it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Term {
    /// The number.
    pub value: f64,
    /// d value / d log-prob.
    pub slope: f64,
}

/// exp of a clamped log-ratio whose first part is the current log-prob. NaN gives NaN.
pub fn ratio(log_ratio: f64) -> Term {
    let value = log_ratio.clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO).exp();
    let slope = if log_ratio.abs() > MAX_LOG_RATIO { 0.0 } else { value };
    Term { value, slope }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_the_clamp_it_is_the_exponential() {
        assert_eq!(ratio(0.0), Term { value: 1.0, slope: 1.0 });
        let there = ratio(-1.5);
        assert_eq!(there.value, (-1.5f64).exp());
        assert_eq!(there.slope, there.value);
        assert_eq!(ratio(20.0).slope, 20f64.exp());
    }

    #[test]
    fn outside_it_is_flat_and_finite() {
        for far in [50.0, f64::INFINITY] {
            assert_eq!(ratio(far), Term { value: 20f64.exp(), slope: 0.0 });
            assert_eq!(ratio(-far), Term { value: (-20f64).exp(), slope: 0.0 });
        }
    }

    #[test]
    fn nan_stays_nan() {
        assert!(ratio(f64::NAN).value.is_nan());
    }
}
