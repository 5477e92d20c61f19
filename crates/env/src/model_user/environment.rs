//! Conversations with a user who is played by a policy.
//!
//! The conversation so far is kept in the state's context, so that an episode can be stored and
//! continued. A turn of the agent that says nothing and only calls tools is answered without asking the
//! user: this environment has no tools. A policy that fails ends its own rollout, at the border of the
//! environment: the agent did nothing wrong.

use async_trait::async_trait;
use serde_json::{Value, json};
use stateset_core::{
    ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, MessageRecord,
    Opening, Role, RolloutError, Scenario, StepOutcome, Stream,
};

use super::user::{ModelUser, Said};
use crate::conversation::{CLOSING_WORDS, is_farewell};
use crate::episode::{end_when_out_of_turns, failed, must_be_open};

/// Where the conversation is in the state's context.
const DIALOGUE: &str = "dialogue";

/// Conversations with a [`ModelUser`]. What the user wants is the scenario's `context`, or its script
/// as wishes in no order.
#[derive(Clone)]
pub struct ModelUserEnvironment {
    /// Who plays the user.
    pub user: ModelUser,
    /// Most turns of the agent; at least 1.
    pub max_turns: usize,
}

impl ModelUserEnvironment {
    /// Conversations of at most `max_turns` turns of the agent.
    pub fn new(user: ModelUser, max_turns: usize) -> ModelUserEnvironment {
        ModelUserEnvironment { user, max_turns }
    }

    async fn ask(
        &self,
        scenario: &Scenario,
        dialogue: &[Message],
        stream: Stream,
    ) -> Result<Said, RolloutError> {
        let said = self.user.answer(scenario, dialogue, stream).await;
        said.map_err(|error| failed(scenario, format!("ask the user's model: {error}")))
    }
}

#[async_trait]
impl Environment for ModelUserEnvironment {
    async fn reset(&self, scenario: &Scenario, stream: Stream) -> Result<Opening, RolloutError> {
        let mut state = EnvironmentState::new(&scenario.id);
        let mut messages = scenario.messages.clone();
        if messages.last().is_none_or(|last| last.role != Role::User) {
            let said = self.ask(scenario, &messages, stream).await?;
            if said.text.is_empty() {
                return Err(failed(scenario, "the user's model was done before it began"));
            }
            messages.push(Message::user(said.text));
        }
        state.context.insert("scenario_id".to_owned(), json!(scenario.id));
        state.context.insert("conversation_topic".to_owned(), json!(scenario.topic));
        state.context.insert("persona".to_owned(), json!(self.user.persona.name));
        store(scenario, &mut state, &messages)?;
        Ok(Opening { state, messages, tools: Vec::new() })
    }

    async fn step(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        stream: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        must_be_open(scenario, state)?;
        let mut dialogue = load(scenario, state)?;
        dialogue.push(action.message.clone());
        state.turn_count += 1;
        let answers = if action.message.tool_calls.is_empty() {
            self.user_answer(scenario, state, &dialogue, stream).await?
        } else {
            no_tools(&action.message)
        };
        end_when_out_of_turns(state, self.max_turns);
        dialogue.extend(answers.iter().cloned());
        store(scenario, state, &dialogue)?;
        let messages = if state.is_done() { Vec::new() } else { answers };
        Ok(StepOutcome { messages, ..StepOutcome::default() })
    }
}

impl ModelUserEnvironment {
    async fn user_answer(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        dialogue: &[Message],
        stream: Stream,
    ) -> Result<Vec<Message>, RolloutError> {
        let text = dialogue.last().map(|message| message.content.as_str()).unwrap_or_default();
        if is_farewell(text) {
            state.status = EpisodeStatus::Completed;
            return Ok(Vec::new());
        }
        let said = self.ask(scenario, dialogue, stream).await?;
        if said.is_done {
            state.status = EpisodeStatus::Completed;
            state.metadata.insert(CLOSING_WORDS.to_owned(), json!(said.text));
        }
        Ok(if said.text.is_empty() { Vec::new() } else { vec![Message::user(said.text)] })
    }
}

/// An answer to each call: there is no such tool.
fn no_tools(message: &Message) -> Vec<Message> {
    let answer =
        |call| Message::tool_result(call, json!({"error": "there is no such tool"}).to_string());
    message.tool_calls.iter().map(answer).collect()
}

fn load(scenario: &Scenario, state: &EnvironmentState) -> Result<Vec<Message>, RolloutError> {
    let stored = state.context.get(DIALOGUE).cloned().unwrap_or(Value::Null);
    let records: Vec<MessageRecord> = serde_json::from_value(stored)
        .map_err(|error| failed(scenario, format!("the state holds no dialogue: {error}")))?;
    let messages: Result<Vec<Message>, _> = records.into_iter().map(Message::try_from).collect();
    messages.map_err(|error| failed(scenario, error))
}

fn store(
    scenario: &Scenario,
    state: &mut EnvironmentState,
    dialogue: &[Message],
) -> Result<(), RolloutError> {
    let records: Vec<MessageRecord> = dialogue.iter().map(MessageRecord::from).collect();
    let value = serde_json::to_value(records).map_err(|error| failed(scenario, error))?;
    state.context.insert(DIALOGUE.to_owned(), value);
    Ok(())
}
