//! What the rewards and lengths of a step look like, before any model is asked.
//!
//! TRL's `reward_std` is the Bessel deviation over the whole batch, which mixes easy with hard
//! scenarios; the mean of the groups' population deviations says how much there is to learn from.
//! Both are kept, under their own names.

use super::{Mean, Moments};
use crate::StepData;

/// Statistics of rewards, groups and lengths. Shares are shares of trajectories.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RewardStats {
    /// Scorable total rewards.
    pub rewards: Moments,
    /// Population standard deviation of each group with a scorable reward.
    pub group_std: Mean,
    /// 1 for each trajectory of a group without any advantage, else 0.
    pub dead: Mean,
    /// 1 for each trajectory of a group whose every trajectory is solved, else 0.
    pub all_correct: Mean,
    /// 1 for each trajectory of a group that was scored and has none solved, else 0.
    pub all_wrong: Mean,
    /// 1 for each trajectory without a reward, else 0.
    pub unscorable: Mean,
    /// 1 for each truncated trajectory, else 0.
    pub truncated: Mean,
    /// Sampled tokens of each trajectory, masked ones too.
    pub lengths: Moments,
}

impl RewardStats {
    /// The statistics of a batch; `has_advantage` says of each trajectory whether any of its tokens
    /// has an advantage that is not 0.
    pub fn of(step: &StepData<'_>, has_advantage: &[bool]) -> RewardStats {
        let mut stats = RewardStats::default();
        for members in step.groups().values() {
            stats.push_group(step, has_advantage, members);
        }
        for (trajectory, length) in step.trajectories.iter().zip(step.trajectory_lengths()) {
            stats.unscorable.push(as_share(trajectory.scored().is_none()));
            stats.truncated.push(as_share(trajectory.truncated));
            stats.lengths.push(length as f64);
        }
        stats
    }

    /// Takes in all that `other` has seen.
    pub fn add(&mut self, other: &RewardStats) {
        self.rewards.add(&other.rewards);
        self.group_std.add(&other.group_std);
        self.dead.add(&other.dead);
        self.all_correct.add(&other.all_correct);
        self.all_wrong.add(&other.all_wrong);
        self.unscorable.add(&other.unscorable);
        self.truncated.add(&other.truncated);
        self.lengths.add(&other.lengths);
    }

    fn push_group(&mut self, step: &StepData<'_>, has_advantage: &[bool], members: &[usize]) {
        let scored: Vec<f64> =
            members.iter().filter_map(|&i| step.trajectories[i].scored()).collect();
        let group: Moments = scored.iter().copied().collect();
        self.rewards.add(&group);
        if group.count() > 0 {
            self.group_std.push(group.population_std());
        }
        let n_solved = scored.iter().filter(|&&reward| reward >= step.success_reward).count();
        let is_dead = members.iter().all(|&i| !has_advantage[i]);
        for _ in members {
            self.dead.push(as_share(is_dead));
            self.all_correct.push(as_share(n_solved == members.len()));
            self.all_wrong.push(as_share(n_solved == 0 && !scored.is_empty()));
        }
    }
}

fn as_share(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RowData, TrajectoryData};

    #[test]
    fn shares_and_spreads() {
        let trajectory = |group, reward| TrajectoryData { group, reward, ..Default::default() };
        let mut trajectories = vec![
            trajectory(0, Some(1.0)),
            trajectory(0, Some(1.0)),
            trajectory(1, Some(0.0)),
            trajectory(1, None),
            trajectory(2, Some(1.0)),
            trajectory(2, Some(0.5)),
            trajectory(3, None),
            trajectory(3, None),
        ];
        trajectories[5].truncated = true;
        let step = StepData {
            trajectories,
            rows: vec![RowData { trajectory: 4, behaviour: &[-1.0; 3], ..Default::default() }],
            ..Default::default()
        };
        let has_advantage = [false, false, false, false, true, true, false, false];
        let stats = RewardStats::of(&step, &has_advantage);
        assert_eq!(stats.dead.get(), Some(0.75));
        assert_eq!(stats.all_correct.get(), Some(0.25));
        assert_eq!(stats.all_wrong.get(), Some(0.25));
        assert_eq!(stats.unscorable.get(), Some(3.0 / 8.0));
        assert_eq!(stats.truncated.get(), Some(0.125));
        assert!((stats.rewards.mean() - 0.7).abs() < 1e-12);
        // [1, 1, 0, 1, .5]: squared deviations sum to .8.
        assert!((stats.rewards.sample_std() - 0.2f64.sqrt()).abs() < 1e-12);
        // Groups 0, 1 and 2 have deviations 0, 0 and .25; group 3 has none.
        assert!((stats.group_std.get().unwrap() - 0.25 / 3.0).abs() < 1e-12);
        assert_eq!((stats.lengths.mean(), stats.lengths.max()), (0.375, 3.0));
    }
}
