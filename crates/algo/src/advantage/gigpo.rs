//! GiGPO: episodes are compared within their group, and steps with steps from the same state.
//!
//! Group-in-Group Policy Optimization, arXiv 2505.10978; defaults of ROLL's re-implementation. With
//! AE_i the group-normalised episode reward and h_{i,k} = r_{i,k} + gamma h_{i,k+1}:
//!
//!   A_{i,k} = w_E AE_i + w_S (h_{i,k} - mean) / (deviation + eps)
//!
//! mean and Bessel deviation over all visits of the same state (equal hash) in the same group. A
//! state that was visited once, or from which everything went equally well, adds exactly 0. ROLL
//! merges equal hashes across groups and lets episodes with more turns weigh more in AE; the paper
//! does neither, and nor do ours.

use std::collections::BTreeMap;

use super::gae::require_share;
use super::group::{is_dead, moments};
use super::reinforce_pp::discounted_returns;
use crate::error::{Problems, require_len};
use crate::{AlgoError, Moments, Problem};

/// Settings of GiGPO.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GiGpo {
    /// Weight of the episode part, 0 or more.
    pub episode_weight: f64,
    /// Weight of the step part, 0 or more.
    pub step_weight: f64,
    /// Discount of each step, in [0, 1].
    pub gamma: f64,
    /// Divide both parts by deviations; without, they are centred only.
    pub scale: bool,
    /// Added to every deviation, above 0.
    pub epsilon: f64,
}

impl Default for GiGpo {
    fn default() -> Self {
        GiGpo { episode_weight: 1.0, step_weight: 1.0, gamma: 0.95, scale: true, epsilon: 1e-6 }
    }
}

/// One step of an episode.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Visit {
    /// Reward of the step; `None` where the environment gave none. One that is not finite makes the
    /// step and those before it incomparable.
    pub reward: Option<f64>,
    /// Hash of the environment's state before the step; `None` where it has none, and the step is
    /// compared with no other.
    pub state: Option<u64>,
}

impl GiGpo {
    /// Advantage of each step of each trajectory.
    ///
    /// # Shapes
    /// `rewards` (whole episodes) and `visits` (their steps in order): one for each trajectory.
    /// `groups`: indices of each group's members.
    ///
    /// # Errors
    /// Where the slices differ in length or a group has one member.
    pub fn advantages(
        &self,
        rewards: &[Option<f64>],
        visits: &[Vec<Visit>],
        groups: &[Vec<usize>],
    ) -> Result<Vec<Vec<f64>>, AlgoError> {
        require_len("compare steps", "visits", rewards.len(), visits.len())?;
        let mut advantages: Vec<Vec<f64>> =
            visits.iter().map(|steps| vec![0.0; steps.len()]).collect();
        for (group, members) in groups.iter().enumerate() {
            if members.len() < 2 {
                return Err(AlgoError::GroupTooSmall { group });
            }
            let scored = |i: usize| rewards[i].filter(|reward| reward.is_finite());
            let episodes = moments(members.iter().map(|&i| scored(i)));
            for &i in members {
                let part = scored(i).map_or(0.0, |reward| self.score(reward, &episodes));
                advantages[i].fill(self.episode_weight * part);
            }
            self.add_step_parts(visits, members, &mut advantages);
        }
        Ok(advantages)
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        for (key, weight) in
            [("gigpo.episode_weight", self.episode_weight), ("gigpo.step_weight", self.step_weight)]
        {
            let is_weight = weight.is_finite() && weight >= 0.0;
            problems.require(is_weight, key, weight, "0 or more", "1 is usual");
        }
        require_share(&mut problems, "gigpo.gamma", self.gamma, "0.95 is usual");
        let is_positive = self.epsilon.is_finite() && self.epsilon > 0.0;
        problems.require(is_positive, "gigpo.epsilon", self.epsilon, "above 0", "1e-6 is usual");
        problems.into_vec()
    }

    fn add_step_parts(
        &self,
        visits: &[Vec<Visit>],
        members: &[usize],
        advantages: &mut [Vec<f64>],
    ) {
        let mut by_state: BTreeMap<u64, Vec<(usize, usize, f64)>> = BTreeMap::new();
        for &i in members {
            let rewards: Vec<f64> = visits[i].iter().map(|v| v.reward.unwrap_or(0.0)).collect();
            let returns = discounted_returns(&rewards, self.gamma);
            for (k, (visit, h)) in visits[i].iter().zip(returns).enumerate() {
                if let (Some(state), true) = (visit.state, h.is_finite()) {
                    by_state.entry(state).or_default().push((i, k, h));
                }
            }
        }
        for same_state in by_state.values() {
            let returns: Moments = same_state.iter().map(|&(_, _, h)| h).collect();
            for &(i, k, h) in same_state {
                advantages[i][k] += self.step_weight * self.score(h, &returns);
            }
        }
    }

