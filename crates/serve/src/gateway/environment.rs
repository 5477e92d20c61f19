//! A program as the environment of an episode: what it sends to the model is what the user says.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex as Locked, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};
use stateset_core::{
    Border, Completion, ConversationTurn, Environment, EnvironmentState, EpisodeStatus,
    FinishReason, Message, MessageRecord, Opening, RolloutError, Scenario, StepOutcome, Stream,
};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::Harness;
use super::program::{Ending, Program};
use super::reward::{PROGRAM_REWARD, Verdict};
use super::said::{Next, next};
use super::session::{Call, Session};
use super::sessions::{Address, Sessions};
use super::world::World;

/// Plays episodes by starting a program for each.
///
/// The program's calls of the model are the agent's turns. Its process is no part of the state, so that an
/// episode that is cut short cannot be gone on with: it is played again.
pub struct HarnessEnvironment {
    harness: Harness,
    server: SocketAddr,
    sessions: Sessions,
    /// The environment that programs may ask for the user's words.
    inner: Arc<dyn Environment>,
    live: Locked<HashMap<String, Arc<Live>>>,
}

/// What an open episode holds beside its state.
struct Live {
    session: Arc<Session>,
    address: Address,
    program: Program,
    talk: Mutex<Talk>,
}

/// The conversation as the agent knows it.
struct Talk {
    calls: mpsc::Receiver<Call>,
    /// Where the next answer of the model goes.
    answer: Option<oneshot::Sender<Completion>>,
    said: Vec<Message>,
}

/// What a program does next.
enum Event {
    Called(Call),
    Ended(Ending),
}

impl HarnessEnvironment {
    /// Programs of `harness` call the server at `server`; `inner` plays their user, where they ask.
    pub(super) fn new(
        harness: Harness,
        server: SocketAddr,
        sessions: Sessions,
        inner: Arc<dyn Environment>,
    ) -> HarnessEnvironment {
        HarnessEnvironment { harness, server, sessions, inner, live: Locked::default() }
    }

    fn start(&self, scenario: &Scenario, stream: Stream) -> Result<Arc<Live>, RolloutError> {
        let (sample, key) = (secret(8)?, format!("sk-harness-{}", secret(16)?));
        let address =
            Address { run: self.harness.run.clone(), scenario: place(&scenario.id), sample };
        let world = World::new(self.inner.clone(), scenario.clone(), stream);
        let (session, calls) = Session::new(key.clone(), Some(world));
        let session = Arc::new(session);
        let base = format!(
            "http://{}/gateway/{}/{}/{}",
            self.server, address.run, address.scenario, address.sample
        );
        let variables = [
            ("OPENAI_BASE_URL", format!("{base}/v1")),
            ("OPENAI_API_KEY", key.clone()),
            ("ANTHROPIC_BASE_URL", base.clone()),
            ("ANTHROPIC_API_KEY", key.clone()),
            ("STATESET_GATEWAY_URL", base),
            ("STATESET_GATEWAY_KEY", key),
            ("STATESET_SCENARIO_ID", scenario.id.clone()),
            ("STATESET_SCENARIO", told(scenario).to_string()),
        ];
        self.sessions.open(address.clone(), session.clone());
        let program = Program::start(&self.harness, &variables).map_err(|error| {
            self.sessions.close(&address);
            failed(format!("start the program {:?}: {error}", self.harness.command))
        })?;
        let talk = Mutex::new(Talk { calls, answer: None, said: Vec::new() });
        let live = Arc::new(Live { session, address, program, talk });
        let name = live.address.sample.clone();
        self.lives().insert(name, live.clone());
        Ok(live)
    }

    fn lives(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, state: &EnvironmentState) -> Result<Arc<Live>, RolloutError> {
        let found = self.lives().get(&state.episode_id).cloned();
        found.ok_or_else(|| failed("its program is not running any more"))
    }
}

/// Closes an episode whose opening is given up.
struct Opened<'a> {
    environment: &'a HarnessEnvironment,
    name: Option<String>,
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            self.environment.close(name);
        }
    }
}

