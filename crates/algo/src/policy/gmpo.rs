//! GMPO: the geometric mean of clipped token ratios (arXiv 2507.20673).
//!
//! With x_t = lc - lo and a range of +-e in log space, each token is clipped before the mean is taken:
//!
//!   z_t = min(x_t, clip(x_t, -e, e)) where A > 0, max(x_t, clip(x_t, -e, e)) elsewhere
//!   ell_i = -exp( mean_t z_t ) A_i
//!
//! so that one wild token cannot carry the trajectory away. The mean over trajectories of the loss
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
        let n = sequence.len().max(1) as f64;
        let mean = sequence.log_ratios().zip(&sides).map(clipped).sum::<f64>() / n;
        let Term { value, slope } = crate::ratio(mean);
        let token = |(i, side): (usize, Option<ClipSide>)| {
            let advantage = sequence.advantages[i];
            let shared = -advantage * slope / n;
            TokenLoss {
                loss: Slopes { value: -advantage * value, own: 0.0, shared },
                gate: if side.is_some() { 0.0 } else { 1.0 },
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