    fn score(&self, value: f64, among: &Moments) -> f64 {
        if is_dead(among) {
            return 0.0;
        }
        let divisor = if self.scale { among.sample_std() + self.epsilon } else { 1.0 };
        (value - among.mean()) / divisor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(reward: f64, state: u64) -> Visit {
        Visit { reward: Some(reward), state: Some(state) }
    }

    fn assert_close(got: &[f64], wanted: &[f64]) {
        assert_eq!(got.len(), wanted.len());
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
        }
    }

    /// One step each, from one state, with returns .9, 0 and .81; equal episode rewards.
    fn golden(settings: GiGpo) -> Vec<f64> {
        let visits = [0.9, 0.0, 0.81].map(|reward| vec![visit(reward, 7)]);
        settings.advantages(&[Some(1.0); 3], &visits, &[vec![0, 1, 2]]).unwrap().concat()
    }

    #[test]
    fn golden_step_group() {
        assert_close(&golden(GiGpo::default()), &[0.665749, -1.149930, 0.484181]);
        assert_close(&golden(GiGpo { scale: false, ..Default::default() }), &[0.33, -0.57, 0.24]);
    }

    #[test]
    fn golden_episode_part_is_the_group_advantage() {
        let rewards = [1.0, 0.0, 0.0, 2.0].map(Some);
        let visits = vec![vec![Visit::default(); 2]; 4];
        let got = GiGpo::default().advantages(&rewards, &visits, &[vec![0, 1, 2, 3]]).unwrap();
        for (turns, wanted) in got.iter().zip([0.261116, -0.783349, -0.783349, 1.305581]) {
            assert_close(turns, &[wanted, wanted]);
        }
    }

    #[test]
    fn steps_are_compared_by_their_discounted_returns() {
        // h = [.9025, .95, 1] against a visit of state 2 that led to nothing.
        let visits = [
            vec![visit(0.0, 1), visit(0.0, 2), visit(1.0, 3)],
            vec![visit(0.0, 2), Visit { reward: Some(0.0), state: None }],
        ];
        let settings = GiGpo { scale: false, step_weight: 2.0, ..Default::default() };
        let got = settings.advantages(&[None, None], &visits, &[vec![0, 1]]).unwrap();
        assert_close(&got[0], &[0.0, 0.95, 0.0]);
        assert_close(&got[1], &[-0.95, 0.0]);
    }

    #[test]
    fn a_state_seen_twice_in_one_episode_is_compared_with_itself() {
        let visits = [vec![visit(0.0, 1), visit(1.0, 1)], vec![]];
        let settings = GiGpo { scale: false, gamma: 0.5, ..Default::default() };
        let got = settings.advantages(&[Some(0.0), Some(0.0)], &visits, &[vec![0, 1]]).unwrap();
        assert_close(&got[0], &[-0.25, 0.25]);
    }

    #[test]
    fn equal_states_of_other_groups_are_other_states() {
        let visits = [0.0, 0.0, 1.0, 1.0].map(|reward| vec![visit(reward, 1)]);
        let got =
            GiGpo::default().advantages(&[None; 4], &visits, &[vec![0, 1], vec![2, 3]]).unwrap();
        assert_eq!(got.concat(), [0.0; 4]);
    }

    #[test]
    fn unscorable_steps_leave_the_earlier_ones_incomparable() {
        let broken = vec![visit(0.0, 1), visit(f64::NAN, 2), visit(3.0, 3)];
        let visits = [broken, vec![visit(1.0, 1), visit(1.0, 3)]];
        let settings = GiGpo { scale: false, ..Default::default() };
        let got = settings.advantages(&[None, None], &visits, &[vec![0, 1]]).unwrap();
        assert_eq!(got, [vec![0.0, 0.0, 1.0], vec![0.0, -1.0]]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let lonely = GiGpo::default().advantages(&[Some(1.0)], &[vec![]], &[vec![0]]);
        assert_eq!(lonely, Err(AlgoError::GroupTooSmall { group: 0 }));
        assert!(GiGpo::default().advantages(&[Some(1.0)], &[], &[]).is_err());
        let bad = GiGpo {
            episode_weight: -1.0,
            step_weight: f64::NAN,
            gamma: 2.0,
            scale: true,
            epsilon: 0.0,
        };
        assert_eq!(bad.validate().len(), 4);
        assert_eq!(GiGpo::default().validate(), []);
    }
}
