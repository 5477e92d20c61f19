//! Group-relative advantages: how much better a sample is than the others of its scenario.
//!
//! With mu_g and s_g the mean and the Bessel standard deviation of a group's scorable rewards, s_B
//! that of all scorable rewards of the step:
//!
//! | scaling | A_i | source |
//! |---|---|---|
//! | `Group` | (r_i - mu_g) / (s_g + eps) | GRPO, arXiv 2402.03300 |
//! | `Batch` | (r_i - mu_g) / (s_B + eps) | Lite PPO, arXiv 2508.08221 |
//! | `None` | r_i - mu_g | Dr. GRPO, arXiv 2503.20783 |
//! | `MaxRl` | (r_i - mu_g) / mu_g | MaxRL, arXiv 2602.02710 |
//!
//! Two things are on purpose unlike TRL, which divides rounding errors by eps. A *dead* group, whose
//! scorable rewards are all equal (or fewer than two), has advantages of exactly 0. And a group of
//! one trajectory is an error: it can only be a mistake in sampling. Unscorable samples are left out
//! of all statistics and have advantage 0, as in TRL.

use crate::error::Problems;
use crate::{AlgoError, Moments, Problem, StepData};

/// What the centred reward is divided by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RewardScaling {
    /// Standard deviation of the group.
    #[default]
    Group,
    /// Standard deviation of all rewards of the step.
    Batch,
    /// Nothing.
    None,
    /// Mean of the group; for rewards from 0 up. Zero where the mean is.
    MaxRl,
}

/// What is done with the parts of a reward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RewardCombination {
    /// The total reward is compared; it already is the weighted sum of its parts.
    #[default]
    SumThenNormalize,
    /// Every part is standardised in its group, their weighted sum over the step (GDPO, arXiv
    /// 2601.05242). Needs [`crate::TrajectoryData::components`].
    NormalizeThenSum,
}

/// How rewards become advantages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupAdvantage {
    /// What the centred reward is divided by.
    pub scaling: RewardScaling,
    /// What is done with the parts of a reward.
    pub combination: RewardCombination,
    /// Added to every standard deviation, above 0. TRL 1e-4, verl 1e-6, OpenRLHF 1e-9.
    pub epsilon: f64,
}

impl Default for GroupAdvantage {
    fn default() -> Self {
        GroupAdvantage {
            scaling: RewardScaling::Group,
            combination: RewardCombination::SumThenNormalize,
            epsilon: 1e-4,
        }
    }
}

/// Weighted sum of the parts that could be scored; `None` where none could (TRL's rule).
pub fn weighted_total(components: &[Option<f64>], weights: &[f64]) -> Option<f64> {
    let mut scored = components.iter().zip(weights).filter_map(|(part, weight)| {
        part.filter(|value| value.is_finite()).map(|value| weight * value)
    });
    let first = scored.next()?;
    Some(first + scored.sum::<f64>())
}

impl GroupAdvantage {
    /// Advantage of each trajectory of the step, in the step's order.
    ///
    /// # Errors
    /// Where a group has one trajectory, a reward is negative under [`RewardScaling::MaxRl`], or
    /// components are wanted and missing.
    pub fn advantages(&self, step: &StepData<'_>) -> Result<Vec<f64>, AlgoError> {
        let groups = step.groups();
        if let Some((&group, _)) = groups.iter().find(|(_, members)| members.len() < 2) {
            return Err(AlgoError::GroupTooSmall { group });
        }
        let groups: Vec<Vec<usize>> = groups.into_values().collect();
        match self.combination {
            RewardCombination::SumThenNormalize => self.of_totals(step, &groups),
            RewardCombination::NormalizeThenSum => self.of_components(step, &groups),
        }
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.epsilon.is_finite() && self.epsilon > 0.0,
            "advantage.epsilon",
            self.epsilon,
            "above 0",
            "1e-4 is TRL's, 1e-6 verl's",
        );
        problems.require(
            self.combination == RewardCombination::SumThenNormalize
                || self.scaling == RewardScaling::Group,
            "advantage.scaling",
            self.scaling,
            "Group where the combination is NormalizeThenSum",
            "that combination scales by itself",
        );
        problems.into_vec()
    }

    fn of_totals(&self, step: &StepData<'_>, groups: &[Vec<usize>]) -> Result<Vec<f64>, AlgoError> {
        let rewards: Vec<Option<f64>> = step.trajectories.iter().map(|t| t.scored()).collect();
        if self.scaling == RewardScaling::MaxRl {
            refuse_negative(&rewards)?;
        }
        let batch_std = moments(rewards.iter().copied()).sample_std();
        let mut advantages = vec![0.0; rewards.len()];
        for members in groups {
            let group = moments(members.iter().map(|&i| rewards[i]));
            if is_dead(&group) {
                continue;
            }
            let divisor = match self.scaling {
                RewardScaling::Group => group.sample_std() + self.epsilon,
                RewardScaling::Batch => batch_std + self.epsilon,
                RewardScaling::None => 1.0,
                RewardScaling::MaxRl => group.mean(),
            };
            for &i in members {
                advantages[i] = rewards[i].map_or(0.0, |reward| (reward - group.mean()) / divisor);
            }
        }
        Ok(advantages)
    }

    fn of_components(
        &self,
        step: &StepData<'_>,
        groups: &[Vec<usize>],
    ) -> Result<Vec<f64>, AlgoError> {
        let n_components = check_components(step)?;
        let mut sums = vec![None; step.trajectories.len()];
        let mut is_alive = vec![false; step.trajectories.len()];
        for members in groups {
            for component in 0..n_components {
                let weight = step.component_weights[component];
                let value = |i: usize| finite(step.trajectories[i].components[component]);
                let group = moments(members.iter().map(|&i| value(i)));
                for &i in members {
                    let Some(value) = value(i) else { continue };
                    let sum = sums[i].get_or_insert(0.0);
                    if !is_dead(&group) {
                        *sum +=
                            weight * (value - group.mean()) / (group.sample_std() + self.epsilon);
                        is_alive[i] = true;
                    }
                }
            }
        }
        let batch = moments(sums.iter().copied());
        let divisor = batch.sample_std() + self.epsilon;
        let advantage = |(sum, is_alive): (Option<f64>, bool)| match sum {
            Some(sum) if is_alive => (sum - batch.mean()) / divisor,
            _ => 0.0,
        };
        Ok(sums.into_iter().zip(is_alive).map(advantage).collect())
    }
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

