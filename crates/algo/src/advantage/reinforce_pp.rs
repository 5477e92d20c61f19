//! REINFORCE++: returns of tokens, whitened over the whole batch instead of within groups.
//!
//! arXiv 2501.03262. Each token's return is the discounted sum of the token rewards from there on
//! ([`super::token_rewards`]: KL penalty, and the reward at the last token), and all tokens of the
//! batch are whitened together. The `-baseline` variant first takes each group's mean off the
//! rewards, gives every token of a trajectory what is left, and whitens; its KL penalty belongs into
//! the loss.
//!
//! Returns carry on over what lies between two sampled tokens. verl's recursion starts anew behind
//! each stretch that was not sampled, so that a reward at the end of a conversation never reaches
//! the first turn.

use super::gae::require_share;
use super::group::{is_dead, moments};
use crate::error::{Problems, require_len};
use crate::{AlgoError, Problem, Whitening};

/// Settings of REINFORCE++.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReinforcePlusPlus {
    /// Discount of each token, in [0, 1].
    pub gamma: f64,
    /// How tokens are whitened.
    pub whitening: Whitening,
}

impl Default for ReinforcePlusPlus {
    fn default() -> Self {
        ReinforcePlusPlus { gamma: 1.0, whitening: Whitening::Bessel }
    }
}

impl ReinforcePlusPlus {
    /// Advantages of the tokens of each trajectory, from their rewards.
    ///
    /// # Shapes
    /// One slice for each scorable trajectory, one reward for each token.
    pub fn advantages<R: AsRef<[f64]>>(&self, token_rewards: &[R]) -> Vec<Vec<f64>> {
        let mut returns: Vec<Vec<f64>> = token_rewards
            .iter()
            .map(|rewards| discounted_returns(rewards.as_ref(), self.gamma))
            .collect();
        self.whitening.apply(&mut returns);
        returns
    }

    /// Advantages of the tokens of each trajectory in the `-baseline` variant: rewards above the
    /// group's mean, the same for all tokens, whitened. Unscorable trajectories are left out of all
    /// statistics and have 0; so have groups whose rewards are all equal before whitening.
    ///
    /// # Shapes
    /// `rewards` and `n_tokens`: one for each trajectory. `groups`: indices of each group's members.
    ///
    /// # Errors
    /// Where the slices differ in length or a group has one member.
    pub fn baseline_advantages(
        &self,
        rewards: &[Option<f64>],
        groups: &[Vec<usize>],
        n_tokens: &[usize],
    ) -> Result<Vec<Vec<f64>>, AlgoError> {
        require_len("whiten advantages", "n_tokens", rewards.len(), n_tokens.len())?;
        let mut rows: Vec<Vec<f64>> = vec![Vec::new(); rewards.len()];
        for (group, members) in groups.iter().enumerate() {
            if members.len() < 2 {
                return Err(AlgoError::GroupTooSmall { group });
            }
            let scored = || members.iter().map(|&i| rewards[i].filter(|r| r.is_finite()));
            let group = moments(scored());
            for (&i, reward) in members.iter().zip(scored()) {
                let Some(reward) = reward else { continue };
                let centred = if is_dead(&group) { 0.0 } else { reward - group.mean() };
                rows[i] = vec![centred; n_tokens[i]];
            }
        }
        self.whitening.apply(&mut rows);
        for (row, &n) in rows.iter_mut().zip(n_tokens) {
            row.resize(n, 0.0);
        }
        Ok(rows)
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        require_share(&mut problems, "reinforce_pp.gamma", self.gamma, "1 is usual");
        problems.into_vec()
    }
}

