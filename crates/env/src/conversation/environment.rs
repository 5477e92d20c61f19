//! The environment of multi-turn conversations.
//!
//! A scenario with a `customer` is played by the simulated customer ([`crate::customer`]), one with
//! `user_responses` by a script. Either way the user opens the episode, after the scenario's own
//! `messages`; messages that end with the user's words are an opening already. The whole memory is in
//! the [`EnvironmentState`], so one environment plays any number of episodes at once, and an episode
//! can be stored, moved and continued.
//!
//! The opening of a simulated customer is drawn from the scenario's id and not from the episode's
//! stream: all samples of a group then begin alike, which group-relative methods compare and engines
//! share. What the customer says later is drawn from the stream.
//!
//! An episode is over when the script is exhausted, the agent says goodbye, the customer has what they
//! came for or has had enough, or after `max_turns`. The last words of a customer are no message,
//! because nobody answers them; they are in the state's metadata under [`CLOSING_WORDS`].

use async_trait::async_trait;
use serde_json::{Value, json};
use stateset_core::{
    Border, ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Opening,
    Purpose, Role, RolloutError, RunSeed, Scenario, StepOutcome, Stream, StreamKey,
};

use super::farewell::is_farewell;
use super::scripted::{ResponseOrder, begin, is_exhausted, next_line};
use super::turn_reward::TurnReward;
use crate::customer::{
    CustomerReport, CustomerSpec, CustomerState, Ending, open, react, text_seed,
};

/// Where the last words of a simulated customer are in the state's metadata.
pub const CLOSING_WORDS: &str = "closing_words";

/// Where the memory of a simulated customer is in the state's context.
const CUSTOMER: &str = "customer";

/// How conversations are played, whatever the scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct ConversationEnvironment {
    /// Most turns of the agent; at least 1.
    pub max_turns: usize,
    /// In which order a scripted user says their lines.
    pub order: ResponseOrder,
    /// What each turn is worth by itself, if anything.
    pub turn_reward: Option<TurnReward>,
}

impl Default for ConversationEnvironment {
    /// Ten turns, lines in order, no rewards for turns.
    fn default() -> Self {
        ConversationEnvironment { max_turns: 10, order: ResponseOrder::InOrder, turn_reward: None }
    }
}

#[async_trait]
impl Environment for ConversationEnvironment {
    async fn reset(&self, scenario: &Scenario, stream: Stream) -> Result<Opening, RolloutError> {
        let mut opening = match &scenario.customer {
            Some(customer) => open_customer(scenario, customer),
            None => self.open_script(scenario, stream),
        }?;
        let context = &mut opening.state.context;
        context.insert("scenario_id".to_owned(), json!(scenario.id));
        context.insert("conversation_topic".to_owned(), json!(scenario.topic));
        Ok(opening)
    }

    async fn step(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        stream: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        if state.is_done() {
            return Err(failed(scenario, "the episode is over already"));
        }
        state.turn_count += 1;
        let text = action.message.content.as_str();
        let before = CustomerReport::from_metadata(&state.metadata);
        let answer = match &scenario.customer {
            Some(customer) => step_customer(scenario, customer, state, text, stream),
            None => step_script(scenario, state, text),
        }?;
        if !state.is_done() && state.turn_count >= self.max_turns {
            state.status = EpisodeStatus::Timeout;
        }
        let reward = self.turn_reward.and_then(|reward| reward.of(text, before.as_ref(), state));
        let messages = if state.is_done() { Vec::new() } else { answer.into_iter().collect() };
        Ok(StepOutcome { messages, reward })
    }
}

impl ConversationEnvironment {
    fn open_script(
        &self,
        scenario: &Scenario,
        mut stream: Stream,
    ) -> Result<Opening, RolloutError> {
        let mut state = EnvironmentState::new(&scenario.id);
        begin(scenario, self.order, &mut stream, &mut state.context);
        let mut messages = scenario.messages.clone();
        if !ends_with_user(&messages) {
            let line = next_line(scenario, &mut state).map_err(|why| failed(scenario, why))?;
            let line = line.ok_or_else(|| {
                failed(scenario, "it has no customer, no user_responses and no user message")
            })?;
            messages.push(Message::user(line));
        }
        Ok(Opening { state, messages, tools: Vec::new() })
    }
}

fn ends_with_user(messages: &[Message]) -> bool {
    messages.last().is_some_and(|message| message.role == Role::User)
}

fn failed(scenario: &Scenario, why: impl std::fmt::Display) -> RolloutError {
    RolloutError::new(Border::Environment, format!("scenario {:?}: {why}", scenario.id))
}

fn open_customer(scenario: &Scenario, customer: &Value) -> Result<Opening, RolloutError> {
    let spec = CustomerSpec::from_value(customer).map_err(|error| failed(scenario, error))?;
    if ends_with_user(&scenario.messages) {
        return Err(failed(
            scenario,
            "its messages end with the user, but the customer speaks first",
        ));
    }
    let seed = RunSeed(text_seed(&scenario.id));
    let mut stream = seed.stream(Purpose::Environment, StreamKey::default());
    let (memory, text) = open(&spec, &mut stream);
    let mut state = EnvironmentState::new(&scenario.id);
    store(scenario, &spec, &memory, &mut state)?;
    let mut messages = scenario.messages.clone();
    messages.push(Message::user(text));
    Ok(Opening { state, messages, tools: Vec::new() })
}

fn store(
    scenario: &Scenario,
    spec: &CustomerSpec,
    memory: &CustomerState,
    state: &mut EnvironmentState,
) -> Result<(), RolloutError> {
    let memory_value = serde_json::to_value(memory).map_err(|error| failed(scenario, error))?;
    state.context.insert(CUSTOMER.to_owned(), memory_value);
    CustomerReport::of(spec, memory).write(&mut state.metadata);
    Ok(())
}

fn step_customer(
    scenario: &Scenario,
    customer: &Value,
    state: &mut EnvironmentState,
    text: &str,
    mut stream: Stream,
) -> Result<Option<Message>, RolloutError> {
    let spec = CustomerSpec::from_value(customer).map_err(|error| failed(scenario, error))?;
    let memory = state.context.get(CUSTOMER).cloned().unwrap_or_default();
    let mut memory: CustomerState = serde_json::from_value(memory)
        .map_err(|error| failed(scenario, format!("the state holds no customer: {error}")))?;
    let reply = react(&spec, &mut memory, text, &mut stream);
    store(scenario, &spec, &memory, state)?;
    if let Some(ending) = reply.ending {
        state.status = match ending {
            Ending::Solved => EpisodeStatus::Completed,
            Ending::GaveUp | Ending::AgentLeft => EpisodeStatus::Failed,
        };
        state.metadata.insert(CLOSING_WORDS.to_owned(), json!(reply.text));
    }
    Ok(Some(Message::user(reply.text)))
}

fn step_script(
    scenario: &Scenario,
    state: &mut EnvironmentState,
    text: &str,
) -> Result<Option<Message>, RolloutError> {
    if is_exhausted(state) || is_farewell(text) {
        state.status = EpisodeStatus::Completed;
        return Ok(None);
    }
    let line = next_line(scenario, state).map_err(|why| failed(scenario, why))?;
    Ok(line.map(Message::user))
}
