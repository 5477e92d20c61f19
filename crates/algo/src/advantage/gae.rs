//! Generalised advantage estimation over the tokens of one trajectory, and lambda-returns.
//!
//! arXiv 1506.02438, equations 11 and 16, from the last token to the first:
//!
//!   delta_t = q_t + gamma V_{t+1} - V_t        A_t = delta_t + gamma lambda A_{t+1}
//!
//! with A behind the last token 0 and V behind it the *bootstrap* value: 0 where the episode ended,
//! the critic's value of the last state where it was cut off at a limit. Value targets are
//! A_t + V_t, which are the lambda-returns. Only sampled tokens are in the slices, so tool results
//! and user turns cost no discount. [`Gae::masked`] does the same on slices that hold other tokens
//! as well; it drops the rewards of masked-out tokens, as verl does, so put them on the token before
//! first ([`super::add_turn_rewards`]).

use crate::error::{Problems, require_len};
use crate::{AlgoError, Problem, Real};

const TASK: &str = "estimate advantages";

/// Discount and trace decay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gae {
    /// Discount of each step, in [0, 1]. 1 is usual for language models.
    pub gamma: f64,
    /// Decay of the trace, in [0, 1]: 0 is the one-step error, 1 the return minus the value. TRL
    /// 0.95, verl 1.
    pub lambda: f64,
}

impl Default for Gae {
    fn default() -> Self {
        Gae { gamma: 1.0, lambda: 0.95 }
    }
}

/// What a critic-based estimator says of the tokens of one trajectory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenCredit {
    /// Advantage of each token.
    pub advantages: Vec<f64>,
    /// What the critic should have said at each token; NaN where it is not to learn.
    pub returns: Vec<f64>,
}

impl Gae {
    /// Advantages and value targets of the tokens of one trajectory.
    ///
    /// # Errors
    /// Where the slices differ in length.
    pub fn credit(
        &self,
        rewards: &[f64],
        values: &[f64],
        bootstrap: f64,
    ) -> Result<TokenCredit, AlgoError> {
        let advantages = self.advantages(rewards, values, bootstrap)?;
        let returns = advantages.iter().zip(values).map(|(a, v)| a + v).collect();
        Ok(TokenCredit { advantages, returns })
    }

    /// Advantage of each token of one trajectory.
    ///
    /// # Errors
    /// Where the slices differ in length.
    pub fn advantages<T: Real>(
        &self,
        rewards: &[T],
        values: &[T],
        bootstrap: T,
    ) -> Result<Vec<T>, AlgoError> {
        require_len(TASK, "values", rewards.len(), values.len())?;
        let mut trace = Trace::new(self, bootstrap);
        let mut advantages = vec![T::ZERO; rewards.len()];
        for (t, advantage) in advantages.iter_mut().enumerate().rev() {
            *advantage = trace.step(rewards[t], values[t]);
        }
        Ok(advantages)
    }

    /// The same on slices in which only tokens with `mask` count; the others get 0.
    ///
    /// # Errors
    /// Where the slices differ in length.
    pub fn masked<T: Real>(
        &self,
        rewards: &[T],
        values: &[T],
        mask: &[bool],
        bootstrap: T,
    ) -> Result<Vec<T>, AlgoError> {
        require_len(TASK, "values", rewards.len(), values.len())?;
        require_len(TASK, "mask", rewards.len(), mask.len())?;
        let mut trace = Trace::new(self, bootstrap);
        let mut advantages = vec![T::ZERO; rewards.len()];
        for (t, advantage) in advantages.iter_mut().enumerate().rev() {
            if mask[t] {
                *advantage = trace.step(rewards[t], values[t]);
            }
        }
        Ok(advantages)
    }

