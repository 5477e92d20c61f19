//! The environment of tools and a database.
//!
//! A turn that calls tools is answered with their results and is not for the user: its text, if any, is not
//! heard. A turn without calls is what the user reads and answers. The whole memory is in the
//! [`EnvironmentState`]: the journal of changed rows, the calls made, which outputs were said, and the user's
//! memory. After every turn the metadata hold a [`DatabaseReport`], so that an episode that is cut off is
//! judged by what it had come to.
//!
//! An episode ends when the user is content or has had enough, when the agent calls a tool that ends it
//! (such as handing over to a person), or after `max_turns` turns; calls count as turns.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use stateset_core::{
    ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Opening, Role,
    RolloutError, Scenario, StepOutcome, Stream, ToolCall,
};

use super::domain::{Checked, DatabaseDomain};
use super::report::DatabaseReport;
use super::session::Session;
use super::tool::answer_text;
use super::user::{ScriptedUser, TaskUser, UserEnding};
use crate::conversation::CLOSING_WORDS;
use crate::episode::{end_when_out_of_turns, failed, must_be_open};

/// Where the user's memory is in the state's context.
const USER: &str = "user";
/// Most calls of one turn that are made; the rest are answered with an error.
const MAX_CALLS_A_TURN: usize = 16;
/// Most characters of a result that the agent reads.
const MAX_ANSWER_CHARS: usize = 20_000;

/// Plays the tasks of a domain. A scenario names its task by its id.
#[derive(Clone)]
pub struct DatabaseEnvironment {
    domain: Arc<DatabaseDomain>,
    user: Arc<dyn TaskUser>,
    max_turns: usize,
}

impl DatabaseEnvironment {
    /// Plays `domain` with scripted users. `max_turns` is the most turns of the agent, at least 1.
    pub fn new(domain: Arc<DatabaseDomain>, max_turns: usize) -> DatabaseEnvironment {
        DatabaseEnvironment { domain, user: Arc::new(ScriptedUser), max_turns }
    }

    /// The same with another user.
    pub fn with_user(self, user: Arc<dyn TaskUser>) -> DatabaseEnvironment {
        DatabaseEnvironment { user, ..self }
    }

    /// What is played.
    pub fn domain(&self) -> &DatabaseDomain {
        &self.domain
    }

    fn checked(&self, scenario: &Scenario) -> Result<&Checked, RolloutError> {
        self.domain.checked(&scenario.id).ok_or_else(|| {
            failed(scenario, format!("the domain {:?} has no task of this id", self.domain.name()))
        })
    }

    /// Makes the calls of one turn and answers them.
    fn answer_calls(
        &self,
        calls: &[ToolCall],
        session: &mut Session<'_>,
        state: &mut EnvironmentState,
    ) -> Vec<Message> {
        let mut messages = Vec::with_capacity(calls.len());
        let mut is_over = false;
        for (index, call) in calls.iter().enumerate() {
            let result = if index >= MAX_CALLS_A_TURN {
                Err(format!("at most {MAX_CALLS_A_TURN} calls in one turn"))
            } else if let Some((_, why)) = call.as_malformed() {
                Err(format!("the call cannot be read: {why}"))
            } else {
                session.call(&call.name, &call.arguments)
            };
            let ends = self.domain.tools().get(&call.name).is_some_and(|tool| tool.ends_episode);
            is_over = is_over || (ends && result.is_ok());
            messages.push(Message::tool_result(call, shortened(answer_text(&result))));
        }
        if is_over {
            let is_done = session.report().score().value() != Some(0.0);
            state.status = if is_done { EpisodeStatus::Completed } else { EpisodeStatus::Failed };
        }
        messages
    }

    async fn answer_text(
        &self,
        checked: &Checked,
        session: &mut Session<'_>,
        state: &mut EnvironmentState,
        text: &str,
        stream: Stream,
    ) -> Result<Vec<Message>, RolloutError> {
        session.hear(text);
        let mut memory = state.context.remove(USER).unwrap_or_default();
        let answer = self.user.answer(&checked.task, &mut memory, text, stream).await?;
        state.context.insert(USER.to_owned(), memory);
        if let Some(ending) = answer.ending {
            state.status = match ending {
                UserEnding::Content => EpisodeStatus::Completed,
                UserEnding::GaveUp => EpisodeStatus::Failed,
            };
            state.metadata.insert(CLOSING_WORDS.to_owned(), json!(answer.text));
        }
        Ok(vec![Message::user(answer.text)])
    }
}

#[async_trait]
impl Environment for DatabaseEnvironment {
    async fn reset(&self, scenario: &Scenario, stream: Stream) -> Result<Opening, RolloutError> {
        let checked = self.checked(scenario)?;
        let mut state = EnvironmentState::new(&scenario.id);
        state.context.insert("scenario_id".to_owned(), json!(scenario.id));
        state.context.insert("conversation_topic".to_owned(), json!(scenario.topic));
        let mut messages = scenario.messages.clone();
        messages.extend(checked.task.start.messages.iter().cloned());
        let mut memory = Value::Null;
        let opening = self.user.open(&checked.task, &mut memory, stream).await?;
        state.context.insert(USER.to_owned(), memory);
        if messages.last().is_none_or(|last| last.role != Role::User) {
            messages.push(Message::user(opening));
        }
        let session = Session::new(&self.domain, checked);
        session.write(&mut state.context);
        session.report().write(&mut state.metadata);
        Ok(Opening { state, messages, tools: self.domain.tools().specs() })
    }

    async fn step(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        stream: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        must_be_open(scenario, state)?;
        let checked = self.checked(scenario)?;
        let mut session = Session::read(&self.domain, checked, &state.context)
            .ok_or_else(|| failed(scenario, "the state holds no database of this task"))?;
        state.turn_count += 1;
        let message = &action.message;
        let messages = if message.tool_calls.is_empty() {
            let text = &message.content;
            self.answer_text(checked, &mut session, state, text, stream).await?
        } else {
            self.answer_calls(&message.tool_calls, &mut session, state)
        };
        end_when_out_of_turns(state, self.max_turns);
        session.write(&mut state.context);
        let report: DatabaseReport = session.report();
        report.write(&mut state.metadata);
        // Nobody answers the last words of a user; results of tools belong to their calls.
        let is_last_word = state.is_done() && message.tool_calls.is_empty();
        let messages = if is_last_word { Vec::new() } else { messages };
        Ok(StepOutcome { messages, ..StepOutcome::default() })
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(MAX_ANSWER_CHARS) {
        Some((end, _)) => format!("{} .. (shortened)", &text[..end]),
        None => text,
    }
}
