//! The environment that plays any simulator of commerce.
//!
//! The scenario's metadata holds what is true, under `commerce`; the state's context holds what has
//! happened, under the same key as JSON text (a tree of values would take longer to build than the rest of
//! a turn), and its metadata the figures, under `kpis`. Rewards for single turns
//! are not given: the figures of the last state are the judgement.
//!
//! A reader may ask why a turn with calls and text sends no text: models put their thoughts beside
//! their calls, and customers should not read them.

use std::marker::PhantomData;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stateset_core::{
    Border, ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Opening,
    RolloutError, Scenario, StepOutcome, Stream, ToolCall,
};

use super::effort::Effort;
use super::simulator::{Scene, Simulator};
use super::verb::{find, short};

/// Where truth and memory are.
pub(super) const COMMERCE: &str = "commerce";

/// Calls of one turn that are answered; those beyond are mistakes.
const MAX_CALLS: usize = 8;

/// Plays the scenarios of one world.
pub(super) struct CommerceEnvironment<S> {
    /// Most turns of the agent.
    pub(super) max_turns: usize,
    /// Whose.
    pub(super) world: PhantomData<S>,
}

/// What is remembered between turns.
#[derive(Serialize, Deserialize)]
struct Memory<T> {
    effort: Effort,
    world: T,
}

#[async_trait]
impl<S: Simulator> Environment for CommerceEnvironment<S> {
    async fn reset(&self, scenario: &Scenario, _: Stream) -> Result<Opening, RolloutError> {
        let spec = read_spec::<S>(scenario)?;
        if let Some(fault) = S::fault(&spec) {
            return Err(failed(scenario, fault));
        }
        let memory = Memory { effort: Effort::default(), world: S::open(&spec) };
        let mut messages = scenario.messages.clone();
        messages.push(Message::user(S::opening(&spec, &memory.world)));
        let mut state = EnvironmentState::new(&scenario.id);
        state.context.insert("scenario_id".to_owned(), json!(scenario.id));
        state.context.insert("conversation_topic".to_owned(), json!(scenario.topic));
        store::<S>(scenario, &spec, &memory, &mut state)?;
        let tools = S::VERBS.iter().map(|verb| verb.spec()).collect();
        Ok(Opening { state, messages, tools })
    }

    async fn step(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        mut stream: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        if state.is_done() {
            return Err(failed(scenario, "the episode is over already"));
        }
        let spec = read_spec::<S>(scenario)?;
        let memory = state.context.get(COMMERCE).and_then(Value::as_str);
        let memory = memory.ok_or_else(|| failed(scenario, "the state has no memory of it"))?;
        let mut memory: Memory<S::State> = serde_json::from_str(memory)
            .map_err(|error| failed(scenario, format!("the state's memory: {error}")))?;
        state.turn_count += 1;
        let mut messages = answers::<S>(&spec, &mut memory, &action.message, &mut stream);
        store::<S>(scenario, &spec, &memory, state)?;
        if S::is_over(&spec, &memory.world) {
            state.status = EpisodeStatus::Completed;
            messages.retain(|message| message.tool_call_id.is_some());
        } else if state.turn_count >= self.max_turns {
            state.status = EpisodeStatus::Timeout;
        }
        Ok(StepOutcome { messages, ..StepOutcome::default() })
    }
}

/// What comes back for one message of the agent.
fn answers<S: Simulator>(
    spec: &S::Spec,
    memory: &mut Memory<S::State>,
    message: &Message,
    stream: &mut Stream,
) -> Vec<Message> {
    let Memory { effort, world } = memory;
    S::begin_turn(&mut Scene { spec, state: world, effort, stream });
    if message.tool_calls.is_empty() {
        effort.message();
        let mut scene = Scene::<S> { spec, state: world, effort, stream };
        let mut text = S::say(&mut scene, &message.content);
        if let Some(news) = S::news(&mut scene) {
            text = format!("{text}\n{news}");
        }
        return vec![Message::user(text)];
    }
    let mut messages = Vec::with_capacity(message.tool_calls.len() + 1);
    for (index, call) in message.tool_calls.iter().enumerate() {
        let answer = if index >= MAX_CALLS {
            Err(format!("more than {MAX_CALLS} calls in one turn; this one was not made"))
        } else if let Some((_, why)) = call.as_malformed() {
            Err(format!("the call cannot be read: {why}"))
        } else if S::is_over(spec, world) {
            Err("everything is decided already".to_owned())
        } else {
            answer::<S>(&mut Scene { spec, state: world, effort: &*effort, stream }, call)
        };
        let text = match answer {
            Ok((minutes, text)) => {
                effort.call(minutes);
                text
            }
            Err(fault) => {
                effort.mistake();
                format!("error: {fault}")
            }
        };
        messages.push(Message::tool_result(call, text));
    }
    let mut scene = Scene::<S> { spec, state: world, effort, stream };
    messages.extend(S::news(&mut scene).map(Message::user));
    messages
}

/// The minutes that a call takes, and its answer; or what is wrong with it.
fn answer<S: Simulator>(
    scene: &mut Scene<'_, S>,
    call: &ToolCall,
) -> Result<(f64, String), String> {
    let verb = find(S::VERBS, &call.name)?;
    let args = verb.check(&call.arguments).map_err(|fault| format!("{}: {fault}", verb.name))?;
    Ok((verb.minutes, S::call(scene, verb, args)?))
}

fn read_spec<S: Simulator>(scenario: &Scenario) -> Result<S::Spec, RolloutError> {
    let name = S::PROFILE.name;
    let Some(value) = scenario.metadata.get(COMMERCE) else {
        return Err(failed(scenario, format!("its metadata has no {COMMERCE:?} for {name}")));
    };
    S::Spec::deserialize(value)
        .map_err(|error| failed(scenario, format!("metadata.{COMMERCE} is not of {name}: {error}")))
}

fn store<S: Simulator>(
    scenario: &Scenario,
    spec: &S::Spec,
    memory: &Memory<S::State>,
    state: &mut EnvironmentState,
) -> Result<(), RolloutError> {
    let text = serde_json::to_string(memory).map_err(|error| failed(scenario, error))?;
    state.context.insert(COMMERCE.to_owned(), Value::String(text));
    S::readings(spec, &memory.world, &memory.effort).write(&mut state.metadata);
    Ok(())
}

fn failed(scenario: &Scenario, why: impl std::fmt::Display) -> RolloutError {
    let id = short(&scenario.id);
    RolloutError::new(Border::Environment, format!("scenario {id:?}: {why}"))
}
