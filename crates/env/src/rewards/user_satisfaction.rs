//! How content was the simulated user?
//!
//! # What earns
//! The hidden `satisfaction` that an environment keeps in its metadata, from 0 to 1: customers, agenda
//! users, pupils and scripted users with end conditions have one.
//!
//! # Cannot be scored
//! A conversation whose environment keeps none, or without a turn of the agent.
//!
//! # Known ways to cheat
//! Users are content with answers that are made up; put a reward beside this one that knows the truth.

use async_trait::async_trait;
use serde_json::Value;
use stateset_core::{Reward, RewardContext, RewardResult, Score, Trajectory};

use super::composite::WeightedReward;

/// Reads how content the user was; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserSatisfactionReward;

impl UserSatisfactionReward {
    /// This reward as a part of a composite.
    pub fn weighted(weight: f64) -> WeightedReward {
        WeightedReward::new(weight, UserSatisfactionReward)
    }

    /// The score of a conversation.
    pub fn judge(&self, trajectory: &Trajectory) -> Score {
        if trajectory.assistant_texts().next().is_none() {
            return Score::unscorable("the agent never spoke");
        }
        let metadata = trajectory.final_state.as_ref().map(|state| &state.metadata);
        let found =
            metadata.and_then(|metadata| metadata.get("satisfaction")).and_then(Value::as_f64);
        match found {
            Some(share) => Score::of(share.clamp(0.0, 1.0)),
            None => Score::unscorable("the environment keeps no satisfaction"),
        }
    }
}

#[async_trait]
impl Reward for UserSatisfactionReward {
    fn name(&self) -> &str {
        "user_satisfaction"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory))
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use serde_json::json;
    use stateset_core::EnvironmentState;

    #[test]
    fn the_hidden_figure_is_the_score() {
        let mut state = EnvironmentState::new("e");
        state.metadata.insert("satisfaction".into(), json!(0.75));
        let with = |state| Trajectory { final_state: state, ..chat(&["Hi.", "What day?"]) };
        assert_eq!(value(&UserSatisfactionReward.judge(&with(Some(state)))), 0.75);
        assert!(value(&UserSatisfactionReward.judge(&with(None))).is_nan());
    }
}
