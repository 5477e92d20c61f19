//! [`WithTools`]: any environment, with tools for the agent.
//!
//! A turn with calls is answered with their results, without asking the environment inside; a turn
//! without calls goes to it. Calls of tools that the environment inside brings go to it too, also beside
//! calls of ours. The episode's memory is in its state, under [`MEMORY`], with what was there before
//! inside, so that one wrapper can be put around another. The choice a reader would question: after
//! `max_rounds` rounds in one turn calls are refused, and an agent that calls on after that has used up
//! its time ([`EpisodeStatus::Timeout`]); a loop of calls would otherwise end only with the episode's
//! last turn.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use stateset_core::{
    Border, ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Opening,
    RolloutError, Scenario, StepOutcome, Stream, ToolCall,
};

use super::registry::ToolRegistry;
use super::runner::{ERROR, ToolRunner, refusal};

/// Where the memory of an episode is in its state's context.
const MEMORY: &str = "with_tools";
/// Rounds of calls in one turn, unless told otherwise.
const MAX_ROUNDS: usize = 8;

/// An environment with tools.
#[derive(Clone)]
pub struct WithTools {
    /// The world behind the tools.
    pub inner: Arc<dyn Environment>,
    /// Runs our calls.
    pub runner: ToolRunner,
    /// Rounds of calls the agent may make before it must answer; at least 1.
    pub max_rounds: usize,
}

impl WithTools {
    /// `inner` with `tools`, and eight rounds of calls in each turn.
    pub fn new(inner: Arc<dyn Environment>, tools: ToolRegistry) -> Self {
        WithTools { inner, runner: ToolRunner::new(tools), max_rounds: MAX_ROUNDS }
    }
}

/// What is remembered of an episode.
struct Memory {
    /// Rounds in this turn of the agent.
    rounds: usize,
    /// Tools of the world inside.
    theirs: Vec<String>,
    /// The memory of a wrapper inside.
    inside: Value,
}

#[async_trait]
impl Environment for WithTools {
    async fn reset(&self, scenario: &Scenario, stream: Stream) -> Result<Opening, RolloutError> {
        let mut opening = self.inner.reset(scenario, stream).await?;
        if let Some(tool) = opening.tools.iter().find(|t| self.runner.tools.contains(&t.name)) {
            let why = format!("two tools are called {:?}: ours and one of the world", tool.name);
            return Err(RolloutError::new(Border::Environment, why));
        }
        let theirs = opening.tools.iter().map(|tool| tool.name.clone()).collect();
        let inside = opening.state.context.remove(MEMORY).unwrap_or(Value::Null);
        Memory { rounds: 0, theirs, inside }.store(&mut opening.state);
        opening.tools.extend(self.runner.tools.specs());
        Ok(opening)
    }

    fn close(&self, episode_id: &str) {
        self.inner.close(episode_id);
    }

    async fn step(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        stream: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        let mut memory = Memory::take(state)?;
        let calls = &action.message.tool_calls;
        let (theirs, ours): (Vec<ToolCall>, Vec<ToolCall>) =
            calls.iter().cloned().partition(|call| memory.theirs.contains(&call.name));
        if calls.is_empty() {
            memory.rounds = 0;
            return self.ask_inside(scenario, state, action, stream, memory).await;
        }
        memory.rounds += 1;
        if memory.rounds > self.max_rounds {
            return Ok(self.refuse(state, calls, memory));
        }
        let answers = self.runner.run(&ours).await;
        count(state, &answers);
        if theirs.is_empty() {
            memory.store(state);
            return Ok(StepOutcome { messages: answers, ..StepOutcome::default() });
        }
        let mut rest = action.clone();
        rest.message.tool_calls = theirs;
        let outcome = self.ask_inside(scenario, state, &rest, stream, memory).await?;
        if state.is_done() {
            return Ok(outcome);
        }
        Ok(StepOutcome { messages: in_order(calls, answers, outcome.messages), ..outcome })
    }
}

impl WithTools {
    async fn ask_inside(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        stream: Stream,
        mut memory: Memory,
    ) -> Result<StepOutcome, RolloutError> {
        if !memory.inside.is_null() {
            state.context.insert(MEMORY.to_owned(), std::mem::take(&mut memory.inside));
        }
        let outcome = self.inner.step(scenario, state, action, stream).await;
        memory.inside = state.context.remove(MEMORY).unwrap_or(Value::Null);
        memory.store(state);
        outcome
    }

    fn refuse(
        &self,
        state: &mut EnvironmentState,
        calls: &[ToolCall],
        memory: Memory,
    ) -> StepOutcome {
        let is_last = memory.rounds > self.max_rounds + 1;
        memory.store(state);
        if is_last {
            state.status = EpisodeStatus::Timeout;
            return StepOutcome::default();
        }
        let why = format!("{} rounds of calls were made; answer the user now", self.max_rounds);
        let messages: Vec<Message> = calls.iter().map(|call| refusal(call, &why)).collect();
        count(state, &messages);
        StepOutcome { messages, ..StepOutcome::default() }
    }
}

impl Memory {
    fn store(self, state: &mut EnvironmentState) {
        let value = json!({ "rounds": self.rounds, "theirs": self.theirs, "inside": self.inside });
        state.context.insert(MEMORY.to_owned(), value);
    }

    fn take(state: &mut EnvironmentState) -> Result<Memory, RolloutError> {
        let lost = || RolloutError::new(Border::Environment, "the state holds no memory of tools");
        let mut value = state.context.remove(MEMORY).ok_or_else(lost)?;
        let rounds = value["rounds"].as_u64().ok_or_else(lost)? as usize;
        let theirs = value["theirs"].as_array().ok_or_else(lost)?;
        let theirs = theirs.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(Memory { rounds, theirs, inside: value["inside"].take() })
    }
}

/// Adds to `tool_calls` and `tool_errors` in the state's metadata, which rewards and reports read.
fn count(state: &mut EnvironmentState, answers: &[Message]) {
    let n_errors = answers.iter().filter(|answer| answer.content.starts_with(ERROR)).count();
    for (key, n) in [("tool_calls", answers.len()), ("tool_errors", n_errors)] {
        let before = state.metadata.get(key).and_then(Value::as_u64).unwrap_or(0);
        state.metadata.insert(key.to_owned(), (before + n as u64).into());
    }
}

/// Answers in the order of their calls, then what else was said.
fn in_order(calls: &[ToolCall], ours: Vec<Message>, theirs: Vec<Message>) -> Vec<Message> {
    let place = |message: &Message| {
        let id = message.tool_call_id.as_ref();
        calls.iter().position(|call| Some(&call.id) == id).unwrap_or(calls.len())
    };
    let mut all: Vec<Message> = ours.into_iter().chain(theirs).collect();
    all.sort_by_key(place);
    all
}
