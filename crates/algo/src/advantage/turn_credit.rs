//! MT-GRPO: credit for single turns without a critic.
//!
//! arXiv 2505.11821 and its authors' `mt_grpo_env_trainer.py`. Outcome and turn rewards are
//! standardised within the group, each by itself (Bessel deviation): AO_i and AT_i.
//!
//! | form | advantage |
//! |---|---|
//! | two parts | AO_i + c AT_i before the first tool result, AO_i after it; a trajectory without tool result has the standardised total everywhere |
//! | K turns | A_{i,k} = AO_i + c z_k(sum over j >= k of gamma^(j-k) r_{i,j}), z_k over the group at equal turn |
//!
//! The K-turn form is ours, after the discounted turn returns of GTPO (arXiv 2509.20616); a turn that
//! fewer than two trajectories of a group have is compared with nothing and keeps AO_i. A turn reward
//! of `None` says that the environment gave none there, which adds nothing to the sum; one that is
//! not finite could not be scored, and makes the sums that it would be in unknown. Parts whose values
//! are all equal in a group are exactly 0.

use super::gae::require_share;
use super::group::{is_dead, moments};
use super::reinforce_pp::discounted_returns;
use crate::error::{Problems, require_len};
use crate::{AlgoError, Problem};

const TASK: &str = "give turns their credit";

/// Settings of turn-level credit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TurnCredit {
    /// Weight c of the turn part, 0 or more.
    pub coef: f64,
    /// Discount of each turn in the K-turn form, in [0, 1].
    pub gamma: f64,
    /// Added to every deviation, above 0. The authors' 1e-4.
    pub epsilon: f64,
}

impl Default for TurnCredit {
    fn default() -> Self {
        TurnCredit { coef: 1.0, gamma: 1.0, epsilon: 1e-4 }
    }
}

/// What the two-part form reads of one trajectory.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TwoPartRewards {
    /// Reward of the outcome.
    pub outcome: Option<f64>,
    /// Reward of what was done before the first tool result.
    pub turn: Option<f64>,
    /// Weighted sum of all rewards, compared where no tool was called.
    pub total: Option<f64>,
    /// Index of the first turn that has a tool result before it; `None` where there is none.
    pub first_turn_after_tool: Option<usize>,
    /// Number of turns.
    pub n_turns: usize,
}

impl TurnCredit {
    /// Advantage of each turn of each trajectory in the two-part form. `groups` lists the indices of
    /// each group's members.
    pub fn two_part(&self, rewards: &[TwoPartRewards], groups: &[Vec<usize>]) -> Vec<Vec<f64>> {
        let of = |pick: &dyn Fn(&TwoPartRewards) -> Option<f64>| -> Vec<f64> {
            let picked: Vec<Option<f64>> = rewards.iter().map(pick).collect();
            self.standardised(&picked, groups)
        };
        let (outcomes, turns, totals) = (of(&|r| r.outcome), of(&|r| r.turn), of(&|r| r.total));
        let advantages = |(i, data): (usize, &TwoPartRewards)| -> Vec<f64> {
            let at = |turn: usize| match data.first_turn_after_tool {
                None => totals[i],
                Some(first) if turn < first => outcomes[i] + self.coef * turns[i],
                Some(_) => outcomes[i],
            };
            (0..data.n_turns).map(at).collect()
        };
        rewards.iter().enumerate().map(advantages).collect()
    }

    /// Advantage of each turn of each trajectory in the K-turn form.
    ///
    /// # Shapes
    /// `outcomes`: one for each trajectory. `turn_rewards`: for each trajectory one for each turn.
    /// `groups`: indices of each group's members.
    ///
    /// # Errors
    /// Where the slices differ in length.
    pub fn by_turn(
        &self,
        outcomes: &[Option<f64>],
        turn_rewards: &[Vec<Option<f64>>],
        groups: &[Vec<usize>],
    ) -> Result<Vec<Vec<f64>>, AlgoError> {
        require_len(TASK, "turn_rewards", outcomes.len(), turn_rewards.len())?;
        let returns: Vec<Vec<f64>> = turn_rewards
            .iter()
            .map(|rewards| {
                // NaN spreads to all sums that an unscorable reward would be in.
                let known: Vec<f64> = rewards.iter().map(|r| r.unwrap_or(0.0)).collect();
                discounted_returns(&known, self.gamma)
            })
            .collect();
        let outcomes = self.standardised(outcomes, groups);
        let mut advantages: Vec<Vec<f64>> =
            outcomes.iter().zip(&returns).map(|(&ao, turns)| vec![ao; turns.len()]).collect();
        let n_turns = returns.iter().map(Vec::len).max().unwrap_or_default();
        for turn in 0..n_turns {
            let here: Vec<Option<f64>> = returns.iter().map(|r| r.get(turn).copied()).collect();
            for (advantages, part) in advantages.iter_mut().zip(self.standardised(&here, groups)) {
                if let Some(advantage) = advantages.get_mut(turn) {
                    *advantage += self.coef * part;
                }
            }
        }
        Ok(advantages)
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        let is_weight = self.coef.is_finite() && self.coef >= 0.0;
        problems.require(is_weight, "turn_credit.coef", self.coef, "0 or more", "1 is usual");
        require_share(&mut problems, "turn_credit.gamma", self.gamma, "0.9 to 1 is usual");
        let is_positive = self.epsilon.is_finite() && self.epsilon > 0.0;
        let key = "turn_credit.epsilon";
        problems.require(is_positive, key, self.epsilon, "above 0", "1e-4 is usual");
        problems.into_vec()
    }