    /// G_t = q_t + gamma ((1 - lambda) V_{t+1} + lambda G_{t+1}), with both the bootstrap value
    /// behind the last token.
    ///
    /// # Errors
    /// Where the slices differ in length.
    pub fn lambda_returns<T: Real>(
        &self,
        rewards: &[T],
        values: &[T],
        bootstrap: T,
    ) -> Result<Vec<T>, AlgoError> {
        require_len("compute returns", "values", rewards.len(), values.len())?;
        let gamma = T::from_f64(self.gamma);
        let (keep, lambda) = (T::from_f64(1.0 - self.lambda), T::from_f64(self.lambda));
        let (mut next_value, mut next_return) = (bootstrap, bootstrap);
        let mut returns = vec![T::ZERO; rewards.len()];
        for (t, out) in returns.iter_mut().enumerate().rev() {
            next_return = rewards[t] + gamma * (keep * next_value + lambda * next_return);
            next_value = values[t];
            *out = next_return;
        }
        Ok(returns)
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        require_share(&mut problems, "gae.gamma", self.gamma, "1 is usual for language models");
        require_share(&mut problems, "gae.lambda", self.lambda, "0.95 is TRL's, 1 verl's");
        problems.into_vec()
    }
}

pub(super) fn require_share(
    problems: &mut Problems,
    key: &'static str,
    value: f64,
    hint: &'static str,
) {
    problems.require((0.0..=1.0).contains(&value), key, value, "0 to 1", hint);
}

/// The recursion, from the last token to the first.
pub(super) struct Trace<T> {
    gamma: T,
    decay: T,
    next_value: T,
    next_advantage: T,
}

impl<T: Real> Trace<T> {
    pub(super) fn new(gae: &Gae, bootstrap: T) -> Trace<T> {
        Trace {
            gamma: T::from_f64(gae.gamma),
            decay: T::from_f64(gae.gamma * gae.lambda),
            next_value: bootstrap,
            next_advantage: T::ZERO,
        }
    }

    /// Makes the recursion go on as if the next token had this value and this advantage.
    pub(super) fn restart(&mut self, value: T, advantage: T) {
        self.next_value = value;
        self.next_advantage = advantage;
    }

    /// Advantage of the token before the last one taken.
    pub(super) fn step(&mut self, reward: T, value: T) -> T {
        let delta = reward + self.gamma * self.next_value - value;
        self.next_advantage = delta + self.decay * self.next_advantage;
        self.next_value = value;
        self.next_advantage
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GAE: Gae = Gae { gamma: 0.9, lambda: 0.8 };

    fn assert_close(got: &[f64], wanted: &[f64]) {
        assert_eq!(got.len(), wanted.len());
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
        }
    }

    #[test]
    fn golden_masked_tokens() {
        let (q, v) = ([0.0, 0.0, 0.0, 1.0], [0.5, 0.4, 0.9, 0.6]);
        let got = GAE.masked(&q, &v, &[true, true, false, true], 0.0).unwrap();
        assert_close(&got, &[0.168160, 0.428000, 0.0, 0.400000]);
        let unmasked = GAE.advantages(&q, &v, 0.0).unwrap();
        assert_close(&unmasked, &[0.117875, 0.358160, -0.072, 0.4]);
        let credit = GAE.credit(&[0.0, 0.0, 1.0], &[0.5, 0.4, 0.6], 0.0).unwrap();
        assert_close(&credit.returns, &[0.668160, 0.828, 1.0]);
        let whitened = crate::Whitening::Bessel.whitened(&credit.advantages);
        assert_close(&whitened, &[-1.149124, 0.672722, 0.476402]);
    }

    #[test]
    fn golden_lambda_returns() {
        let (q, v) = ([0.0, 0.0, 1.0], [0.5, 0.4, 0.6]);
        let at = |lambda| Gae { lambda, ..GAE }.lambda_returns(&q, &v, 0.0).unwrap();
        assert_close(&at(0.8), &[0.668160, 0.828, 1.0]);
        assert_close(&at(1.0), &[0.81, 0.9, 1.0]);
        assert_close(&at(0.0), &[0.36, 0.54, 1.0]);
    }

