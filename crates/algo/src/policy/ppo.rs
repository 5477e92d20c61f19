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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clip;

    /// max(ell, ...) bounded by c |A| with c = 3 where the advantage is negative.
    #[test]
    fn golden_dual_clip() {
        let clip = Clip { delta: Some(3.0), ..Clip::default() };
        let at =
            |ratio: f64, advantage: f64| clip.surrogate(crate::ratio(ratio.ln()), advantage).value;
        assert!((at(5.0, -1.0) - 3.0).abs() < 1e-12);
        assert!((at(0.5, -1.0) - 0.8).abs() < 1e-12);
    }

    #[test]
    fn it_wants_a_critic_and_a_reference() {
        let wants = crate::Algorithm::wants(&ppo());
        assert!(wants.values && wants.reference && !wants.entropy_gradient);
        assert_eq!(ppo().validate(), []);
        let keys: Vec<&str> = PolicyGradient { value: None, ..ppo() }
            .validate()
            .iter()
            .map(|problem| problem.key)
            .collect();
        assert_eq!(keys, ["value"]);
    }
}
