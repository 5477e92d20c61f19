//! A rollout batch as arrays: the token rows of every trajectory with what its tokens were sampled at.
//!
//! Only sampled tokens are marked; what the policy read can never enter a loss.

use std::collections::BTreeMap;

use stateset_algo::{RowData, SoftOverlong, StepData, TrajectoryData, TurnData};
use stateset_core::{Origin, Trajectory, TrajectoryGroup};
use stateset_nn::TokenRow;

use super::turns::turns_of;

/// One token row with sampled tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchRow {
    /// Index into [`Batch::trajectories`].
    pub trajectory: usize,
    /// Every token up to the last sampled one.
    pub tokens: Vec<u32>,
    /// True at each sampled token.
    pub mask: Vec<bool>,
    /// Log-prob of each sampled token when it was sampled.
    pub behaviour: Vec<f32>,
    /// Index into [`BatchTrajectory::turns`] of the turn of each sampled token.
    pub turns: Vec<u32>,
}

/// What is known of one trajectory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchTrajectory {
    /// Index of its group.
    pub group: usize,
    /// Its reward; `None` where it failed or could not be scored.
    pub reward: Option<f64>,
    /// Parts of the reward, in the order of [`Batch::component_weights`].
    pub components: Vec<Option<f64>>,
    /// Some reply was cut off.
    pub truncated: bool,
    /// The agent's turns, in order.
    pub turns: Vec<TurnData>,
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
        let (turns, of_spans) = turns_of(trajectory);
        let component = |name: &String| trajectory.reward.as_ref()?.component(name)?.score.value();
        self.trajectories.push(BatchTrajectory {
            group,
            reward: trajectory.reward(),
            components: names.iter().map(component).collect(),
            truncated: trajectory.is_truncated(),
            turns,
        });
        // A failed episode is counted but not learned from.
        if trajectory.reward().is_none() {
            return;
        }
        let mut of_spans = of_spans.into_iter();
        for segment in trajectory.trace.segments() {
            let turns = segment.sampled_spans().zip(&mut of_spans);
            let turns = turns.flat_map(|(span, turn)| std::iter::repeat_n(turn, span.len()));
            let turns: Vec<u32> = turns.collect();
            let Some(last) = segment.sampled_spans().last() else { continue };
            let mask = segment.mask(Origin::Sampled)[..last.end].to_vec();
            let sampled = segment.logprobs()[..last.end].iter().zip(&mask);
            self.rows.push(BatchRow {
                trajectory: index,
                tokens: segment.tokens()[..last.end].to_vec(),
                behaviour: sampled.filter(|(_, m)| **m).map(|(lp, _)| *lp).collect(),
                mask,
                turns,
            });
        }
    }

    /// Cuts rewards to at most `limit` away from 0.
    pub fn clip_rewards(&mut self, limit: f64) {
        for reward in self.trajectories.iter_mut().filter_map(|t| t.reward.as_mut()) {
            *reward = reward.clamp(-limit, limit);
        }
    }

    /// Adds the punishment of long replies to the rewards and gives its mean over those that have one.
    ///
    /// DAPO (arXiv 2503.14476, equation 13) punishes the length of the one reply to a prompt. Of a
    /// conversation the longest reply counts: a limit of tokens is one of a reply, and many short
    /// turns are no fault. Where rewards have parts, the punishment is a further one, of weight 1, so
    /// that methods which normalise each part see it as well.
    pub fn punish_length(&mut self, settings: &SoftOverlong) -> Option<f64> {
        let longest = self.longest_replies();
        let has_parts = !self.component_weights.is_empty();
        if has_parts {
            self.component_weights.push(1.0);
        }
        let (mut sum, mut n) = (0.0, 0);
        for (trajectory, n_tokens) in self.trajectories.iter_mut().zip(longest) {
            let punishment = trajectory.reward.map(|_| settings.punishment(n_tokens));
            if has_parts {
                trajectory.components.push(punishment);
            }
            if let (Some(reward), Some(punishment)) = (&mut trajectory.reward, punishment) {
                *reward += punishment;
                (sum, n) = (sum + punishment, n + 1);
            }
        }
        (n > 0).then(|| sum / f64::from(n))
    }

    /// Sampled tokens of the longest reply of each trajectory.
    fn longest_replies(&self) -> Vec<usize> {
        let mut longest = vec![0; self.trajectories.len()];
        for row in &self.rows {
            let mut lens: BTreeMap<u32, usize> = BTreeMap::new();
            row.turns.iter().for_each(|turn| *lens.entry(*turn).or_default() += 1);
            let longest = &mut longest[row.trajectory];
            *longest = lens.into_values().max().unwrap_or(0).max(*longest);
        }
        longest
    }

    /// The arrays as an algorithm reads them; what sampled the tokens is the old policy.
    pub(crate) fn step_data(&self, success_reward: f64) -> StepData<'_> {
        let trajectory = |t: &BatchTrajectory| TrajectoryData {
            group: t.group,
            reward: t.reward,
            components: t.components.clone(),
            truncated: t.truncated,
            turns: t.turns.clone(),
            ..TrajectoryData::default()
        };
        fn row(row: &BatchRow) -> RowData<'_> {
            let behaviour = row.behaviour.as_slice();
            RowData {
                trajectory: row.trajectory,
                behaviour,
                old: Some(behaviour),
                turns: &row.turns,
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

    #[test]
    fn every_sampled_token_knows_its_turn_over_all_segments() {
        let mut restarted = trajectory(Score::of(1.0));
        restarted.trace.start_segment();
        restarted.trace.append_given(&[9, 3, 4]);
        restarted.trace.append_sampled(&[5, 6], &[-1.0, -1.0], PolicyVersion(0)).unwrap();
        let group = TrajectoryGroup { scenario_id: "s".into(), trajectories: vec![restarted] };
        let batch = Batch::new(&[group]);
        assert_eq!(batch.rows[0].turns, [0, 0, 1]);
        assert_eq!(batch.rows[1].turns, [2, 2]);
        assert_eq!(batch.trajectories[0].turns.len(), 3);
        let data = batch.step_data(1.0);
        assert_eq!(data.rows[1].turns, [2, 2]);
        assert_eq!(data.trajectories[0].turns.len(), 3);
    }

    #[test]
    fn the_longest_reply_is_punished_in_the_reward_and_as_a_part() {
        let scores = [Score::of(0.5), Score::unscorable("x"), Score::of(1.0)];
        let mut trajectories: Vec<_> = scores.map(trajectory).to_vec();
        trajectories[2].trace.append_sampled(&[7; 4], &[-1.0; 4], PolicyVersion(0)).unwrap();
        let mut batch = Batch::new(&[TrajectoryGroup { scenario_id: "s".into(), trajectories }]);
        let settings = SoftOverlong { max_tokens: 4, cache_tokens: 4, ..SoftOverlong::default() };
        assert_eq!(batch.punish_length(&settings), Some(-0.75));
        let rewards: Vec<_> = batch.trajectories.iter().map(|t| t.reward).collect();
        assert_eq!(rewards, [Some(0.0), None, Some(0.0)]);
        assert_eq!(batch.component_weights, [0.5, 0.5, 1.0]);
        assert_eq!(batch.trajectories[0].components, [Some(1.0), None, Some(-0.5)]);
        assert_eq!(batch.trajectories[1].components[2], None);
        assert_eq!(Batch::default().punish_length(&settings), None);
    }
}
