//! Plain baselines: the group's median, the batch's mean, or nothing.
//!
//! | baseline | A_i |
//! |---|---|
//! | `GroupMedian` | r_i - median of the group |
//! | `Batch` | (r_i - mean of the batch) / (Bessel deviation of the batch + eps) |
//! | `None` | r_i |
//!
//! The median leaves the many at 0 where one sample stands out, so a single lucky sample is not paid
//! for by all others. With an even number of scorable members it is the mean of the middle two.
//! `None` is plain REINFORCE (Williams 1992). Unscorable samples have advantage 0 everywhere.

use super::group::{is_dead, moments};

/// What a reward is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Baseline {
    /// The median of the group's scorable rewards.
    #[default]
    GroupMedian,
    /// The mean of the batch's scorable rewards, in units of their deviation.
    Batch {
        /// Added to the deviation, above 0.
        epsilon: f64,
    },
    /// Nothing.
    None,
}

impl Baseline {
    /// Advantage of each sample. `groups` lists the indices of each group's members; only
    /// `GroupMedian` reads it.
    pub fn advantages(self, rewards: &[Option<f64>], groups: &[Vec<usize>]) -> Vec<f64> {
        let rewards: Vec<Option<f64>> =
            rewards.iter().map(|reward| reward.filter(|r| r.is_finite())).collect();
        let compared = |compare: &dyn Fn(f64) -> f64| -> Vec<f64> {
            rewards.iter().map(|reward| reward.map_or(0.0, compare)).collect()
        };
        match self {
            Baseline::GroupMedian => above_median(&rewards, groups),
            Baseline::Batch { epsilon } => {
                let batch = moments(rewards.iter().copied());
                if is_dead(&batch) {
                    return vec![0.0; rewards.len()];
                }
                compared(&|r| (r - batch.mean()) / (batch.sample_std() + epsilon))
            }
            Baseline::None => compared(&|r| r),
        }
    }
}

fn above_median(rewards: &[Option<f64>], groups: &[Vec<usize>]) -> Vec<f64> {
    let mut advantages = vec![0.0; rewards.len()];
    for members in groups {
        if is_dead(&moments(members.iter().map(|&i| rewards[i]))) {
            continue;
        }
        let mut scored: Vec<f64> = members.iter().filter_map(|&i| rewards[i]).collect();
        let Some(median) = median(&mut scored) else { continue };
        for &i in members {
            advantages[i] = rewards[i].map_or(0.0, |reward| reward - median);
        }
    }
    advantages
}

/// The middle value; the mean of the middle two of an even number. `None` without values.
fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    Some(if values.len() % 2 == 1 {
        upper
    } else {
        let lower = values[values.len() / 2 - 1];
        lower + (upper - lower) / 2.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const R: [Option<f64>; 4] = [Some(1.0), Some(0.0), Some(0.0), Some(2.0)];

    #[test]
    fn median_of_even_and_odd_groups() {
        let groups = [vec![0, 1, 2, 3]];
        assert_eq!(Baseline::GroupMedian.advantages(&R, &groups), [0.5, -0.5, -0.5, 1.5]);
        let odd = [Some(7.0), None, Some(1.0), Some(f64::NAN), Some(1.0)];
        let got = Baseline::GroupMedian.advantages(&odd, &[vec![0, 1, 2, 3, 4]]);
        assert_eq!(got, [6.0, 0.0, 0.0, 0.0, 0.0]);
        let two = Baseline::GroupMedian.advantages(&R, &[vec![0, 1], vec![3, 2]]);
        assert_eq!(two, [0.5, -0.5, -1.0, 1.0]);
        assert_eq!(Baseline::GroupMedian.advantages(&[None], &[vec![0]]), [0.0]);
    }

    #[test]
    fn batch_has_mean_0_and_bessel_deviation_1() {
        let got = Baseline::Batch { epsilon: 1e-4 }.advantages(&R, &[]);
        let wanted = [0.261089, -0.783268, -0.783268, 1.305446];
        assert!(got.iter().zip(wanted).all(|(got, wanted)| (got - wanted).abs() < 1e-6));
        let equal = [Some(0.3), Some(0.1 + 0.2), None];
        assert_eq!(Baseline::Batch { epsilon: 1e-4 }.advantages(&equal, &[]), [0.0; 3]);
    }

    #[test]
    fn without_baseline_the_reward_is_the_advantage() {
        let rewards = [Some(2.0), None, Some(f64::INFINITY), Some(-1.0)];
        assert_eq!(Baseline::None.advantages(&rewards, &[]), [2.0, 0.0, 0.0, -1.0]);
    }
}
