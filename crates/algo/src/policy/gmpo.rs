//! GMPO: the geometric mean of clipped token ratios (arXiv 2507.20673).
//!
//! With x_t = lc - lo and a range of +-e in log space, each token is clipped before the mean is taken:
//!
//!   z_t = min(x_t, clip(x_t, -e, e)) where A > 0, max(x_t, clip(x_t, -e, e)) elsewhere
//!   ell_i = -exp( mean_t z_t ) A_i
//!
//! so that one wild token cannot carry the trajectory away. Tokens that a mask leaves out
//! ([`Sequence::kept`]) are left out of the mean, as in TRL. The mean over trajectories of the loss
//! needs one advantage for each trajectory; where tokens differ, each has its own and shares z.

use super::{Sequence, Slopes, Surrogate, TokenLoss};
use crate::error::Problems;
use crate::{Aggregation, ClipSide, PolicyGradient, Problem, Term};

/// Settings of GMPO.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gmpo {
    /// Half width of the range in log space, above 0. 0.4.
    pub width: f64,
}

impl Default for Gmpo {
    fn default() -> Self {
        Gmpo { width: 0.4 }
    }
}

/// GMPO with the paper's range.
pub fn gmpo() -> PolicyGradient {
    PolicyGradient {
        name: "gmpo",
        surrogate: Surrogate::Gmpo(Gmpo::default()),
        aggregation: Aggregation::Grpo,
        ..PolicyGradient::default()
    }
}

impl Gmpo {
    /// The loss of every token of a trajectory.
    pub fn losses(&self, sequence: &Sequence) -> Vec<TokenLoss> {
        let sides: Vec<Option<ClipSide>> = (sequence.log_ratios().zip(&sequence.advantages))
            .map(|(x, advantage)| self.side(x, *advantage))
            .collect();
        let clipped = |(x, side): (f64, &Option<ClipSide>)| match side {
            Some(ClipSide::High) => self.width,
            Some(ClipSide::Low) => -self.width,
            None => x,
        };
        let is_kept = |i: usize| sequence.kept.get(i).copied().unwrap_or(true);
        let n = (0..sequence.len()).filter(|i| is_kept(*i)).count().max(1) as f64;
        let kept = sequence.log_ratios().zip(&sides).enumerate().filter(|(i, _)| is_kept(*i));
        let mean = kept.map(|(_, token)| clipped(token)).sum::<f64>() / n;
        let Term { value, slope } = crate::ratio(mean);
        let token = |(i, side): (usize, Option<ClipSide>)| {
            let advantage = sequence.advantages[i];
            let shared = -advantage * slope / n;
            TokenLoss {
                loss: Slopes { value: -advantage * value, own: 0.0, shared },
                gate: if side.is_none() && is_kept(i) { 1.0 } else { 0.0 },
                ratio: crate::ratio(sequence.current[i] - sequence.old[i]).value,
                clipped: side,
            }
        };
        sides.into_iter().enumerate().map(token).collect()
    }

    fn side(&self, log_ratio: f64, advantage: f64) -> Option<ClipSide> {
        if advantage > 0.0 {
            (log_ratio > self.width).then_some(ClipSide::High)
        } else {
            (log_ratio < -self.width).then_some(ClipSide::Low)
        }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.width.is_finite() && self.width > 0.0,
            "gmpo.width",
            self.width,
            "above 0",
            "0.4 is the paper's",
        );
        problems.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens that a mask leaves out are neither in the mean nor moved by it.
    #[test]
    fn tokens_left_out_are_not_in_the_mean() {
        let of = |kept: &[bool]| {
            Gmpo::default().losses(&Sequence {
                current: vec![-1.0, -1.2, -1.0],
                old: vec![-1.1; 3],
                advantages: vec![2.0; 3],
                kept: kept.to_vec(),
                ..Sequence::default()
            })
        };
        let all = of(&[]);
        assert_eq!(of(&[true; 3]), all);
        assert!((all[0].loss.value + 2.0 * (0.1f64 / 3.0).exp()).abs() < 1e-12);
        let some = of(&[true, true, false]);
        assert!((some[2].loss.value + 2.0).abs() < 1e-12);
        assert_eq!(some.iter().map(|token| token.gate).collect::<Vec<f64>>(), [1.0, 1.0, 0.0]);
        assert!((some[0].loss.shared + 1.0).abs() < 1e-12);
        let none = of(&[false; 3]);
        assert!(none.iter().all(|token| token.loss.value == -2.0 && token.gate == 0.0));
    }
}
