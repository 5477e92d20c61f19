//! What an untrained agent does: the episodes from which a profile is chosen.
//!
//! Five episodes are documented for the choice; groups of several samples of one scenario tell more,
//! because they show whether there is anything to compare.

use crate::{Mean, Moments};

/// One episode of the untrained agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BaselineEpisode {
    /// Total reward; `None` where it could not be scored.
    pub reward: Option<f64>,
    /// Rewards of its turns, where turns are rewarded.
    pub turn_rewards: Vec<f64>,
    /// Sampled tokens.
    pub n_tokens: usize,
    /// Cut off at a limit.
    pub is_truncated: bool,
}

/// Episodes before training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BaselineRun {
    /// Episodes by scenario; a group of one is fine.
    pub groups: Vec<Vec<BaselineEpisode>>,
    /// Tokens that a completion may have, where there is a limit.
    pub max_completion_tokens: Option<usize>,
}

/// A baseline in figures. A figure that nothing is known of is `None`, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BaselineFacts {
    /// Episodes.
    pub n_episodes: usize,
    /// Those with a reward.
    pub n_scored: usize,
    /// Mean total reward.
    pub mean_reward: Option<f64>,
    /// Population deviation of the turns' rewards within an episode, mean over the episodes that have
    /// any.
    pub turn_spread: Option<f64>,
    /// Population deviation of the rewards within a group, mean over groups with at least two.
    pub group_spread: Option<f64>,
    /// Share of the episodes in such groups whose group has equal rewards.
    pub dead_share: Option<f64>,
    /// Share of episodes cut off.
    pub truncated_share: Option<f64>,
    /// Sampled tokens of an episode, mean.
    pub mean_tokens: Option<f64>,
}

impl BaselineRun {
    /// The baseline in figures.
    pub fn facts(&self) -> BaselineFacts {
        let (mut reward, mut turn_spread) = (Mean::default(), Mean::default());
        let (mut truncated, mut tokens) = (Mean::default(), Mean::default());
        for episode in self.groups.iter().flatten() {
            episode.reward.iter().for_each(|&value| reward.push(value));
            if !episode.turn_rewards.is_empty() {
                let turns: Moments = episode.turn_rewards.iter().copied().collect();
                turn_spread.push(turns.population_std());
            }
            truncated.push(f64::from(u8::from(episode.is_truncated)));
            tokens.push(episode.n_tokens as f64);
        }
        let (group_spread, dead_share) = self.groups_facts();
        BaselineFacts {
            n_episodes: self.groups.iter().map(Vec::len).sum(),
            n_scored: self.groups.iter().flatten().filter(|e| e.reward.is_some()).count(),
            mean_reward: reward.get(),
            turn_spread: turn_spread.get(),
            group_spread,
            dead_share,
            truncated_share: truncated.get(),
            mean_tokens: tokens.get(),
        }
    }

    fn groups_facts(&self) -> (Option<f64>, Option<f64>) {
        let (mut spread, mut dead) = (Mean::default(), Mean::default());
        for group in &self.groups {
            let rewards: Moments = group.iter().filter_map(|episode| episode.reward).collect();
            if rewards.count() < 2 {
                continue;
            }
            spread.push(rewards.population_std());
            let is_dead = rewards.min() == rewards.max();
            (0..rewards.count()).for_each(|_| dead.push(f64::from(u8::from(is_dead))));
        }
        (spread.get(), dead.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn episode(reward: Option<f64>, turn_rewards: &[f64]) -> BaselineEpisode {
        let turn_rewards = turn_rewards.to_vec();
        BaselineEpisode { reward, turn_rewards, n_tokens: 10, is_truncated: reward == Some(0.0) }
    }

    #[test]
    fn figures_that_can_be_counted_out() {
        let groups = vec![
            vec![episode(Some(1.0), &[0.0, 1.0]), episode(Some(0.0), &[])],
            vec![episode(Some(0.5), &[0.5]), episode(Some(0.5), &[]), episode(None, &[])],
            vec![episode(Some(0.0), &[])],
        ];
        let facts = BaselineRun { groups, max_completion_tokens: None }.facts();
        assert_eq!((facts.n_episodes, facts.n_scored), (6, 5));
        assert_eq!(facts.mean_reward, Some(0.4));
        assert_eq!(facts.turn_spread, Some(0.25));
        assert_eq!(facts.group_spread, Some(0.25));
        assert_eq!(facts.dead_share, Some(0.5));
        assert_eq!(facts.truncated_share, Some(2.0 / 6.0));
        assert_eq!(facts.mean_tokens, Some(10.0));
    }

    #[test]
    fn nothing_is_known_of_nothing() {
        assert_eq!(BaselineRun::default().facts(), BaselineFacts::default());
    }
}
