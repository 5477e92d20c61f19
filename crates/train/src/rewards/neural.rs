//! The score that a trained reward model gives a conversation, as a reward.
//!
//! The model reads the conversation up to the agent's last message and scores the state after it, as it
//! did in training. Scores are counted in deviations from the mean of its training answers
//! ([`crate::RewardScale`]), so that 0 is an answer as good as those; the range is open. It runs on an
//! engine of its own: the policy's stays free.
//!
//! # Cannot be scored
//! A conversation without a message of the agent, or one longer than the model reads.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use stateset_core::{
    Message, Origin, Reward, RewardContext, RewardResult, Role, Score, Trajectory,
};
use stateset_nn::{
    ChatFormat, SamplerSize, TokenRow, VALUE_HEAD_FILE, ValueHead, ValueHeadSpec, Wants,
    load_value_head,
};

use crate::engine::{Engine, EngineState};
use crate::model::{EngineSpec, ModelSource};
use crate::{RewardScale, TrainError};

/// A reward model that judges conversations.
pub struct NeuralReward {
    engine: Engine,
    format: ChatFormat,
    scale: RewardScale,
    context: usize,
}

impl NeuralReward {
    /// What a reward in words begins with where it names a reward model.
    pub const PREFIX: &str = "neural:";

    /// Opens the reward model in `folder`, which may be the run that trained it. An adapter's base has
    /// to be a folder or built in; nothing is downloaded.
    ///
    /// # Errors
    /// [`TrainError`] where there is no reward model.
    pub fn open(folder: &Path, threads: usize) -> Result<NeuralReward, TrainError> {
        // Waiting for an engine is not allowed on the thread of an asynchronous task.
        std::thread::scope(|scope| {
            let opened = scope.spawn(|| NeuralReward::open_here(folder, threads)).join();
            opened.unwrap_or(Err(TrainError::EngineGone))
        })
    }

    fn open_here(folder: &Path, threads: usize) -> Result<NeuralReward, TrainError> {
        let invalid =
            |message: String| TrainError::Invalid { what: "open the reward model", message };
        let home = home(folder)
            .ok_or_else(|| invalid(format!("{} holds no {VALUE_HEAD_FILE}", folder.display())))?;
        let fetch = |name: &str| -> Result<PathBuf, TrainError> {
            Err(invalid(format!("its base model {name} is not a folder on this machine")))
        };
        let name = home.to_str().ok_or_else(|| invalid("its path is not UTF-8".to_owned()))?;
        let model = ModelSource::open(name, &fetch)?;
        let format = crate::chat_format(&model, None)?;
        let context = model.files.decoder.max_positions;
        let head = load_value_head(&home, model.files.decoder.hidden_size)?;
        let spec = EngineSpec {
            threads,
            path: stateset_nn::Path::best(),
            context,
            sampler: SamplerSize { max_running: 1, max_rows: 1, cache_tokens: 16 },
            training: None,
            scorer_tokens: Some(context),
        };
        let engine = spec.start(model)?;
        engine.run_blocking(move |state| -> Result<(), TrainError> {
            let EngineState { device, decoder, scorer, .. } = state;
            let placed = ValueHead::new(device.as_mut(), decoder, ValueHeadSpec::default());
            placed.write(device.as_mut(), &head)?;
            if let Some(scorer) = scorer {
                scorer.set_value_head(device.as_mut(), placed);
            }
            Ok(())
        })??;
        Ok(NeuralReward { engine, format, scale: RewardScale::read(&home)?, context })
    }

    /// The score of a conversation up to the assistant's last message, in deviations from the mean; the
    /// reason where it has none.
    ///
    /// # Errors
    /// [`TrainError::EngineGone`] where the engine has ended.
    pub async fn score_messages(&self, messages: &[Message]) -> Result<Score, TrainError> {
        let Some(last) = messages.iter().rposition(|m| m.role == Role::Assistant) else {
            return Ok(Score::unscorable("the agent said nothing"));
        };
        let trace = match self.format.supervised(&messages[..=last], &[]) {
            Ok(trace) => trace,
            Err(error) => return Ok(Score::unscorable(format!("failed to {error}"))),
        };
        let Some(segment) = trace.segments().last() else {
            return Ok(Score::unscorable("the conversation has no tokens"));
        };
        let spans = segment.spans().iter().filter(|span| span.origin == Origin::Target);
        let Some(end) = spans.map(|span| span.end).max() else {
            return Ok(Score::unscorable("the agent's last message has no tokens"));
        };
        if end > self.context {
            let limit = self.context;
            let why = format!("it has {end} tokens and the reward model reads {limit}");
            return Ok(Score::unscorable(why));
        }
        let tokens = segment.tokens()[..end].to_vec();
        let value = self.engine.run(move |state| end_value(state, &tokens)).await??;
        let scored = |value: f32| Score::of(self.scale.apply(f64::from(value)));
        Ok(value.map_or_else(|| Score::unscorable("the model gave no value"), scored))
    }
}

#[async_trait]
impl Reward for NeuralReward {
    fn name(&self) -> &str {
        "neural"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        let messages: Vec<Message> =
            trajectory.turns.iter().map(|turn| turn.message.clone()).collect();
        let score = self.score_messages(&messages).await;
        RewardResult::single(
            score.unwrap_or_else(|error| Score::unscorable(format!("failed to {error}"))),
        )
    }
}

fn end_value(state: &mut EngineState, tokens: &[u32]) -> Result<Option<f32>, TrainError> {
    let EngineState { device, decoder, scorer, policy, .. } = state;
    let Some(scorer) = scorer else { return Ok(None) };
    let mask = vec![false; tokens.len()];
    let row = TokenRow::new(tokens, &mask).with_end();
    let scores = scorer.score(device.as_mut(), decoder, *policy, &[row], 1.0, Wants::VALUES)?;
    Ok(scores.first().and_then(|row| row.values.last().copied()))
}

/// The folder that holds the head: the one named, or the final model of a run.
fn home(folder: &Path) -> Option<PathBuf> {
    let places = [folder.to_owned(), folder.join("checkpoint")];
    places.into_iter().find(|place| place.join(VALUE_HEAD_FILE).is_file())
}
