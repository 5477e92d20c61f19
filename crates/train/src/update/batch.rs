//! A rollout batch as arrays: the token rows of every trajectory with what its tokens were sampled at.
//!
//! Only sampled tokens are marked; what the policy read can never enter a loss.

use stateset_algo::{RowData, StepData, TrajectoryData};
use stateset_core::{Origin, Trajectory, TrajectoryGroup};
use stateset_nn::TokenRow;

/// One token row with sampled tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchRow {
    /// Index into [`Batch::trajectories`].
    pub trajectory: usize,
    /// Every token up to the last sampled one.
    pub tokens: Vec<u32>,
    /// True at each sampled token.
    pub mask: Vec<bool>,
    /// Log-prob of each sampled token when it was sampled.
    pub behaviour: Vec<f32>,
}

/// What is known of one trajectory.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchTrajectory {
    /// Index of its group.
    pub group: usize,
    /// Its reward; `None` where it failed or could not be scored.
    pub reward: Option<f64>,
    /// Parts of the reward, in the order of [`Batch::component_weights`].
    pub components: Vec<Option<f64>>,
    /// Some reply was cut off.
    pub truncated: bool,
}

/// A rollout batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// All trajectories, group by group.
    pub trajectories: Vec<BatchTrajectory>,
    /// All rows, in order of their trajectories.
    pub rows: Vec<BatchRow>,
    /// Weight of each part of the reward.
    pub component_weights: Vec<f64>,
}

impl BatchRow {
    /// The row as a learner reads it.
    pub(super) fn token_row(&self) -> TokenRow<'_> {
        TokenRow::new(&self.tokens, &self.mask)
    }
}

impl Batch {
    /// The arrays of these groups.
    pub fn new(groups: &[TrajectoryGroup]) -> Batch {
        let mut batch = Batch::default();
        let all = || groups.iter().flat_map(|group| &group.trajectories);
        let names: Vec<String> = all()
            .filter_map(|t| t.reward.as_ref())
            .map(|reward| &reward.components)
            .find(|components| !components.is_empty())
            .map(|components| components.iter().map(|c| c.name.clone()).collect())
            .unwrap_or_default();
        let weight = |name: &String| {
            all().find_map(|t| Some(t.reward.as_ref()?.component(name)?.weight)).unwrap_or(0.0)
        };
        batch.component_weights = names.iter().map(weight).collect();
        for (index, group) in groups.iter().enumerate() {
            for trajectory in &group.trajectories {
                batch.push(index, trajectory, &names);
            }
        }
        batch
    }

    fn push(&mut self, group: usize, trajectory: &Trajectory, names: &[String]) {
        let index = self.trajectories.len();
        let component = |name: &String| trajectory.reward.as_ref()?.component(name)?.score.value();
        self.trajectories.push(BatchTrajectory {
            group,
            reward: trajectory.reward(),
            components: names.iter().map(component).collect(),
            truncated: trajectory.is_truncated(),
        });
        // A failed episode is counted but not learned from.
        if trajectory.reward().is_none() {
            return;
        }
        for segment in trajectory.trace.segments() {
            let Some(last) = segment.sampled_spans().last() else { continue };
            let mask = segment.mask(Origin::Sampled)[..last.end].to_vec();
            let sampled = segment.logprobs()[..last.end].iter().zip(&mask);
            self.rows.push(BatchRow {
                trajectory: index,
                tokens: segment.tokens()[..last.end].to_vec(),
                behaviour: sampled.filter(|(_, m)| **m).map(|(lp, _)| *lp).collect(),
                mask,
            });
        }
    }

    /// Cuts rewards to at most `limit` away from 0.
    pub fn clip_rewards(&mut self, limit: f64) {
        for reward in self.trajectories.iter_mut().filter_map(|t| t.reward.as_mut()) {
            *reward = reward.clamp(-limit, limit);
        }
    }

    /// The arrays as an algorithm reads them; what sampled the tokens is the old policy.
    pub(super) fn step_data(&self, success_reward: f64) -> StepData<'_> {
        let trajectory = |t: &BatchTrajectory| TrajectoryData {
            group: t.group,
            reward: t.reward,
            components: t.components.clone(),
            truncated: t.truncated,
            ..TrajectoryData::default()
        };
        fn row(row: &BatchRow) -> RowData<'_> {
            let behaviour = row.behaviour.as_slice();
            RowData {
                trajectory: row.trajectory,
                behaviour,
                old: Some(behaviour),
                ..RowData::default()
            }
        }
        StepData {
            trajectories: self.trajectories.iter().map(trajectory).collect(),
            rows: self.rows.iter().map(row).collect(),
            component_weights: self.component_weights.clone(),
            success_reward,
            ..StepData::default()
        }
    }

    /// Sampled tokens of all rows.
    pub fn n_sampled(&self) -> usize {
        self.rows.iter().map(|row| row.behaviour.len()).sum()
    }

    /// Number of groups.
    pub fn n_groups(&self) -> usize {
        self.trajectories.iter().map(|t| t.group + 1).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use stateset_core::{PolicyVersion, RewardComponent, RewardResult, Score, TokenTrace};

    use super::*;

    fn trajectory(total: Score) -> Trajectory {
        let mut trace = TokenTrace::new();
        trace.append_given(&[1, 2]);
        trace.append_sampled(&[3, 4], &[-0.5, -0.25], PolicyVersion(0)).unwrap();
        trace.append_given(&[5]);
        trace.append_sampled(&[6], &[-1.0], PolicyVersion(0)).unwrap();
        trace.append_given(&[7, 8]);
        let part = |name: &str, score| RewardComponent { name: name.into(), weight: 0.5, score };
        Trajectory {
            trace,
            reward: Some(RewardResult {
                total,
                components: vec![
                    part("a", Score::of(1.0)),
                    part("b", Score::unscorable("no reply")),
                ],
            }),
            ..Trajectory::default()
        }
    }

    #[test]
    fn rows_end_with_the_last_sampled_token_and_mark_sampled_ones_only() {
        let group = TrajectoryGroup {
            scenario_id: "s".into(),
            trajectories: vec![trajectory(Score::of(0.5)), trajectory(Score::unscorable("x"))],
        };
        let batch = Batch::new(&[group]);
        assert_eq!(batch.rows.len(), 1);
        assert_eq!(batch.rows[0].tokens, [1, 2, 3, 4, 5, 6]);
        assert_eq!(batch.rows[0].mask, [false, false, true, true, false, true]);
        assert_eq!(batch.rows[0].behaviour, [-0.5, -0.25, -1.0]);
        assert_eq!(batch.trajectories[0].components, [Some(1.0), None]);
        assert_eq!(batch.trajectories[1].reward, None);
        assert_eq!(batch.component_weights, [0.5, 0.5]);
        assert_eq!((batch.n_sampled(), batch.n_groups()), (3, 1));
    }
}
