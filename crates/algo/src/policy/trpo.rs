//! TRPO (arXiv 1502.05477): the plain ratio, and a natural-gradient step inside a trust region.
//!
//! The loss is -mean(rho A) without a clip; what holds the policy back is [`crate::TrustRegion`]. The
//! critic has an optimiser of its own and is taught beside it.

use super::{Clip, Surrogate};
use crate::{
    AdvantageEstimator, CriticEstimator, Gae, PolicyGradient, TrustRegion, ValueLoss, ValueTerm,
    Whitening,
};

/// TRPO with sb3-contrib's settings; gamma is 1, as usual for language models.
pub fn trpo() -> PolicyGradient {
    PolicyGradient {
        name: "trpo",
        advantage: AdvantageEstimator::Critic {
            estimator: CriticEstimator::Token(Gae::default()),
            whitening: Some(Whitening::default()),
        },
        surrogate: Surrogate::clip(Clip { low: 1.0, high: f64::MAX, delta: None }),
        value: Some(ValueTerm { loss: ValueLoss { clip: None, scale: 0.5 }, coef: 1.0 }),
        trust_region: Some(TrustRegion::default()),
        ..PolicyGradient::default()
    }
}