    /// Sum over l of (gamma lambda)^l delta_{t+l}, as the paper defines it.
    fn forward_sums(gae: &Gae, rewards: &[f64], values: &[f64], bootstrap: f64) -> Vec<f64> {
        let n = rewards.len();
        let next = |t: usize| if t + 1 < n { values[t + 1] } else { bootstrap };
        let delta = |t: usize| rewards[t] + gae.gamma * next(t) - values[t];
        let decay = gae.gamma * gae.lambda;
        (0..n).map(|t| (t..n).map(|j| decay.powi((j - t) as i32) * delta(j)).sum()).collect()
    }

    proptest! {
        #[test]
        fn recursion_is_the_forward_sum(
            tokens in prop::collection::vec((-2.0..2.0, -2.0..2.0), 0..12),
            gamma in 0.0..=1.0, lambda in 0.0..=1.0, bootstrap in -2.0..2.0,
        ) {
            let (rewards, values): (Vec<f64>, Vec<f64>) = tokens.into_iter().unzip();
            let gae = Gae { gamma, lambda };
            let credit = gae.credit(&rewards, &values, bootstrap).unwrap();
            let wanted = forward_sums(&gae, &rewards, &values, bootstrap);
            assert_close(&credit.advantages, &wanted);
            assert_close(&credit.returns, &gae.lambda_returns(&rewards, &values, bootstrap).unwrap());
        }

        #[test]
        fn masking_is_deleting(
            tokens in prop::collection::vec((-2.0..2.0, -2.0..2.0, any::<bool>()), 0..12),
            bootstrap in -2.0..2.0,
        ) {
            let rewards: Vec<f64> = tokens.iter().map(|t| t.0).collect();
            let values: Vec<f64> = tokens.iter().map(|t| t.1).collect();
            let mask: Vec<bool> = tokens.iter().map(|t| t.2).collect();
            let keep = |all: &[f64]| -> Vec<f64> {
                all.iter().zip(&mask).filter(|&(_, &m)| m).map(|(&x, _)| x).collect()
            };
            let masked = GAE.masked(&rewards, &values, &mask, bootstrap).unwrap();
            let compact = GAE.advantages(&keep(&rewards), &keep(&values), bootstrap).unwrap();
            prop_assert_eq!(keep(&masked), compact);
            prop_assert!(masked.iter().zip(&mask).all(|(&a, &m)| m || a == 0.0));
        }
    }

    #[test]
    fn full_traces_are_returns_minus_values_and_none_are_one_step_errors() {
        let (q, v) = ([0.5, -1.0, 2.0], [0.3, 0.6, -0.2]);
        let full = Gae { gamma: 1.0, lambda: 1.0 }.advantages(&q, &v, 4.0).unwrap();
        assert_close(&full, &[5.5 - 0.3, 5.0 - 0.6, 6.0 + 0.2]);
        let none = Gae { gamma: 0.9, lambda: 0.0 }.advantages(&q, &v, 4.0).unwrap();
        assert_close(&none, &[0.5 + 0.54 - 0.3, -1.0 - 0.18 - 0.6, 2.0 + 3.6 + 0.2]);
    }

    #[test]
    fn single_precision_is_close() {
        let (q, v) = ([0.0f32, 0.0, 1.0], [0.5f32, 0.4, 0.6]);
        let got = GAE.advantages(&q, &v, 0.0).unwrap();
        for (got, wanted) in got.iter().zip([0.168160, 0.428, 0.4]) {
            assert!((got.to_f64() - wanted).abs() < 1e-6);
        }
    }

    #[test]
    fn slices_must_fit_and_shares_lie_between_0_and_1() {
        let error = AlgoError::SliceLength { task: TASK, array: "values", expected: 1, got: 0 };
        assert_eq!(GAE.advantages(&[1.0], &[], 0.0), Err(error));
        assert_eq!(GAE.advantages::<f64>(&[], &[], 1.0), Ok(vec![]));
        let bad = Gae { gamma: 1.1, lambda: f64::NAN };
        let keys: Vec<&str> = bad.validate().iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["gae.gamma", "gae.lambda"]);
        assert_eq!(Gae::default().validate(), []);
    }
}
