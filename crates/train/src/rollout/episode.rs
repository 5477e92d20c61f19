//! One episode from its opening to its judgement.
//!
//! Whatever fails inside ends this episode only and is written on its trajectory: a model, tool,
//! environment or reward that errs, hangs beyond its limit, or panics.

use std::future::Future;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use stateset_core::{
    Agent, AgentReply, AgentRequest, Border, Completion, ConversationTurn, Environment,
    EnvironmentState, GivenTokens, Message, PLAN_GOAL, PLAN_UPDATE, Purpose, Reward, RewardContext,
    RewardResult, RolloutError, RunSeed, SampledTokens, Sampling, Scenario, Score, StreamKey,
    TokenTrace, ToolSpec, Trajectory, TrajectoryId,
};

/// Key of a trajectory's metadata: for each segment but the first, its index, the turn at which it began, and why.
pub const RESTARTED: &str = "restarted";
/// Key of a trajectory's metadata: what the agent wrote down at its last turn, where it did.
pub const AGENT_NOTES: &str = "agent_notes";

/// Limits of one episode.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeLimits {
    /// Turns of the agent beyond which an episode is cut off, whatever its environment says.
    pub max_turns: usize,
    /// Time one step of the environment may take.
    pub turn_timeout: Duration,
    /// Time the reward may take.
    pub reward_timeout: Duration,
}

/// Who plays.
#[derive(Clone, Copy)]
pub struct Players<'a> {
    /// Takes the assistant's turns.
    pub agent: &'a dyn Agent,
    /// The world.
    pub environment: &'a dyn Environment,
    /// Judges.
    pub reward: &'a dyn Reward,
}

/// Plays one episode. All its randomness comes from `seed` and `id`.
pub async fn play(
    players: Players<'_>,
    scenario: &Scenario,
    id: TrajectoryId,
    seed: RunSeed,
    sampling: Option<&Sampling>,
    limits: &EpisodeLimits,
) -> Trajectory {
    let start = Instant::now();
    let mut trajectory =
        Trajectory { id, scenario_id: scenario.id.clone(), ..Trajectory::default() };
    let key = StreamKey { step: id.step, scenario: id.scenario, sample: id.sample, turn: 0 };
    let episode = Episode { players, scenario, key, seed, sampling, limits };
    if let Err(error) = episode.converse(&mut trajectory).await {
        trajectory.error = Some(error);
    }
    if trajectory.error.is_none() {
        match episode.judge(&trajectory).await {
            Ok(result) => trajectory.reward = Some(result),
            Err(error) => {
                trajectory.reward = Some(RewardResult::single(Score::unscorable(&error.message)));
                trajectory.error = Some(error);
            }
        }
    }
    trajectory.wall_secs = start.elapsed().as_secs_f64();
    trajectory
}

struct Episode<'a> {
    players: Players<'a>,
    scenario: &'a Scenario,
    key: StreamKey,
    seed: RunSeed,
    sampling: Option<&'a Sampling>,
    limits: &'a EpisodeLimits,
}

