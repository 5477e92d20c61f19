//! Trajectories of one scenario, the unit that group-relative methods compare.

use crate::Trajectory;

/// Samples of the same scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrajectoryGroup {
    /// The scenario they share.
    pub scenario_id: String,
    /// The samples, in order of their sample index.
    pub trajectories: Vec<Trajectory>,
}

impl TrajectoryGroup {
    /// Reward of each sample; `None` where it could not be scored.
    pub fn rewards(&self) -> Vec<Option<f64>> {
        self.trajectories.iter().map(Trajectory::reward).collect()
    }

    /// Population standard deviation of the scorable rewards; 0 for fewer than two.
    pub fn reward_diversity(&self) -> f64 {
        let rewards: Vec<f64> = self.rewards().into_iter().flatten().collect();
        if rewards.len() < 2 {
            return 0.0;
        }
        let n = rewards.len() as f64;
        let mean = rewards.iter().sum::<f64>() / n;
        (rewards.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / n).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RewardResult, Score};

    #[test]
    fn diversity_ignores_what_could_not_be_scored() {
        let with =
            |score| Trajectory { reward: Some(RewardResult::single(score)), ..Default::default() };
        let group = TrajectoryGroup {
            scenario_id: "s".into(),
            trajectories: vec![
                with(Score::of(1.0)),
                with(Score::unscorable("x")),
                with(Score::of(0.0)),
            ],
        };
        assert_eq!(group.rewards(), [Some(1.0), None, Some(0.0)]);
        assert_eq!(group.reward_diversity(), 0.5);
    }
}