pub(super) fn moments(values: impl Iterator<Item = Option<f64>>) -> Moments {
    values.flatten().collect()
}

/// True where rewards differ by no more than rounding can explain, or there are fewer than two.
pub(super) fn is_dead(rewards: &Moments) -> bool {
    let magnitude = rewards.max().abs().max(rewards.min().abs());
    rewards.count() < 2 || rewards.max() - rewards.min() <= 1e-8 + 1e-12 * magnitude
}

fn refuse_negative(rewards: &[Option<f64>]) -> Result<(), AlgoError> {
    for (trajectory, reward) in rewards.iter().enumerate() {
        if let Some(reward) = reward.filter(|&reward| reward < 0.0) {
            return Err(AlgoError::NegativeReward { trajectory, reward });
        }
    }
    Ok(())
}

/// Number of components, the same for weights and trajectories.
fn check_components(step: &StepData<'_>) -> Result<usize, AlgoError> {
    let expected = step.component_weights.len();
    if expected == 0 {
        return Err(AlgoError::MissingComponents);
    }
    for (trajectory, data) in step.trajectories.iter().enumerate() {
        let got = data.components.len();
        if got != expected {
            return Err(AlgoError::ComponentCount { trajectory, expected, got });
        }
    }
    Ok(expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TrajectoryData;

    fn step(groups: &[&[Option<f64>]]) -> StepData<'static> {
        let trajectories = groups
            .iter()
            .enumerate()
            .flat_map(|(group, rewards)| {
                rewards.iter().map(move |&reward| TrajectoryData {
                    group,
                    reward,
                    ..Default::default()
                })
            })
            .collect();
        StepData { trajectories, ..Default::default() }
    }

    fn some(rewards: &[f64]) -> Vec<Option<f64>> {
        rewards.iter().copied().map(Some).collect()
    }

    fn advantages(settings: GroupAdvantage, groups: &[&[f64]]) -> Vec<f64> {
        let groups: Vec<Vec<Option<f64>>> = groups.iter().map(|rewards| some(rewards)).collect();
        let groups: Vec<&[Option<f64>]> = groups.iter().map(Vec::as_slice).collect();
        settings.advantages(&step(&groups)).unwrap()
    }

    fn scaled(scaling: RewardScaling) -> GroupAdvantage {
        GroupAdvantage { scaling, ..Default::default() }
    }

    fn assert_close(got: &[f64], wanted: &[f64]) {
        assert_eq!(got.len(), wanted.len());
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-6, "{got} is not {wanted}");
        }
    }

    const R: &[f64] = &[1.0, 0.0, 0.0, 2.0];

    #[test]
    fn golden_group_scaling_with_the_epsilons_of_trl_and_verl() {
        let trl = advantages(GroupAdvantage::default(), &[R]);
        assert_close(&trl, &[0.261089, -0.783268, -0.783268, 1.305446]);
        let verl = advantages(GroupAdvantage { epsilon: 1e-6, ..Default::default() }, &[R]);
        assert_close(&verl, &[0.261116, -0.783349, -0.783349, 1.305581]);
    }

    #[test]
    fn golden_no_scaling() {
        assert_eq!(advantages(scaled(RewardScaling::None), &[R]), [0.25, -0.75, -0.75, 1.25]);
    }

    #[test]
    fn golden_batch_scaling() {
        let both = advantages(scaled(RewardScaling::Batch), &[R, &[0.0, 1.0, 0.0, 1.0]]);
        assert_close(&both[..4], &[0.335966, -1.007897, -1.007897, 1.679828]);
        assert_close(&both[4..6], &[-0.671931, 0.671931]);
    }

    #[test]
    fn golden_maxrl() {
        let settings = scaled(RewardScaling::MaxRl);
        assert_eq!(advantages(settings, &[&[1.0, 0.0, 0.0, 0.0]]), [3.0, -1.0, -1.0, -1.0]);
        assert_eq!(advantages(settings, &[&[0.0, 0.0]]), [0.0, 0.0]);
        let negative = settings.advantages(&step(&[&[Some(1.0), Some(-0.5)]]));
        assert_eq!(negative, Err(AlgoError::NegativeReward { trajectory: 1, reward: -0.5 }));
    }

    fn gdpo(parts: &[[Option<f64>; 2]]) -> Result<Vec<f64>, AlgoError> {
        let trajectories = parts
            .iter()
            .enumerate()
            .map(|(i, parts)| TrajectoryData {
                group: i / 2,
                components: parts.to_vec(),
                ..Default::default()
            })
            .collect();
        let step =
            StepData { trajectories, component_weights: vec![1.0, 1.0], ..Default::default() };
        GroupAdvantage { combination: RewardCombination::NormalizeThenSum, ..Default::default() }
            .advantages(&step)
    }

    #[test]
    fn golden_gdpo() {
        let parts = [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0]].map(|p| p.map(Some));
        assert_close(&gdpo(&parts).unwrap(), &[0.547680, -0.547680, 1.095360, -1.095360]);
    }

    #[test]
    fn gdpo_leaves_dead_groups_and_unscorable_samples_at_zero() {
        let parts = [
            [Some(0.1), None],
            [Some(0.1), Some(3.0)],
            [Some(1.0), Some(0.0)],
            [None, None],
            [Some(1.0), Some(0.0)],
            [Some(0.5), None],
        ];
        let got = gdpo(&parts).unwrap();
        assert_eq!(got[..4], [0.0; 4]);
        assert!(got[4] > 0.5 && got[5] < -0.5);
    }

    #[test]
    fn gdpo_names_missing_components() {
        let settings = GroupAdvantage {
            combination: RewardCombination::NormalizeThenSum,
            ..Default::default()
        };
        let mut step = step(&[&[Some(1.0), Some(0.0)]]);
        assert_eq!(settings.advantages(&step), Err(AlgoError::MissingComponents));
        step.component_weights = vec![1.0];
        let missing = AlgoError::ComponentCount { trajectory: 0, expected: 1, got: 0 };
        assert_eq!(settings.advantages(&step), Err(missing));
    }

    #[test]
    fn dead_groups_are_exactly_zero() {
        // Equal but for rounding: plain arithmetic would divide the rounding error by epsilon.
        let mut equal = [0.3; 7];
        equal[2] = 0.1 + 0.2;
        for scaling in
            [RewardScaling::Group, RewardScaling::Batch, RewardScaling::None, RewardScaling::MaxRl]
        {
            let got = advantages(scaled(scaling), &[&equal, &[0.0, 1.0]]);
            assert_eq!(got[..7], [0.0; 7], "{scaling:?}");
            assert!(got[7] < 0.0 && got[8] > 0.0);
        }
    }

    #[test]
    fn unscorable_samples_are_left_out() {
        let with = step(&[&[Some(1.0), None, Some(0.0), Some(f64::NAN), Some(0.0), Some(2.0)]]);
        let got = GroupAdvantage::default().advantages(&with).unwrap();
        let without = advantages(GroupAdvantage::default(), &[R]);
        assert_eq!(got, [without[0], 0.0, without[1], 0.0, without[2], without[3]]);
    }

    #[test]
    fn nothing_scorable_gives_zeros() {
        for scaling in [RewardScaling::Group, RewardScaling::Batch, RewardScaling::None] {
            let got = scaled(scaling).advantages(&step(&[&[None, None], &[Some(1.0), None]]));
            assert_eq!(got.unwrap(), [0.0; 4]);
        }
    }

    #[test]
    fn a_group_of_one_is_refused() {
        let lonely = step(&[&[Some(1.0), Some(0.0)], &[Some(1.0)]]);
        let got = GroupAdvantage::default().advantages(&lonely);
        assert_eq!(got, Err(AlgoError::GroupTooSmall { group: 1 }));
    }

    #[test]
    fn every_problem_is_reported() {
        let bad = GroupAdvantage {
            scaling: RewardScaling::None,
            combination: RewardCombination::NormalizeThenSum,
            epsilon: 0.0,
        };
        let keys: Vec<&str> = bad.validate().iter().map(|problem| problem.key).collect();
        assert_eq!(keys, ["advantage.epsilon", "advantage.scaling"]);
        assert_eq!(GroupAdvantage::default().validate(), []);
    }

    #[test]
    fn totals_skip_what_could_not_be_scored() {
        assert_eq!(weighted_total(&[Some(1.0), None, Some(0.5)], &[1.0, 9.0, 2.0]), Some(2.0));
        assert_eq!(weighted_total(&[None, Some(f64::NAN)], &[1.0, 1.0]), None);
        assert_eq!(weighted_total(&[], &[]), None);
    }
}
