//! Groups from which nothing can be learned, and what became of those that replaced them.
//!
//! Dynamic sampling of DAPO (arXiv 2503.14476, equation 11): where all samples of a prompt are worth the
//! same, their advantages are 0 and the prompt is replaced. What counts is the reward as it was given,
//! before it is cut or a long reply is punished: a difference that only the length makes says nothing of
//! the task.

use stateset_core::{Trajectory, TrajectoryGroup};

/// No two scorable rewards of the group differ by more than the rounding of a sum, so that every method
/// which compares rewards inside a group would learn nothing from it.
pub(super) fn is_dead(group: &TrajectoryGroup) -> bool {
    let rewards = || group.trajectories.iter().filter_map(Trajectory::reward);
    let (low, high) = rewards().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), reward| {
        (low.min(reward), high.max(reward))
    });
    // As the estimators of advantages see it; a group of one or none is dead as well.
    rewards().count() < 2 || high - low <= 1e-8 + 1e-12 * low.abs().max(high.abs())
}

/// Why a step without any live group is left out. `None` where no rollout could be scored at all, which
/// is a failure and not a matter of luck.
pub(super) fn reason_to_skip(dropped: &[TrajectoryGroup]) -> Option<String> {
    let n_scored = dropped.iter().flat_map(|group| &group.trajectories);
    let n_scored = n_scored.filter(|trajectory| trajectory.reward().is_some()).count();
    (n_scored > 0).then(|| {
        format!(
            "the samples of each of its {} groups are worth the same, so there is nothing to compare",
            dropped.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use stateset_core::{Border, RewardResult, RolloutError, Score};

    use super::*;

    fn group(rewards: &[Option<f64>]) -> TrajectoryGroup {
        let trajectory = |reward: &Option<f64>| {
            let score = reward.map_or(Score::unscorable("x"), Score::of);
            let reward = Some(RewardResult::single(score));
            Trajectory { reward, ..Trajectory::default() }
        };
        let trajectories = rewards.iter().map(trajectory).collect();
        TrajectoryGroup { scenario_id: "s".into(), trajectories }
    }

    #[test]
    fn only_a_difference_between_two_keeps_a_group_alive() {
        assert!(is_dead(&group(&[])));
        assert!(is_dead(&group(&[Some(1.0)])));
        assert!(is_dead(&group(&[Some(1.0), None, Some(1.0)])));
        assert!(is_dead(&group(&[Some(0.3), Some(0.1 + 0.2)])));
        assert!(!is_dead(&group(&[Some(1.0), None, Some(0.0)])));
    }

    #[test]
    fn a_failed_sample_is_not_compared() {
        let mut mixed = group(&[Some(1.0), Some(0.0)]);
        mixed.trajectories[1].error = Some(RolloutError::new(Border::Reward, "gone"));
        assert!(is_dead(&mixed));
    }

    #[test]
    fn equal_rewards_are_luck_and_none_at_all_is_a_failure() {
        let reason = reason_to_skip(&[group(&[Some(1.0), Some(1.0)]), group(&[None])]).unwrap();
        assert!(reason.contains("its 2 groups are worth the same"), "{reason}");
        assert_eq!(reason_to_skip(&[group(&[None, None])]), None);
        assert_eq!(reason_to_skip(&[]), None);
    }
}
