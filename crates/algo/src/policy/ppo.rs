//! PPO (arXiv 1707.06347) over the tokens of conversations, with a critic.
//!
//! Clipped ratio by token, advantages by GAE and whitened over the batch, clipped value loss, KL
//! penalty (k1) inside the reward. Defaults are those of TRL's `PPOConfig`: range 0.2, value range
//! 0.2, value weight 0.1, penalty 0.05, gamma 1, lambda 0.95. The *dual clip* (arXiv 1912.09729) is
//! [`Clip::delta`]: for a negative advantage both bound the loss by the same number.

use crate::{
    AdvantageEstimator, CriticEstimator, Gae, PolicyGradient, ValueLoss, ValueTerm, Whitening,
};

/// PPO with TRL's settings.
pub fn ppo() -> PolicyGradient {
    PolicyGradient {
        name: "ppo",
        advantage: AdvantageEstimator::Critic {
            estimator: CriticEstimator::Token(Gae::default()),
            whitening: Some(Whitening::default()),
        },
        reward_kl_coef: 0.05,
        value: Some(ValueTerm { loss: ValueLoss::default(), coef: 0.1 }),
        ..PolicyGradient::default()
    }
}
