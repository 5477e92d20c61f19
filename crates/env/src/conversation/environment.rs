//! The environment of multi-turn conversations.
//!
//! A scenario with a `customer` is played by the simulated user it describes ([`crate::customer`],
//! [`crate::agenda`], [`crate::pupil`]), one with `user_responses` by a script. Either way the user opens the episode, after the scenario's own
//! `messages`; messages that end with the user's words are an opening already. The whole memory is in
//! the [`EnvironmentState`], so one environment plays any number of episodes at once, and an episode
//! can be stored, moved and continued.
//!
//! The opening of a simulated customer is drawn from the scenario's id and not from the episode's
//! stream: all samples of a group then begin alike, which group-relative methods compare and engines
//! share. What the customer says later is drawn from the stream.
//!
//! An episode is over when the script is exhausted, the agent says goodbye, the user has what they
//! came for or has had enough, a further end condition is met ([`EndConditions`]), or after `max_turns`. The last words of a customer are no message,
//! because nobody answers them; they are in the state's metadata under [`CLOSING_WORDS`].

use async_trait::async_trait;
use serde_json::{Value, json};
use stateset_core::{
    ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Opening, Purpose,
    Role, RolloutError, RunSeed, Scenario, StepOutcome, Stream, StreamKey,
};

use super::ends::EndConditions;
use super::farewell::is_farewell;
use super::scripted::{ResponseOrder, begin, choose_line, is_exhausted, last_line, next_line};
use super::turn_reward::{TurnReward, worth};
use super::user::{UserSaid, UserSpec};
use super::voice::voiced;
use crate::customer::{Ending, text_seed};
use crate::episode::{end_when_out_of_turns, failed, must_be_open};
use crate::error::EnvError;
use crate::persona::Persona;

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
    /// What ends a conversation with a scripted user, beside the end of the script.
    pub ends: EndConditions,
    /// Who the user is. Colours what a script says, and takes the place of an agenda user's or a pupil's
    /// own persona; customers of the shop have moods instead.
    pub persona: Option<Persona>,
}

impl Default for ConversationEnvironment {
    /// Ten turns, lines in order, no rewards for turns.
    fn default() -> Self {
        ConversationEnvironment {
            max_turns: 10,
            order: ResponseOrder::InOrder,
            turn_reward: None,
            ends: EndConditions::default(),
            persona: None,
        }
    }
}

#[async_trait]
impl Environment for ConversationEnvironment {
    async fn reset(&self, scenario: &Scenario, stream: Stream) -> Result<Opening, RolloutError> {
        let mut opening = match &scenario.customer {
            Some(customer) => self.open_user(scenario, customer),
            None => self.open_script(scenario, stream),
        }?;
        let context = &mut opening.state.context;
        context.insert("scenario_id".to_owned(), json!(scenario.id));
        context.insert("conversation_topic".to_owned(), json!(scenario.topic));
        if let Some(persona) = &self.persona {
            context.insert("persona".to_owned(), json!(persona.name));
        }
        Ok(opening)
    }

    async fn step(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        stream: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        must_be_open(scenario, state)?;
        state.turn_count += 1;
        let text = action.message.content.as_str();
        let before = self.turn_reward.and_then(|_| worth(&state.metadata));
        let answer = match &scenario.customer {
            Some(customer) => self.step_user(scenario, customer, state, text, stream),
            None => self.step_script(scenario, state, text, stream),
        }?;
        end_when_out_of_turns(state, self.max_turns);
        let reward = self.turn_reward.and_then(|reward| reward.of(text, before, state));
        let messages = if state.is_done() { Vec::new() } else { answer.into_iter().collect() };
        Ok(StepOutcome { messages, reward, ..StepOutcome::default() })
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
            messages.push(Message::user(self.voiced(line, &mut stream)));
        }
        Ok(Opening { state, messages, tools: Vec::new() })
    }

    fn voiced(&self, line: String, stream: &mut Stream) -> String {
        match &self.persona {
            Some(persona) => voiced(&line, persona, stream),
            None => line,
        }
    }

    fn step_script(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        text: &str,
        mut stream: Stream,
    ) -> Result<Option<Message>, RolloutError> {
        let heard_last = last_line(scenario, state);
        let is_over = self.ends.is_over(scenario, state, text, heard_last);
        if is_over || is_exhausted(state) || (self.ends.farewell && is_farewell(text)) {
            state.status = EpisodeStatus::Completed;
            return Ok(None);
        }
        if self.order == ResponseOrder::Reactive {
            choose_line(scenario, state, text);
        }
        let line = next_line(scenario, state).map_err(|why| failed(scenario, why))?;
        Ok(line.map(|line| Message::user(self.voiced(line, &mut stream))))
    }

    fn user(&self, scenario: &Scenario, customer: &Value) -> Result<UserSpec, RolloutError> {
        let spec = UserSpec::check(customer, "", String::new())
            .map_err(|problems| failed(scenario, EnvError::Customer { problems }))?;
        Ok(spec.with_persona(self.persona.as_ref()))
    }

    fn open_user(&self, scenario: &Scenario, customer: &Value) -> Result<Opening, RolloutError> {
        let spec = self.user(scenario, customer)?;
        if ends_with_user(&scenario.messages) {
            return Err(failed(
                scenario,
                "its messages end with the user, but the customer speaks first",
            ));
        }
        let seed = RunSeed(text_seed(&scenario.id));
        let mut stream = seed.stream(Purpose::Environment, StreamKey::default());
        let mut state = EnvironmentState::new(&scenario.id);
        let said = spec.open(&mut stream, &mut state.metadata);
        let said = said.map_err(|why| failed(scenario, why))?;
        let text = remember(said, &mut state);
        let mut messages = scenario.messages.clone();
        messages.push(Message::user(text));
        Ok(Opening { state, messages, tools: Vec::new() })
    }

    fn step_user(
        &self,
        scenario: &Scenario,
        customer: &Value,
        state: &mut EnvironmentState,
        text: &str,
        mut stream: Stream,
    ) -> Result<Option<Message>, RolloutError> {
        let spec = self.user(scenario, customer)?;
        let memory = state.context.get(CUSTOMER).cloned().unwrap_or_default();
        let said = spec.react(memory, text, &mut stream, &mut state.metadata);
        let said = said.map_err(|why| failed(scenario, why))?;
        Ok(Some(Message::user(remember(said, state))))
    }
}

/// Puts what a user said into the state, and gives the words.
fn remember(said: UserSaid, state: &mut EnvironmentState) -> String {
    state.context.insert(CUSTOMER.to_owned(), said.memory);
    if let Some(ending) = said.ending {
        state.status = match ending {
            Ending::Solved => EpisodeStatus::Completed,
            Ending::GaveUp | Ending::AgentLeft => EpisodeStatus::Failed,
        };
        state.metadata.insert(CLOSING_WORDS.to_owned(), json!(said.text));
    }
    said.text
}

fn ends_with_user(messages: &[Message]) -> bool {
    messages.last().is_some_and(|message| message.role == Role::User)
}
