//! CISPO: the importance weight is cut, not the token (MiniMax-M1, arXiv 2506.13585, equation 4).
//!
//!   ell_t = -sg( clamp(rho_t, low, high) ) A_t lc_t
//!
//! so that a token whose ratio has left the range still teaches, with a bounded weight. `high` is an
//! absolute cap, as in TRL and ScaleRL (arXiv 2510.13786: 5.0); verl clamps to 1 - low and 1 + high,
//! which is `min` 0.8 and `max` 1.2. A cap below 1 would cut tokens that have not moved at all, so it
//! is refused (TRL's default of 0.2 is such a cap).

use super::{RatioLevel, Sequence, Slopes, Surrogate, TokenLoss};
use crate::error::Problems;
use crate::{ClipSide, PolicyGradient, Problem};

/// Settings of CISPO.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cispo {
    /// Least weight, 0 to 1. 0: no lower bound, as in TRL.
    pub min: f64,
    /// Greatest weight, 1 or more. ScaleRL 5.0.
    pub max: f64,
    /// Over what the weight is taken.
    pub level: RatioLevel,
}

impl Default for Cispo {
    fn default() -> Self {
        Cispo { min: 0.0, max: 5.0, level: RatioLevel::Token }
    }
}

/// CISPO with ScaleRL's cap.
pub fn cispo() -> PolicyGradient {
    PolicyGradient {
        name: "cispo",
        surrogate: Surrogate::Cispo(Cispo::default()),
        ..PolicyGradient::default()
    }
}

impl Cispo {
    /// The loss of every token of a trajectory.
    pub fn losses(&self, sequence: &Sequence) -> Vec<TokenLoss> {
        let ratios = sequence.ratios(self.level);
        let token = |(i, ratio): (usize, &Slopes)| {
            let advantage = sequence.advantages[i];
            // `clamp` keeps NaN.
            let slope = -ratio.value.clamp(self.min, self.max) * advantage;
            let loss = Slopes { value: slope * sequence.current[i], own: slope, shared: 0.0 };
            let clipped = if ratio.value > self.max && advantage > 0.0 {
                Some(ClipSide::High)
            } else if ratio.value < self.min && advantage < 0.0 {
                Some(ClipSide::Low)
            } else {
                None
            };
            TokenLoss { loss, gate: 1.0, ratio: ratio.value, clipped }
        };
        ratios.iter().enumerate().map(token).collect()
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.min.is_finite() && (0.0..=1.0).contains(&self.min),
            "cispo.min",
            self.min,
            "0 to 1",
            "0 is no lower bound",
        );
        problems.require(
            self.max.is_finite() && self.max >= 1.0,
            "cispo.max",
            self.max,
            "1 or more",
            "it is an absolute cap; ScaleRL has 5.0",
        );
        problems.into_vec()
    }
}
