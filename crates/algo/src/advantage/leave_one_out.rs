//! RLOO: each sample is compared with the mean of the *others* of its group.
//!
//! Back to Basics, arXiv 2402.14740, equation 8, with G scorable members:
//!
//!   A_i = r_i - (sum of the others) / (G - 1) = G / (G - 1) (r_i - mu_g)
//!
//! Unscorable members count neither in the sums nor in G and have advantage 0, and so has a member
//! with nobody to be compared with. The KL penalty of the paper belongs into r_i before this
//! ([`super::penalised_reward`]).

use super::group::{is_dead, moments};
use crate::error::Problems;
use crate::{AlgoError, Moments, Problem};

/// Settings of RLOO.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeaveOneOut {
    /// Standardise the advantages of all scorable samples of the batch afterwards, with the Bessel
    /// deviation (TRL's `normalize_advantages`).
    pub normalize: bool,
    /// Added to that deviation, above 0. TRL 1e-4.
    pub epsilon: f64,
}

impl Default for LeaveOneOut {
    fn default() -> Self {
        LeaveOneOut { normalize: false, epsilon: 1e-4 }
    }
}

impl LeaveOneOut {
    /// Advantage of each sample. `groups` lists the indices of each group's members
    /// ([`crate::StepData::groups`]).
    ///
    /// # Errors
    /// Where a group has one member, unscorable ones included.
    pub fn advantages(
        &self,
        rewards: &[Option<f64>],
        groups: &[Vec<usize>],
    ) -> Result<Vec<f64>, AlgoError> {
        if let Some(group) = groups.iter().position(|members| members.len() < 2) {
            return Err(AlgoError::GroupTooSmall { group });
        }
        let mut advantages = vec![None; rewards.len()];
        for members in groups {
            let scored = || members.iter().map(|&i| rewards[i].filter(|r| r.is_finite()));
            let group = moments(scored());
            let factor = match group.count() {
                0 | 1 => 0.0,
                _ if is_dead(&group) => 0.0,
                n => n as f64 / (n - 1) as f64,
            };
            for (&i, reward) in members.iter().zip(scored()) {
                advantages[i] = reward.map(|reward| factor * (reward - group.mean()));
            }
        }
        if self.normalize {
            self.standardise(&mut advantages);
        }
        Ok(advantages.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.epsilon.is_finite() && self.epsilon > 0.0,
            "leave_one_out.epsilon",
            self.epsilon,
            "above 0",
            "1e-4 is TRL's",
        );
        problems.into_vec()
    }

    fn standardise(&self, advantages: &mut [Option<f64>]) {
        let all: Moments = advantages.iter().copied().flatten().collect();
        let divisor = all.sample_std() + self.epsilon;
        for advantage in advantages.iter_mut().flatten() {
            // The mean is 0 in every group; taking off what rounding made of it would spoil zeros.
            *advantage = if is_dead(&all) { 0.0 } else { *advantage / divisor };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rewards: &[Option<f64>], groups: &[Vec<usize>]) -> Vec<f64> {
        LeaveOneOut::default().advantages(rewards, groups).unwrap()
    }

    fn assert_close(got: &[f64], wanted: &[f64]) {
        assert_eq!(got.len(), wanted.len());
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
        }
    }

    const R: [Option<f64>; 4] = [Some(1.0), Some(0.0), Some(0.0), Some(2.0)];

    #[test]
    fn standardising_keeps_zeros() {
        let rewards = [0.1, 0.2, 0.7, 0.3, 0.1 + 0.2].map(Some);
        let settings = LeaveOneOut { normalize: true, ..LeaveOneOut::default() };
        let got = settings.advantages(&rewards, &[vec![0, 1, 2], vec![3, 4]]).unwrap();
        assert_eq!(got[3..], [0.0, 0.0]);
        assert!(got[0] < 0.0 && got[2] > 1.0);
    }

    #[test]
    fn golden() {
        assert_close(&of(&R, &[vec![0, 1, 2, 3]]), &[0.333333, -1.0, -1.0, 1.666667]);
    }

    #[test]
    fn each_is_compared_with_the_mean_of_the_others() {
        let rewards = [0.3, -1.2, 4.0, 0.9, 2.5];
        let groups = [vec![4, 0, 2], vec![1, 3]];
        let got = of(&rewards.map(Some), &groups);
        for members in &groups {
            for &i in members {
                let others: Vec<f64> =
                    members.iter().filter(|&&j| j != i).map(|&j| rewards[j]).collect();
                let baseline = others.iter().sum::<f64>() / others.len() as f64;
                assert!((got[i] - (rewards[i] - baseline)).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn unscorable_members_do_not_count() {
        let rewards = [R[0], None, R[1], Some(f64::NAN), R[2], R[3]];
        let got = of(&rewards, &[vec![0, 1, 2, 3, 4, 5]]);
        assert_close(&got, &[0.333333, 0.0, -1.0, 0.0, -1.0, 1.666667]);
        assert_eq!(of(&[Some(1.0), None], &[vec![0, 1]]), [0.0, 0.0]);
        assert_eq!(of(&[None, None], &[vec![0, 1]]), [0.0, 0.0]);
    }

    #[test]
    fn dead_groups_are_exactly_zero() {
        let rewards = [Some(0.3), Some(0.1 + 0.2), Some(0.3)];
        assert_eq!(of(&rewards, &[vec![0, 1, 2]]), [0.0; 3]);
    }

    #[test]
    fn global_normalisation_has_bessel_deviation_1_and_leaves_the_unscorable_out() {
        let settings = LeaveOneOut { normalize: true, epsilon: 1e-12 };
        let rewards = [R[0], R[1], None, R[2], R[3], Some(5.0)];
        let got = settings.advantages(&rewards, &[vec![0, 1, 2], vec![3, 4, 5]]).unwrap();
        assert_eq!(got[2], 0.0);
        let scored: Moments = [0, 1, 3, 4, 5].iter().map(|&i| got[i]).collect();
        assert!(scored.mean().abs() < 1e-12 && (scored.sample_std() - 1.0).abs() < 1e-9);
        let raw = of(&rewards, &[vec![0, 1, 2], vec![3, 4, 5]]);
        assert!((got[0] / got[1] - raw[0] / raw[1]).abs() < 1e-9, "means of groups are 0 already");
    }

    #[test]
    fn a_group_of_one_is_refused() {
        let got = LeaveOneOut::default().advantages(&R[..3], &[vec![0, 1], vec![2]]);
        assert_eq!(got, Err(AlgoError::GroupTooSmall { group: 1 }));
        let bad = LeaveOneOut { normalize: true, epsilon: 0.0 };
        assert_eq!(bad.validate()[0].key, "leave_one_out.epsilon");
    }
}
