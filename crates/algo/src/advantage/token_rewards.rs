//! Rewards of tokens: the KL penalty of each, turn rewards and the episode's reward at their places.
//!
//! PPO and REINFORCE++ take the KL penalty as a reward (arXiv 1909.08593, equation 2; TRL
//! `ppo_trainer.py`): q_t = -beta (log pi_old - log pi_ref), the k1 estimator, plus the reward at the
//! last token. Being a reward it carries no gradient of its own, and k1 is the estimator whose sum
//! over a trajectory has the right expectation; k2 and k3 are for losses ([`crate::KlPenalty`]).
//!
//! Tokens are those of one trajectory, all its rows one behind the other.

use crate::AlgoError;
use crate::error::require_len;

const TASK: &str = "make token rewards";

/// -`kl_coef` (old - reference) for each token, plus `reward` at the last one. Empty where there are
/// no tokens: then there is nothing that could be learned from the reward.
///
/// # Units
/// Log-probs in nats, at the sampling temperature; `kl_coef` 0 or more. TRL's PPO 0.05, OpenAI 0.2,
/// verl 0.001.
///
/// # Errors
/// Where the slices differ in length.
pub fn token_rewards(
    old: &[f32],
    reference: &[f32],
    kl_coef: f64,
    reward: f64,
) -> Result<Vec<f64>, AlgoError> {
    require_len(TASK, "reference", old.len(), reference.len())?;
    let gaps = old.iter().zip(reference).map(|(&o, &r)| f64::from(o) - f64::from(r));
    let mut rewards: Vec<f64> = gaps.map(|gap| -kl_coef * gap).collect();
    if let Some(last) = rewards.last_mut() {
        *last += reward;
    }
    Ok(rewards)
}

/// `reward` - `kl_coef` times the sum of (old - reference): the trajectory's reward with its whole
/// KL penalty, as RLOO compares it (arXiv 2402.14740; TRL's default coefficient 0.05).
///
/// # Errors
/// Where the slices differ in length.
pub fn penalised_reward(
    old: &[f32],
    reference: &[f32],
    kl_coef: f64,
    reward: f64,
) -> Result<f64, AlgoError> {
    Ok(token_rewards(old, reference, kl_coef, 0.0)?.into_iter().fold(reward, |sum, q| sum + q))
}

/// Adds the reward of each turn to its last token. The reward of a turn without tokens goes to the
/// last token before it, or to the first of all: a reward that follows from what was said earlier is
/// not lost. Rewards that are `None` or not finite add nothing.
///
/// # Shapes
/// `turns`: index of each token's turn into `turn_rewards`, never falling.
///
/// # Errors
/// Where the slices differ in length or turns go backwards.
pub fn add_turn_rewards(
    token_rewards: &mut [f64],
    turns: &[u32],
    turn_rewards: &[Option<f64>],
) -> Result<(), AlgoError> {
    require_len(TASK, "turns", token_rewards.len(), turns.len())?;
    if let Some(token) = turns.windows(2).position(|pair| pair[1] < pair[0]) {
        return Err(AlgoError::TurnOrder { task: TASK, token: token + 1 });
    }
    for (turn, reward) in turn_rewards.iter().enumerate() {
        let Some(reward) = reward.filter(|reward| reward.is_finite()) else { continue };
        let n_up_to = turns.partition_point(|&t| t as usize <= turn);
        if let Some(token) = token_rewards.get_mut(n_up_to.saturating_sub(1)) {
            *token += reward;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_penalty_and_reward() {
        let (old, reference) = ([0.1f32, -0.2, 0.3], [0f32; 3]);
        let got = token_rewards(&old, &reference, 0.05, 1.0).unwrap();
        for (got, wanted) in got.iter().zip([-0.005, 0.01, 0.985]) {
            assert!((got - wanted).abs() < 1e-6);
        }
        let whole = penalised_reward(&old, &reference, 0.05, 1.0).unwrap();
        assert!((whole - 0.99).abs() < 1e-6);
    }

    #[test]
    fn no_tokens_and_no_penalty() {
        assert_eq!(token_rewards(&[], &[], 0.1, 1.0), Ok(vec![]));
        assert_eq!(token_rewards(&[-1.0, -2.0], &[-3.0, -1.0], 0.0, 2.0), Ok(vec![0.0, 2.0]));
        let error = AlgoError::SliceLength { task: TASK, array: "reference", expected: 1, got: 0 };
        assert_eq!(token_rewards(&[-1.0], &[], 0.1, 1.0), Err(error));
    }

    #[test]
    fn turn_rewards_go_to_the_last_token_that_could_have_earned_them() {
        let mut rewards = [0.0; 4];
        let turn_rewards = [Some(0.5), Some(1.0), None, Some(2.0), Some(4.0), Some(f64::NAN)];
        add_turn_rewards(&mut rewards, &[1, 1, 3, 3], &turn_rewards).unwrap();
        assert_eq!(rewards, [0.5, 1.0, 0.0, 6.0]);
        add_turn_rewards(&mut [], &[], &turn_rewards).unwrap();
    }

    #[test]
    fn turns_that_go_backwards_are_refused() {
        let got = add_turn_rewards(&mut [0.0; 3], &[0, 2, 1], &[]);
        assert_eq!(got, Err(AlgoError::TurnOrder { task: TASK, token: 2 }));
        assert!(add_turn_rewards(&mut [0.0; 3], &[0], &[]).is_err());
    }
}
