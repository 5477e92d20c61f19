//! How much of the returns a critic foresees.
//!
//! 1 - Var(R - V) / Var(R) with population variances, as Stable-Baselines3 computes it. verl's form
//! has Bessel variances and 1e-5 in the denominator; the two agree for more than a few returns.

use super::Moments;

/// 1 for a perfect critic, 0 for one that predicts a constant, below 0 for a harmful one.
/// `None` where the returns do not vary, or the slices differ in length.
pub fn explained_variance(returns: &[f64], values: &[f64]) -> Option<f64> {
    if returns.len() != values.len() {
        return None;
    }
    let spread: Moments = returns.iter().copied().collect();
    let error: Moments = returns.iter().zip(values).map(|(r, v)| r - v).collect();
    (spread.variance() > 0.0).then(|| 1.0 - error.variance() / spread.variance())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        let got = explained_variance(&[1.0, 2.0, 3.0, 4.0], &[1.1, 1.9, 3.2, 3.6]).unwrap();
        assert!((got - 0.958).abs() < 1e-9);
    }

    #[test]
    fn bounds() {
        assert_eq!(explained_variance(&[1.0, 2.0], &[1.0, 2.0]), Some(1.0));
        assert_eq!(explained_variance(&[1.0, 2.0], &[7.0, 7.0]), Some(0.0));
        assert_eq!(explained_variance(&[1.0, 2.0], &[2.0, 1.0]), Some(-3.0));
    }

    #[test]
    fn without_variance_there_is_nothing_to_explain() {
        assert_eq!(explained_variance(&[1.0, 1.0], &[1.0, 0.0]), None);
        assert_eq!(explained_variance(&[], &[]), None);
        assert_eq!(explained_variance(&[1.0], &[]), None);
    }
}
