//! The logistic function and the exponential, without overflow.
//!
//! Both come with their derivative with respect to their argument. The exponential is bounded from
//! above only, at [`MAX_LOG_RATIO`]: a very small number does no harm, a very large one times 0 does.

use crate::{MAX_LOG_RATIO, Term};

/// 1 / (1 + exp(-x)).
pub(crate) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// d sigmoid(x) / dx.
pub(crate) fn sigmoid_slope(x: f64) -> f64 {
    sigmoid(x) * sigmoid(-x)
}

/// log sigmoid(x).
pub(crate) fn log_sigmoid(x: f64) -> f64 {
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

/// -log sigmoid(x), the loss of a binary choice that x nats speak for.
pub(crate) fn log_loss(x: f64) -> Term {
    Term { value: -log_sigmoid(x), slope: -sigmoid(-x) }
}

/// [`log_loss`] where the choice is the wrong one with probability `smoothing`.
pub(crate) fn smoothed_log_loss(x: f64, smoothing: f64) -> Term {
    let (right, wrong) = (log_loss(x), log_loss(-x));
    Term {
        value: (1.0 - smoothing) * right.value + smoothing * wrong.value,
        slope: (1.0 - smoothing) * right.slope - smoothing * wrong.slope,
    }
}

/// exp(x), flat above [`MAX_LOG_RATIO`].
pub(crate) fn bounded_exp(x: f64) -> Term {
    if x > MAX_LOG_RATIO {
        return Term { value: MAX_LOG_RATIO.exp(), slope: 0.0 };
    }
    Term { value: x.exp(), slope: x.exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_far_out_keep_their_digits() {
        assert_eq!(sigmoid(0.0), 0.5);
        assert_eq!(log_sigmoid(-800.0), -800.0);
        assert_eq!(log_sigmoid(800.0), 0.0);
        assert!((log_sigmoid(40.0) / -(-40f64).exp() - 1.0).abs() < 1e-12);
        assert!((sigmoid(-40.0) / (-40f64).exp() - 1.0).abs() < 1e-12);
        assert_eq!(sigmoid(-800.0), 0.0);
        assert_eq!(sigmoid(800.0), 1.0);
    }

    #[test]
    fn slopes_are_central_differences() {
        let h = 1e-6;
        for x in [-30.0, -3.0, -0.1, 0.0, 0.4, 2.0, 19.0, 25.0] {
            let numeric = |f: &dyn Fn(f64) -> f64| (f(x + h) - f(x - h)) / (2.0 * h);
            assert!((sigmoid_slope(x) - numeric(&sigmoid)).abs() < 1e-8);
            assert!((log_loss(x).slope - numeric(&|x| log_loss(x).value)).abs() < 1e-8);
            let smoothed = |x: f64| smoothed_log_loss(x, 0.2);
            assert!((smoothed(x).slope - numeric(&|x| smoothed(x).value)).abs() < 1e-8);
            let exp = bounded_exp(x);
            let difference = exp.slope - numeric(&|x| bounded_exp(x).value);
            assert!(difference.abs() <= 1e-6 * exp.value, "{x}: {difference}");
        }
    }

    #[test]
    fn the_exponential_is_flat_far_up() {
        assert_eq!(bounded_exp(1e6), Term { value: MAX_LOG_RATIO.exp(), slope: 0.0 });
        assert_eq!(bounded_exp(-1e6), Term { value: 0.0, slope: 0.0 });
        assert!(bounded_exp(f64::NAN).value.is_nan());
    }
}
