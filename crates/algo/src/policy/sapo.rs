//! SAPO: a smooth gate in place of the clip (arXiv 2511.20347).
//!
//!   ell_t = -A_t (4 / tau) sigmoid( tau (rho_t - 1) )
//!
//! tau is `tau_positive` where A > 0 and `tau_negative` elsewhere. At rho = 1 the slope is that of
//! the plain ratio for any tau, and it fades the further the ratio is away. Defaults are TRL's.

use super::{RatioLevel, Sequence, Slopes, Surrogate, TokenLoss};
use crate::error::Problems;
use crate::{Aggregation, PolicyGradient, Problem, Term};

/// Settings of SAPO.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sapo {
    /// Steepness where the advantage is positive, above 0. 1.0.
    pub tau_positive: f64,
    /// Steepness where it is not, above 0. 1.05: bad tokens fade sooner.
    pub tau_negative: f64,
    /// Over what the ratio is taken.
    pub level: RatioLevel,
}

impl Default for Sapo {
    fn default() -> Self {
        Sapo { tau_positive: 1.0, tau_negative: 1.05, level: RatioLevel::Token }
    }
}

/// SAPO with TRL's settings.
pub fn sapo() -> PolicyGradient {
    PolicyGradient {
        name: "sapo",
        surrogate: Surrogate::Sapo(Sapo::default()),
        aggregation: Aggregation::Grpo,
        ..PolicyGradient::default()
    }
}

impl Sapo {
    /// The loss of every token of a trajectory.
    pub fn losses(&self, sequence: &Sequence) -> Vec<TokenLoss> {
        let token = |(ratio, advantage): (Slopes, &f64)| {
            let tau = if *advantage > 0.0 { self.tau_positive } else { self.tau_negative };
            let gate = 1.0 / (1.0 + (-tau * (ratio.value - 1.0)).exp());
            let value = -advantage * 4.0 / tau * gate;
            let slope = -advantage * 4.0 * gate * (1.0 - gate);
            TokenLoss::unclipped(ratio.then(Term { value, slope }), ratio.value)
        };
        sequence.ratios(self.level).into_iter().zip(&sequence.advantages).map(token).collect()
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        let is_steepness = |tau: f64| tau.is_finite() && tau > 0.0;
        let hint = "1.0 and 1.05 are the paper's";
        problems.require(
            is_steepness(self.tau_positive),
            "sapo.tau_positive",
            self.tau_positive,
            "above 0",
            hint,
        );
        problems.require(
            is_steepness(self.tau_negative),
            "sapo.tau_negative",
            self.tau_negative,
            "above 0",
            hint,
        );
        problems.into_vec()
    }
}
