//! REINFORCE: log-prob times advantage (Williams 1992).
//!
//!   ell_t = -sg(w_t) A_t lc_t
//!
//! w is 1, or with `max_weight` the importance weight exp(lc - lb) of current policy to sampler, cut
//! from above: then several steps may be taken on one batch. verl sums over tokens and takes the mean
//! over trajectories ([`crate::Aggregation::TokenSum`]).

use super::{Sequence, Slopes, Surrogate, TokenLoss};
use crate::error::Problems;
use crate::{AdvantageEstimator, Aggregation, Baseline, PolicyGradient, Problem};

/// Settings of REINFORCE.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reinforce {
    /// Upper bound of the importance weight, 1 or more; `None` takes every weight as 1.
    pub max_weight: Option<f64>,
}

/// REINFORCE with the mean reward of the batch as its baseline and weights cut at 2.
pub fn reinforce() -> PolicyGradient {
    PolicyGradient {
        name: "reinforce",
        advantage: AdvantageEstimator::Baseline(Baseline::Batch { epsilon: 1e-4 }),
        surrogate: Surrogate::Reinforce(Reinforce { max_weight: Some(2.0) }),
        aggregation: Aggregation::TokenSum,
        ..PolicyGradient::default()
    }
}

impl Reinforce {
    /// The loss of every token of a trajectory.
    pub fn losses(&self, sequence: &Sequence) -> Vec<TokenLoss> {
        let token = |i: usize| {
            let ratio = crate::ratio(sequence.current[i] - sequence.old[i]).value;
            let behaviour = sequence.behaviour[i];
            let weight = match self.max_weight {
                // A missing log-prob is no evidence of a mismatch.
                Some(max) if behaviour.is_finite() => {
                    crate::ratio(sequence.current[i] - behaviour).value.min(max)
                }
                _ => 1.0,
            };
            let slope = -weight * sequence.advantages[i];
            let loss = Slopes { value: slope * sequence.current[i], own: slope, shared: 0.0 };
            TokenLoss::unclipped(loss, ratio)
        };
        (0..sequence.len()).map(token).collect()
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.max_weight.is_none_or(|max| max.is_finite() && max >= 1.0),
            "reinforce.max_weight",
            self.max_weight.unwrap_or_default(),
            "1 or more, or nothing",
            "2.0 is usual",
        );
        problems.into_vec()
    }
}
