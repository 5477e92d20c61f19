//! A2C, advantage actor-critic (arXiv 1602.01783), as Stable-Baselines3 has it.
//!
//!   loss = -mean(A lc) - c_ent mean(H) + c_vf mean((R - V)²)
//!
//! No ratio, no clip, no factor of 1/2 under the value term, and one gradient step for each batch:
//! with more the weights are stale, which nothing here corrects. Lambda is 1, so advantages are
//! returns minus values.

use super::{Reinforce, Surrogate};
use crate::{AdvantageEstimator, CriticEstimator, Gae, PolicyGradient, ValueLoss, ValueTerm};

/// A2C with Stable-Baselines3's weights; gamma is 1, as usual for language models.
pub fn a2c() -> PolicyGradient {
    PolicyGradient {
        name: "a2c",
        advantage: AdvantageEstimator::Critic {
            estimator: CriticEstimator::Token(Gae { gamma: 1.0, lambda: 1.0 }),
            whitening: None,
        },
        surrogate: Surrogate::Reinforce(Reinforce { max_weight: None }),
        value: Some(ValueTerm { loss: ValueLoss::A2C, coef: 0.5 }),
        ..PolicyGradient::default()
    }
}