    /// (x - mean) / (deviation + eps) in each group; 0 for what is unknown, or equal in its group.
    fn standardised(&self, values: &[Option<f64>], groups: &[Vec<usize>]) -> Vec<f64> {
        let mut scores = vec![0.0; values.len()];
        for members in groups {
            let known = |&i: &usize| values[i].filter(|value| value.is_finite());
            let group = moments(members.iter().map(known));
            if is_dead(&group) {
                continue;
            }
            let divisor = group.sample_std() + self.epsilon;
            for i in members {
                scores[*i] = known(i).map_or(0.0, |value| (value - group.mean()) / divisor);
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const Z: f64 = 0.865875;

    fn assert_close(got: &[f64], wanted: &[f64]) {
        assert_eq!(got.len(), wanted.len());
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
        }
    }

    fn four() -> Vec<TwoPartRewards> {
        let parts = [(1.0, 1.0), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0)];
        let rewards = |(turn, outcome): (f64, f64)| TwoPartRewards {
            outcome: Some(outcome),
            turn: Some(turn),
            total: Some(turn + outcome),
            first_turn_after_tool: Some(1),
            n_turns: 3,
        };
        parts.map(rewards).to_vec()
    }

    #[test]
    fn golden_two_parts() {
        let got = TurnCredit::default().two_part(&four(), &[vec![0, 1, 2, 3]]);
        let before: Vec<f64> = got.iter().map(|turns| turns[0]).collect();
        assert_close(&before, &[1.731751, -1.731751, 0.0, 0.0]);
        for (turns, wanted) in got.iter().zip([Z, -Z, -Z, Z]) {
            assert_close(&turns[1..], &[wanted, wanted]);
        }
    }

    #[test]
    fn without_a_tool_the_total_is_compared() {
        let mut rewards = four();
        rewards[1].first_turn_after_tool = None;
        let got = TurnCredit::default().two_part(&rewards, &[vec![0, 1, 2, 3]]);
        // Totals 2, 0, 1, 1: mean 1, Bessel deviation sqrt(2/3).
        let wanted = -1.0 / ((2.0f64 / 3.0).sqrt() + 1e-4);
        assert_close(&got[1], &[wanted; 3]);
        assert!((got[0][0] - 2.0 * Z).abs() < 1e-5);
    }

    #[test]
    fn two_turns_with_the_last_reward_0_are_the_two_parts() {
        let rewards = four();
        let outcomes: Vec<Option<f64>> = rewards.iter().map(|r| r.outcome).collect();
        let turns: Vec<Vec<Option<f64>>> =
            rewards.iter().map(|r| vec![r.turn, None, None]).collect();
        let groups = [vec![0, 1, 2, 3]];
        let got = TurnCredit::default().by_turn(&outcomes, &turns, &groups).unwrap();
        let wanted = TurnCredit::default().two_part(&rewards, &groups);
        assert_close(&got.concat(), &wanted.concat());
    }

    #[test]
    fn turns_are_compared_with_the_same_turn_of_others() {
        let settings = TurnCredit { coef: 0.5, gamma: 0.9, epsilon: 1e-4 };
        let turns = [
            vec![Some(0.0), Some(0.5), Some(1.0)],
            vec![Some(1.0), Some(0.0)],
            vec![Some(f64::NAN)],
        ];
        let got =
            settings.by_turn(&[Some(1.0), Some(0.0), None], &turns, &[vec![0, 1, 2]]).unwrap();
        let z = |x: f64, y: f64| (x - (x + y) / 2.0) / ((x - y).abs() / 2f64.sqrt() + 1e-4);
        let ao = z(1.0, 0.0);
        assert_close(&got[0], &[ao + 0.5 * z(1.26, 1.0), ao + 0.5 * z(1.4, 0.0), ao]);
        assert_close(&got[1], &[-ao + 0.5 * z(1.0, 1.26), -ao + 0.5 * z(0.0, 1.4)]);
        assert_eq!(got[2], [0.0]);
    }

    #[test]
    fn groups_do_not_mix_and_equal_rewards_are_exactly_zero() {
        let turns = vec![vec![Some(0.3)], vec![Some(0.1 + 0.2)], vec![Some(1.0)], vec![Some(2.0)]];
        let outcomes = [Some(1.0); 4];
        let groups = [vec![0, 1], vec![2, 3]];
        let got = TurnCredit::default().by_turn(&outcomes, &turns, &groups).unwrap();
        assert_eq!([&got[0][..], &got[1]].concat(), [0.0, 0.0]);
        assert!(got[2][0] < 0.0 && got[3][0] > 0.0);
    }

    #[test]
    fn every_problem_is_reported() {
        let bad = TurnCredit { coef: -1.0, gamma: 1.5, epsilon: 0.0 };
        assert_eq!(bad.validate().len(), 3);
        assert_eq!(TurnCredit::default().validate(), []);
        assert!(bad.by_turn(&[None], &[], &[]).is_err());
    }
}
