//! A program as the environment of an episode: what it sends to the model is what the user says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as Locked, PoisonError};

use async_trait::async_trait;
use serde_json::json;
use stateset_core::{
    Border, Completion, ConversationTurn, Environment, EnvironmentState, EpisodeStatus,
    FinishReason, Message, Opening, RolloutError, Scenario, StepOutcome, Stream,
};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::address::Address;
use super::players::{Elsewhere, Player, Players};
use super::program::Ending;
use super::reward::{PROGRAM_REWARD, Verdict};
use super::said::{Next, next};
use super::session::{Call, Session};
use super::sessions::Sessions;
use super::world::World;

/// Plays episodes by a program for each, which is started here or takes the sample from elsewhere.
///
/// The program's calls of the model are the agent's turns. Its process is no part of the state, so that an
/// episode that is cut short cannot be gone on with: it is played again.
pub struct HarnessEnvironment {
    players: Players,
    sessions: Sessions,
    /// The environment that programs may ask for the user's words.
    inner: Arc<dyn Environment>,
    live: Locked<HashMap<String, Arc<Live>>>,
}

/// What an open episode holds beside its state.
struct Live {
    session: Arc<Session>,
    address: Address,
    player: Player,
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
    /// Programs of `players` call a server that knows `sessions`; `inner` plays their user, where they ask.
    pub(super) fn new(
        players: Players,
        sessions: Sessions,
        inner: Arc<dyn Environment>,
    ) -> HarnessEnvironment {
        HarnessEnvironment { players, sessions, inner, live: Locked::default() }
    }

    /// Samples that programs elsewhere take from a server that knows `sessions`; `inner` plays their user,
    /// where they ask.
    pub(crate) fn elsewhere(
        elsewhere: Elsewhere,
        sessions: Sessions,
        inner: Arc<dyn Environment>,
    ) -> HarnessEnvironment {
        HarnessEnvironment::new(Players::Elsewhere(elsewhere), sessions, inner)
    }

    fn start(&self, scenario: &Scenario, stream: Stream) -> Result<Arc<Live>, RolloutError> {
        let (sample, key) = (secret(8)?, format!("sk-harness-{}", secret(16)?));
        let address = Address::new(self.players.run(), &scenario.id, sample);
        let world = World::new(self.inner.clone(), scenario.clone(), stream);
        let (session, calls) = Session::new(key, Some(world), self.players.offer(scenario));
        let session = Arc::new(session);
        self.sessions.open(address.clone(), session.clone());
        let player = self.players.begin(&address, session.clone(), scenario);
        let player = player.inspect_err(|_| self.sessions.close(&address))?;
        let talk = Mutex::new(Talk { calls, answer: None, said: Vec::new() });
        let live = Arc::new(Live { session, address, player, talk });
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
        loop {
            tokio::select! {
                biased;
                Some(call) = talk.calls.recv() => {
                    // Nobody waits for an answer to what a client gave up, or sends again.
                    if !call.answer.is_closed() {
                        return Event::Called(call);
                    }
                }
                ending = self.player.ended() => return Event::Ended(ending),
            }
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

/// `n` random bytes as text.
fn secret(n: usize) -> Result<String, RolloutError> {
    let mut bytes = vec![0; n];
    getrandom::fill(&mut bytes).map_err(failed)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(super) fn failed(what: impl std::fmt::Display) -> RolloutError {
    RolloutError::new(Border::Environment, what)
}
