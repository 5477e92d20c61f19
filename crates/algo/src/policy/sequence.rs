//! The loss tokens of one trajectory, as a surrogate sees them, and what it says of each.
//!
//! A token's loss may depend on its own log-prob and, alike for all tokens, on every log-prob of the
//! trajectory (through a mean or a sum of log-ratios). Two slopes for each token describe that, and
//! `backward` turns them into gradients in one pass instead of N².

use crate::{ClipSide, Term};

/// Over what an importance ratio is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RatioLevel {
    /// Each token has its own: exp(lc - lo).
    #[default]
    Token,
    /// One for the trajectory, the geometric mean: exp(mean(lc - lo)).
    Sequence,
    /// One for the trajectory, the product: exp(sum(lc - lo)).
    Product,
}

/// The loss tokens of one trajectory, over all its rows in a micro-batch.
///
/// # Shapes
/// All arrays have one entry for each loss token; natural logarithms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sequence {
    /// Log-prob under the current policy.
    pub current: Vec<f64>,
    /// Log-prob under the policy at the start of the update phase.
    pub old: Vec<f64>,
    /// Log-prob under the policy that sampled; NaN where unknown.
    pub behaviour: Vec<f64>,
    /// Advantage.
    pub advantages: Vec<f64>,
    /// Whether the token has a part in the policy loss; empty where all have.
    pub kept: Vec<bool>,
    /// The trajectory's number in [`crate::Plan::contexts`]; 0 without one.
    pub context: f64,
}

/// A number with its slopes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Slopes {
    /// The number.
    pub value: f64,
    /// Derivative with respect to the log-prob of the token itself.
    pub own: f64,
    /// Derivative with respect to each log-prob of the trajectory, beside `own`.
    pub shared: f64,
}

/// What a surrogate says of one token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenLoss {
    /// Its loss, with slopes.
    pub loss: Slopes,
    /// Whether its log-prob takes part in the shared quantity: 1, or 0 where that is flat in it.
    pub gate: f64,
    /// Importance ratio, for the diagnostics.
    pub ratio: f64,
    /// Whether a clip range acted.
    pub clipped: Option<ClipSide>,
}

impl Sequence {
    /// Number of loss tokens.
    pub fn len(&self) -> usize {
        self.current.len()
    }

    /// True without loss tokens.
    pub fn is_empty(&self) -> bool {
        self.current.is_empty()
    }

    /// lc - lo of each token.
    pub fn log_ratios(&self) -> impl Iterator<Item = f64> + '_ {
        self.current.iter().zip(&self.old).map(|(current, old)| current - old)
    }

    /// Mean of lc - lo; 0 without tokens.
    pub fn mean_log_ratio(&self) -> f64 {
        self.log_ratios().sum::<f64>() / self.len().max(1) as f64
    }

    /// Importance ratio of each token at `level`, clamped as [`crate::ratio`] does.
    pub fn ratios(&self, level: RatioLevel) -> Vec<Slopes> {
        let shared = |log_ratio: f64, share: f64| {
            let Term { value, slope } = crate::ratio(log_ratio);
            vec![Slopes { value, own: 0.0, shared: slope * share }; self.len()]
        };
        match level {
            RatioLevel::Token => (self.log_ratios().map(crate::ratio))
                .map(|Term { value, slope }| Slopes { value, own: slope, shared: 0.0 })
                .collect(),
            RatioLevel::Sequence => shared(self.mean_log_ratio(), 1.0 / self.len().max(1) as f64),
            RatioLevel::Product => shared(self.log_ratios().sum(), 1.0),
        }
    }
}

impl Slopes {
    /// A number that depends on this one with slope `slope` at `value`.
    pub fn then(self, Term { value, slope }: Term) -> Slopes {
        Slopes { value, own: slope * self.own, shared: slope * self.shared }
    }

    /// The same number, times a constant.
    pub fn times(self, factor: f64) -> Slopes {
        Slopes { value: factor * self.value, own: factor * self.own, shared: factor * self.shared }
    }
}

impl TokenLoss {
    /// A loss that depends on its own log-prob as slopes say, without a clip range.
    pub fn unclipped(loss: Slopes, ratio: f64) -> TokenLoss {
        TokenLoss { loss, gate: 1.0, ratio, clipped: None }
    }
}

/// Adds d (sum of `weights` times losses) / d log-prob to `gradient`.
///
/// # Panics
/// Where the slices differ in length.
pub(crate) fn backward(losses: &[Slopes], gates: &[f64], weights: &[f64], gradient: &mut [f64]) {
    assert_eq!((losses.len(), gates.len()), (gradient.len(), gradient.len()), "loss tokens");
    let shared: f64 = losses.iter().zip(weights).map(|(loss, weight)| weight * loss.shared).sum();
    for (token, slot) in gradient.iter_mut().enumerate() {
        *slot += weights[token] * losses[token].own + gates[token] * shared;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence() -> Sequence {
        Sequence {
            current: vec![-1.0, -2.0, -0.5],
            old: vec![-1.2, -1.9, -0.5],
            ..Sequence::default()
        }
    }

    #[test]
    fn slopes_of_ratios_are_central_differences() {
        let h = 1e-6;
        for level in [RatioLevel::Token, RatioLevel::Sequence, RatioLevel::Product] {
            let here = sequence().ratios(level);
            for moved in 0..3 {
                let at = |step: f64| {
                    let mut sequence = sequence();
                    sequence.current[moved] += step;
                    sequence.ratios(level)
                };
                let (above, below) = (at(h), at(-h));
                for token in 0..3 {
                    let numeric = (above[token].value - below[token].value) / (2.0 * h);
                    let own = if token == moved { here[token].own } else { 0.0 };
                    assert!((own + here[token].shared - numeric).abs() < 1e-8, "{level:?}");
                }
            }
        }
    }

    #[test]
    fn nothing_and_far_away_stay_finite() {
        assert!(Sequence::default().ratios(RatioLevel::Sequence).is_empty());
        assert_eq!(Sequence::default().mean_log_ratio(), 0.0);
        let far = Sequence { current: vec![-90.0], old: vec![-1.0], ..Sequence::default() };
        for level in [RatioLevel::Token, RatioLevel::Sequence, RatioLevel::Product] {
            let ratio = far.ratios(level)[0];
            assert!(ratio.value > 0.0 && ratio.own == 0.0 && ratio.shared == 0.0);
        }
    }
}