impl Episode<'_> {
    async fn converse(&self, trajectory: &mut Trajectory) -> Result<(), RolloutError> {
        let stream = self.seed.stream(Purpose::Environment, self.key);
        let reset = self.players.environment.reset(self.scenario, stream);
        let opening = self.in_time(Border::Environment, self.limits.turn_timeout, reset).await??;
        let mut state = opening.state;
        let _closing = Closing::of(self.players.environment, &state);
        let mut messages = opening.messages;
        trajectory.turns.extend(messages.iter().cloned().map(ConversationTurn::new));
        let mut notes = Map::new();
        let mut turn = 0;
        while !state.is_done() && turn < self.limits.max_turns {
            let context = self.context(&mut state);
            let said = (&messages[..], &opening.tools[..]);
            let reply = self.ask(said, &trajectory.trace, context, notes, turn).await?;
            let completion = reply.completion;
            notes = reply.notes;
            let mut action = ConversationTurn::new(completion.message.clone());
            action.finish = Some(completion.finish);
            record_tokens(trajectory, &mut action, &completion, turn)?;
            // Turn 0 of the environment's streams is the opening.
            let stream = self.seed.stream(Purpose::Environment, self.key.at_turn(turn + 1));
            let step = self.players.environment.step(self.scenario, &mut state, &action, stream);
            let outcome = self.in_time(Border::Environment, self.limits.turn_timeout, step).await;
            action.reward = outcome.as_ref().ok().and_then(|o| o.as_ref().ok()?.reward);
            messages.push(action.message.clone());
            trajectory.turns.push(action);
            let outcome = outcome??;
            match outcome.history {
                Some(history) => messages = history,
                None => messages.extend(outcome.messages.iter().cloned()),
            }
            trajectory.turns.extend(outcome.messages.into_iter().map(ConversationTurn::new));
            turn += 1;
        }
        if !notes.is_empty() {
            trajectory.metadata.insert(AGENT_NOTES.to_owned(), notes.into());
        }
        trajectory.final_state = Some(state);
        Ok(())
    }

    /// What the agent is told beside what is said. Of the world's own memory it hears nothing but this, and a change
    /// of its plan only once.
    fn context(&self, state: &mut EnvironmentState) -> Map<String, Value> {
        let mut context = Map::new();
        let goal = state.context.get(PLAN_GOAL).or_else(|| self.scenario.metadata.get(PLAN_GOAL));
        if let Some(goal) = goal {
            context.insert(PLAN_GOAL.to_owned(), goal.clone());
        }
        if let Some(update) = state.context.remove(PLAN_UPDATE) {
            context.insert(PLAN_UPDATE.to_owned(), update);
        }
        context
    }

    async fn ask(
        &self,
        (messages, tools): (&[Message], &[ToolSpec]),
        trace: &TokenTrace,
        context: Map<String, Value>,
        notes: Map<String, Value>,
        turn: usize,
    ) -> Result<AgentReply, RolloutError> {
        let request = AgentRequest {
            messages: messages.to_vec(),
            system_prompt: self.scenario.system_prompt.clone(),
            tools: tools.to_vec(),
            trace: trace.clone(),
            sampling: self.sampling.cloned(),
            stream: self.seed.stream(Purpose::Sampling, self.key.at_turn(turn)),
            context,
            notes,
        };
        self.players.agent.reply(request).await
    }

    async fn judge(&self, trajectory: &Trajectory) -> Result<RewardResult, RolloutError> {
        let context = RewardContext { scenario: self.scenario };
        let score = self.players.reward.score(trajectory, context);
        self.in_time(Border::Reward, self.limits.reward_timeout, score).await
    }

    async fn in_time<T>(
        &self,
        border: Border,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, RolloutError> {
        tokio::time::timeout(limit, work).await.map_err(|_| {
            let secs = limit.as_secs_f64();
            RolloutError::new(border, format!("no answer within {secs} s"))
        })
    }
}

/// Tells the environment that an episode will not be stepped again, however it ends.
struct Closing<'a> {
    environment: &'a dyn Environment,
    episode_id: String,
}

impl<'a> Closing<'a> {
    fn of(environment: &'a dyn Environment, state: &EnvironmentState) -> Closing<'a> {
        Closing { environment, episode_id: state.episode_id.clone() }
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.environment.close(&self.episode_id);
    }
}

/// Appends what the policy read and drew to the trace, and notes where a new row had to begin.
fn record_tokens(
    trajectory: &mut Trajectory,
    action: &mut ConversationTurn,
    completion: &Completion,
    turn: usize,
) -> Result<(), RolloutError> {
    let Some(sampled) = &completion.sampled else { return Ok(()) };
    action.n_tokens = sampled.tokens.len();
    if let Some(why) = append_tokens(&mut trajectory.trace, sampled)? {
        let segment = trajectory.trace.segments().len() - 1;
        let reason = json!({"segment": segment, "turn": turn, "why": why});
        match trajectory.metadata.get_mut(RESTARTED).and_then(Value::as_array_mut) {
            Some(reasons) => reasons.push(reason),
            None => {
                trajectory.metadata.insert(RESTARTED.to_owned(), json!([reason]));
            }
        }
    }
    Ok(())
}

/// Appends what a policy read and drew; why a new row had to begin, where one had.
///
/// # Errors
/// [`RolloutError`] where a log-prob is none.
pub(crate) fn append_tokens(
    trace: &mut TokenTrace,
    sampled: &SampledTokens,
) -> Result<Option<String>, RolloutError> {
    let mut restarted = None;
    match &sampled.given {
        GivenTokens::Continue(tokens) => trace.append_given(tokens),
        GivenTokens::Restart { tokens, why } => {
            if trace.current().is_some() {
                trace.start_segment();
                restarted = Some(why.clone());
            }
            trace.append_given(tokens);
        }
    }
    trace
        .append_sampled(&sampled.tokens, &sampled.logprobs, sampled.version)
        .map_err(|error| RolloutError::new(Border::Model, error))?;
    Ok(restarted)
}
