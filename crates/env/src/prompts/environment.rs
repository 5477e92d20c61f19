//! The environment of single-turn tasks: the scenario's messages are the prompt, and the agent's first
//! turn ends the episode. Whether the answer is any good is for rewards to say.

use async_trait::async_trait;
use stateset_core::{
    ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Opening, RolloutError,
    Scenario, StepOutcome, Stream,
};

use crate::episode::{failed, must_be_open};

/// Plays scenarios whose messages are the whole prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PromptEnvironment;

#[async_trait]
impl Environment for PromptEnvironment {
    async fn reset(&self, scenario: &Scenario, _: Stream) -> Result<Opening, RolloutError> {
        if scenario.messages.is_empty() {
            return Err(failed(scenario, "it has no messages to answer"));
        }
        let state = EnvironmentState::new(&scenario.id);
        Ok(Opening { state, messages: scenario.messages.clone(), tools: Vec::new() })
    }

    async fn step(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        _: &ConversationTurn,
        _: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        must_be_open(scenario, state)?;
        state.turn_count += 1;
        state.status = EpisodeStatus::Completed;
        Ok(StepOutcome::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::{Message, Purpose, RunSeed, StreamKey};

    fn stream() -> Stream {
        RunSeed(1).stream(Purpose::Environment, StreamKey::default())
    }

    #[tokio::test]
    async fn one_turn_ends_the_episode() {
        let prompt = vec![Message::system("Be brief."), Message::user("1 + 1?")];
        let scenario = Scenario { messages: prompt.clone(), ..Scenario::new("sum") };
        let opening = PromptEnvironment.reset(&scenario, stream()).await.unwrap();
        assert_eq!(opening.messages, prompt);
        let mut state = opening.state;
        let action = ConversationTurn::new(Message::assistant("2"));
        let outcome =
            PromptEnvironment.step(&scenario, &mut state, &action, stream()).await.unwrap();
        assert_eq!(outcome, StepOutcome::default());
        assert_eq!((state.status, state.turn_count), (EpisodeStatus::Completed, 1));
        assert!(PromptEnvironment.step(&scenario, &mut state, &action, stream()).await.is_err());
    }

    #[tokio::test]
    async fn a_scenario_without_a_prompt_cannot_be_played() {
        let error = PromptEnvironment.reset(&Scenario::new("s"), stream()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "play the episode: environment: scenario \"s\": it has no messages to answer"
        );
    }
}