#[async_trait]
impl Environment for HarnessEnvironment {
    async fn reset(&self, scenario: &Scenario, stream: Stream) -> Result<Opening, RolloutError> {
        let live = self.start(scenario, stream)?;
        let name = live.address.sample.clone();
        let mut opened = Opened { environment: self, name: Some(name.clone()) };
        let mut talk = live.talk.lock().await;
        let call = match live.next(&mut talk).await {
            Event::Called(call) => call,
            Event::Ended(ending) => {
                let why = ending.failure.unwrap_or_else(|| "it ended".to_owned());
                return Err(failed(format!("the program never called the model: {why}")));
            }
        };
        talk.answer = Some(call.answer);
        talk.said = call.messages.clone();
        opened.name = None;
        let state = EnvironmentState::new(name);
        Ok(Opening { state, messages: call.messages, tools: call.tools })
    }

    async fn step(
        &self,
        _scenario: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        stream: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        let live = self.find(state)?;
        let mut talk = live.talk.lock().await;
        state.turn_count += 1;
        if let Some(world) = &live.session.world {
            world.answered(action, stream).await;
        }
        let answer = talk.answer.take().ok_or_else(|| failed("nobody waits for an answer"))?;
        let finish = action.finish.unwrap_or(FinishReason::Stop);
        let message = action.message.clone();
        talk.said.push(message.clone());
        // A program that does not wait for the answer is heard of by its next call or its end.
        let _ = answer.send(Completion { message, sampled: None, finish });
        match live.next(&mut talk).await {
            Event::Called(call) => {
                talk.answer = Some(call.answer);
                Ok(talk.take_call(call.messages))
            }
            Event::Ended(ending) => live.end(&talk, state, ending).await,
        }
    }

    fn close(&self, episode_id: &str) {
        if let Some(live) = self.lives().remove(episode_id) {
            self.sessions.close(&live.address);
        }
    }
}

impl Live {
    async fn next(&self, talk: &mut Talk) -> Event {
        tokio::select! {
            biased;
            Some(call) = talk.calls.recv() => Event::Called(call),
            ending = self.program.ended() => Event::Ended(ending),
        }
    }

    /// The program is done: its verdict and what the world came to go into the state.
    async fn end(
        &self,
        talk: &Talk,
        state: &mut EnvironmentState,
        ending: Ending,
    ) -> Result<StepOutcome, RolloutError> {
        if let Some(failure) = ending.failure {
            return Err(failed(format!("the program failed: {failure}")));
        }
        let mut messages = Vec::new();
        if let Some(world) = &self.session.world
            && let Some((last, said)) = world.end().await
        {
            *state = last;
            // Words that the program heard and had no reason to repeat.
            messages = said.into_iter().filter(|message| !talk.said.contains(message)).collect();
        }
        if !state.is_done() {
            state.status = EpisodeStatus::Completed;
        }
        let verdict = self.session.verdict().or_else(|| Verdict::of_output(&ending.stdout));
        if let Some(verdict) = verdict {
            state.metadata.insert(PROGRAM_REWARD.to_owned(), json!(verdict));
        }
        Ok(StepOutcome { messages, ..StepOutcome::default() })
    }
}

impl Talk {
    fn take_call(&mut self, called: Vec<Message>) -> StepOutcome {
        match next(&self.said, called) {
            Next::Follows(messages) => {
                self.said.extend(messages.iter().cloned());
                StepOutcome { messages, ..StepOutcome::default() }
            }
            Next::Rewritten(history) => {
                self.said.clone_from(&history);
                let messages = history.last().cloned().into_iter().collect();
                StepOutcome { messages, history: Some(history), ..StepOutcome::default() }
            }
        }
    }
}

/// What a program is told of its scenario.
fn told(scenario: &Scenario) -> Value {
    let messages: Vec<MessageRecord> = scenario.messages.iter().map(MessageRecord::from).collect();
    json!({
        "id": scenario.id, "topic": scenario.topic, "context": scenario.context,
        "system_prompt": scenario.system_prompt, "user_responses": scenario.user_responses,
        "messages": messages, "expected": scenario.expected, "customer": scenario.customer,
        "metadata": scenario.metadata,
    })
}

/// A scenario's id as a part of an address.
fn place(id: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let text: String = id.chars().take(100).map(plain).collect();
    if text.is_empty() { "_".to_owned() } else { text }
}

/// `n` random bytes as text.
fn secret(n: usize) -> Result<String, RolloutError> {
    let mut bytes = vec![0; n];
    getrandom::fill(&mut bytes).map_err(failed)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn failed(what: impl std::fmt::Display) -> RolloutError {
    RolloutError::new(Border::Environment, what)
}
