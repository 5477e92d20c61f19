//! VAPO (arXiv 2504.05118): PPO with a critic that can be trusted on long answers.
//!
//! Its parts: value pretraining (the trainer's), GAE with a lambda of 1 for the critic and one that
//! grows with the answer's length for the policy, a wider clip range above than below, one weight for
//! every token, and a log-likelihood term on answers that were right (weight 0.1). Groups of many
//! samples are drawn for each prompt, but not compared. The value loss is not clipped: with targets
//! that are plain returns there is nothing to hold back.

use super::{Clip, Surrogate};
use crate::{
    AdvantageEstimator, CriticEstimator, DecoupledGae, PolicyGradient, ValueLoss, ValueTerm,
    Whitening,
};

/// VAPO with the paper's settings, as far as they are known.
pub fn vapo() -> PolicyGradient {
    PolicyGradient {
        name: "vapo",
        advantage: AdvantageEstimator::Critic {
            estimator: CriticEstimator::Decoupled(DecoupledGae::default()),
            whitening: Some(Whitening::default()),
        },
        surrogate: Surrogate::clip(Clip { high: 0.28, ..Clip::default() }),
        value: Some(ValueTerm { loss: ValueLoss { clip: None, scale: 0.5 }, coef: 1.0 }),
        positive_coef: 0.1,
        ..PolicyGradient::default()
    }
}