/// G_t = q_t + gamma G_{t+1}, from the last to the first.
pub fn discounted_returns(rewards: &[f64], gamma: f64) -> Vec<f64> {
    let mut returns = rewards.to_vec();
    for t in (0..returns.len().saturating_sub(1)).rev() {
        returns[t] += gamma * returns[t + 1];
    }
    returns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token_rewards;

    fn assert_close(got: &[f64], wanted: &[f64]) {
        assert_eq!(got.len(), wanted.len());
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
        }
    }

    fn with(whitening: Whitening) -> ReinforcePlusPlus {
        ReinforcePlusPlus { whitening, ..Default::default() }
    }

    #[test]
    fn golden_without_penalty() {
        let rewards = [vec![0.0, 0.0, 1.0], vec![0.0, 0.0]];
        let verl = with(Whitening::Bessel).advantages(&rewards);
        assert_close(&verl.concat(), &[0.730297, 0.730297, 0.730297, -1.095445, -1.095445]);
        let open_rlhf = with(Whitening::Population).advantages(&rewards);
        assert_close(&open_rlhf.concat(), &[0.816497, 0.816497, 0.816497, -1.224745, -1.224745]);
    }

    #[test]
    fn golden_with_penalty() {
        let rewards = [
            token_rewards(&[0.1, 0.2, 0.3], &[0.0; 3], 0.1, 1.0).unwrap(),
            token_rewards(&[0.0, 0.5], &[0.0; 2], 0.1, 0.0).unwrap(),
        ];
        let returns: Vec<f64> = rewards.iter().flat_map(|q| discounted_returns(q, 1.0)).collect();
        assert_close(&returns, &[0.94, 0.95, 0.97, -0.05, -0.05]);
        let got = with(Whitening::Bessel).advantages(&rewards).concat();
        assert_close(&got, &[0.705898, 0.724091, 0.760478, -1.095234, -1.095234]);
    }

    #[test]
    fn golden_discounted_turn_returns() {
        assert_close(&discounted_returns(&[0.0, 0.5, 1.0], 0.9), &[1.26, 1.4, 1.0]);
        assert_close(&discounted_returns(&[0.0, 0.0, 1.0], 0.95), &[0.9025, 0.95, 1.0]);
        assert_eq!(discounted_returns(&[], 0.9), [0.0; 0]);
    }

    #[test]
    fn the_baseline_variant_whitens_what_is_above_the_groups_mean() {
        let rewards = [Some(1.0), Some(0.0), None, Some(5.0), Some(3.0)];
        let groups = [vec![0, 1, 2], vec![3, 4]];
        let n_tokens = [3, 1, 2, 0, 2];
        let got =
            ReinforcePlusPlus::default().baseline_advantages(&rewards, &groups, &n_tokens).unwrap();
        // Six scorable tokens: three of 0.5, one of -0.5, two of -1.
        let tokens: [f64; 6] = [0.5, 0.5, 0.5, -0.5, -1.0, -1.0];
        let mean = tokens.iter().sum::<f64>() / 6.0;
        let variance = tokens.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 5.0;
        let whitened = tokens.map(|x| (x - mean) / (variance + 1e-8).sqrt());
        assert_eq!(got.iter().map(Vec::len).collect::<Vec<_>>(), n_tokens);
        assert_eq!(got[2], [0.0, 0.0]);
        assert_close(&[&got[0][..], &got[1], &got[4]].concat(), &whitened);
    }

    #[test]
    fn equal_rewards_teach_nothing() {
        let got = ReinforcePlusPlus::default()
            .baseline_advantages(&[Some(0.3), Some(0.1 + 0.2)], &[vec![0, 1]], &[2, 1])
            .unwrap();
        assert_eq!(got, [vec![0.0, 0.0], vec![0.0]]);
        let lonely =
            ReinforcePlusPlus::default().baseline_advantages(&[Some(1.0)], &[vec![0]], &[1]);
        assert_eq!(lonely, Err(AlgoError::GroupTooSmall { group: 0 }));
        let bad = ReinforcePlusPlus { gamma: -0.1, ..Default::default() };
        assert_eq!(bad.validate()[0].key, "reinforce_pp.gamma");
    }
}
