//! VAPO's estimation: one lambda for the critic, another for the policy, longer traces for longer
//! replies.
//!
//! VAPO, arXiv 2504.05118, sections 4.1 and 4.2; VC-PPO, arXiv 2503.01491:
//!
//! - *decoupled*: the critic's targets are A_t(lambda_critic) + V_t with lambda_critic 1, the plain
//!   return, so that a badly started critic does not teach itself; the policy has its own lambda;
//! - *length-adaptive*: lambda = 1 - 1 / (alpha l) for a trajectory of l tokens.
//!
//! For l <= 1 / alpha that is 0 or less. No clamp is stated in the paper; ours clamps to [0, 1].

use super::gae::{Gae, TokenCredit, require_share};
use crate::error::Problems;
use crate::{AlgoError, Problem};

/// The policy's lambda.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PolicyLambda {
    /// The same for all trajectories; VC-PPO 0.95.
    Fixed(
        /// Lambda, in [0, 1].
        f64,
    ),
    /// 1 - 1 / (alpha l), clamped to [0, 1].
    LengthAdaptive {
        /// Above 0; VAPO 0.05.
        alpha: f64,
    },
}

impl PolicyLambda {
    /// Lambda of a trajectory of this many loss tokens.
    pub fn at(self, n_tokens: usize) -> f64 {
        match self {
            PolicyLambda::Fixed(lambda) => lambda,
            PolicyLambda::LengthAdaptive { alpha } => {
                (1.0 - 1.0 / (alpha * n_tokens.max(1) as f64)).clamp(0.0, 1.0)
            }
        }
    }
}

/// Estimation with separate lambdas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecoupledGae {
    /// Discount of each token, in [0, 1].
    pub gamma: f64,
    /// Lambda of the critic's targets, in [0, 1].
    pub critic_lambda: f64,
    /// Lambda of the advantages.
    pub policy_lambda: PolicyLambda,
}

impl Default for DecoupledGae {
    fn default() -> Self {
        DecoupledGae {
            gamma: 1.0,
            critic_lambda: 1.0,
            policy_lambda: PolicyLambda::LengthAdaptive { alpha: 0.05 },
        }
    }
}

impl DecoupledGae {
    /// Advantages and targets of the tokens of one trajectory; arguments as in [`Gae::credit`].
    ///
    /// # Errors
    /// Where the slices differ in length.
    pub fn credit(
        &self,
        rewards: &[f64],
        values: &[f64],
        bootstrap: f64,
    ) -> Result<TokenCredit, AlgoError> {
        let lambda = self.policy_lambda.at(rewards.len());
        let policy = Gae { gamma: self.gamma, lambda };
        let critic = Gae { gamma: self.gamma, lambda: self.critic_lambda };
        Ok(TokenCredit {
            advantages: policy.advantages(rewards, values, bootstrap)?,
            returns: critic.lambda_returns(rewards, values, bootstrap)?,
        })
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        require_share(&mut problems, "gae.gamma", self.gamma, "1 is usual");
        require_share(&mut problems, "gae.critic_lambda", self.critic_lambda, "1 is VAPO's");
        let key = "gae.policy_lambda";
        match self.policy_lambda {
            PolicyLambda::Fixed(lambda) => {
                require_share(&mut problems, key, lambda, "0.95 is usual");
            }
            PolicyLambda::LengthAdaptive { alpha } => problems.require(
                alpha.is_finite() && alpha > 0.0,
                "gae.policy_lambda.alpha",
                alpha,
                "above 0",
                "0.05 is VAPO's",
            ),
        }
        problems.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(got: &[f64], wanted: &[f64]) {
        assert_eq!(got.len(), wanted.len());
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-9, "{got} is not {wanted}");
        }
    }

    #[test]
    fn golden_lambda_by_length() {
        let lambda = DecoupledGae::default().policy_lambda;
        let got = [0, 10, 20, 40, 100, 1000].map(|n_tokens| lambda.at(n_tokens));
        assert_close(&got, &[0.0, 0.0, 0.0, 0.5, 0.8, 0.98]);
        assert_eq!(PolicyLambda::Fixed(0.95).at(3), 0.95);
    }

    #[test]
    fn golden_decoupled() {
        let (q, v) = ([0.0, 0.0, 1.0], [0.2, 0.3, 0.5]);
        let settings =
            DecoupledGae { policy_lambda: PolicyLambda::Fixed(0.5), ..Default::default() };
        let got = settings.credit(&q, &v, 0.0).unwrap();
        assert_close(&got.returns, &[1.0, 1.0, 1.0]);
        assert_close(&got.advantages, &[0.325, 0.45, 0.5]);
    }

    #[test]
    fn equal_lambdas_are_plain_estimation() {
        let (q, v) = ([0.3, -0.2, 1.0], [0.2, 0.3, 0.5]);
        let policy_lambda = PolicyLambda::Fixed(0.7);
        let settings = DecoupledGae { gamma: 0.9, critic_lambda: 0.7, policy_lambda };
        let got = settings.credit(&q, &v, 0.4).unwrap();
        let plain = Gae { gamma: 0.9, lambda: 0.7 }.credit(&q, &v, 0.4).unwrap();
        assert_close(&got.advantages, &plain.advantages);
        assert_close(&got.returns, &plain.returns);
    }

    #[test]
    fn every_problem_is_reported() {
        let policy_lambda = PolicyLambda::LengthAdaptive { alpha: 0.0 };
        let bad = DecoupledGae { gamma: 2.0, critic_lambda: -1.0, policy_lambda };
        assert_eq!(bad.validate().len(), 3);
        let bad = DecoupledGae { policy_lambda: PolicyLambda::Fixed(1.1), ..Default::default() };
        assert_eq!(bad.validate()[0].key, "gae.policy_lambda");
        assert_eq!(DecoupledGae::default().validate(), []);
    }
}
