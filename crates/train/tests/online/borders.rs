//! What fails at a border ends one episode, and a run only where nothing is left of it.

use std::sync::Arc;

use async_trait::async_trait;
use stateset_core::{
    ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Opening, Reward,
    RewardContext, RewardResult, RolloutError, Scenario, Score, StepOutcome, Stream, Trajectory,
};
use stateset_train::{RunFolder, RunLock, read_metrics};
use tokio::sync::{mpsc, oneshot};

use crate::data::test_data;
use crate::support::{run, run_of, stub_run};

/// Hangs for the first sample of a group, panics for the second, and judges the rest.
struct Moody;

#[async_trait]
impl Reward for Moody {
    fn name(&self) -> &str {
        "moody"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        match trajectory.id.sample {
            0 => std::future::pending().await,
            1 => panic!("a reward that panics"),
            sample => RewardResult::single(Score::of(f64::from(sample % 2))),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reward_that_hangs_or_panics_ends_its_episode_only() {
    let temp = tempfile::tempdir().unwrap();
    let changes = [("training.reward_timeout_secs", "0.05"), ("training.eval_before", "false")];
    let Some(mut run) = run(temp.path(), &changes) else { return };
    run.cast.reward = Arc::new(Moody);
    let trained = run.train().await.unwrap();
    assert_eq!(trained.summary.n_steps, 3);
    let rows = read_metrics(&RunFolder::new(temp.path().join("run")).metrics()).unwrap();
    assert!(rows.iter().all(|row| row.metrics["rollout/failed_share"] == 0.5));
}

/// Fails always.
struct Broken;

#[async_trait]
impl Environment for Broken {
    async fn reset(&self, _: &Scenario, _: Stream) -> Result<Opening, RolloutError> {
        Err(RolloutError::new(stateset_core::Border::Environment, "the desk is closed"))
    }

    async fn step(
        &self,
        _: &Scenario,
        _: &mut EnvironmentState,
        _: &ConversationTurn,
        _: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        unreachable!("no episode is opened")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_without_a_usable_rollout_ends_with_the_reason() {
    let temp = tempfile::tempdir().unwrap();
    let Some(mut run) = run(temp.path(), &[]) else { return };
    run.cast.environment = Arc::new(Broken);
    let error = run.train().await.err().unwrap().to_string();
    assert!(error.contains("3 updates in a row") && error.contains("desk is closed"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_not_a_number_ends_the_run_with_the_reason() {
    let temp = tempfile::tempdir().unwrap();
    let Some(stories) = test_data("tinystories-656k") else { return };
    let model = temp.path().join("model");
    std::fs::create_dir(&model).unwrap();
    for entry in std::fs::read_dir(stories).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), model.join(entry.file_name())).unwrap();
    }
    let weights = model.join("model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let end = bytes.len();
    // Not a number as f32, and twice so as bf16.
    bytes[end - 4..].copy_from_slice(&0x7fc0_7fc0_u32.to_le_bytes());
    std::fs::write(&weights, bytes).unwrap();
    let run = run_of(&model, temp.path(), &[]).unwrap();
    let error = run.train().await.err().unwrap().to_string();
    assert!(error.contains("3 updates in a row") && error.contains("NaN"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_that_explode_end_the_run_with_the_reason() {
    let temp = tempfile::tempdir().unwrap();
    let changes = [("training.learning_rate", "1"), ("training.max_steps", "20")];
    let Some(run) = run(temp.path(), &changes) else { return };
    // A rate of 1 ruins the model at once; whether numbers stay finite is up to the model, so both ends
    // are allowed, and neither may be a panic.
    match run.train().await {
        Ok(trained) => assert_eq!(trained.summary.n_steps, 20),
        Err(error) => assert!(error.to_string().contains("updates in a row"), "{error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_does_not_fit_is_named_before_anything_is_written() {
    let temp = tempfile::tempdir().unwrap();
    let Some(run) = run(temp.path(), &[("training.max_prompt_length", "3")]) else { return };
    let error = run.train().await.err().unwrap().to_string();
    assert!(error.contains("prompt-1") && error.contains("3 tokens"), "{error}");
    assert!(!temp.path().join("run").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_in_use_is_left_alone() {
    let temp = tempfile::tempdir().unwrap();
    let folder = RunFolder::new(temp.path().join("run"));
    folder.create().unwrap();
    let _lock = RunLock::acquire(&folder).unwrap();
    let error = stub_run(temp.path(), &[]).train().await.err().unwrap().to_string();
    assert!(error.contains("process"), "{error}");
    assert!(!folder.config().exists());
}

/// A world at the other end of a channel, as one behind a network would be.
struct Remote(mpsc::UnboundedSender<(String, oneshot::Sender<String>)>);

impl Remote {
    async fn ask(&self, said: &str) -> Result<String, RolloutError> {
        let failed = |_| RolloutError::new(stateset_core::Border::Environment, "nobody is there");
        let (answer, heard) = oneshot::channel();
        self.0.send((said.to_owned(), answer)).map_err(|error| failed(error.to_string()))?;
        heard.await.map_err(|error| failed(error.to_string()))
    }
}

#[async_trait]
impl Environment for Remote {
    async fn reset(&self, scenario: &Scenario, _: Stream) -> Result<Opening, RolloutError> {
        let message = Message::user(self.ask("").await?);
        Ok(Opening {
            state: EnvironmentState::new(&scenario.id),
            messages: vec![message],
            tools: Vec::new(),
        })
    }

    async fn step(
        &self,
        _: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        _: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        state.turn_count += 1;
        let answer = self.ask(&action.message.content).await?;
        if state.turn_count == 2 {
            state.status = EpisodeStatus::Completed;
            return Ok(StepOutcome::default());
        }
        Ok(StepOutcome { messages: vec![Message::user(answer)], ..StepOutcome::default() })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_behind_a_channel_plays_like_any_other() {
    let temp = tempfile::tempdir().unwrap();
    let Some(mut run) = run(temp.path(), &[("training.max_prompt_length", "64")]) else { return };
    let (questions, mut asked) = mpsc::unbounded_channel::<(String, oneshot::Sender<String>)>();
    let world = tokio::spawn(async move {
        let mut n_asked = 0;
        while let Some((said, answer)) = asked.recv().await {
            n_asked += 1;
            let _ = answer.send(format!("You said {} letters.", said.len()));
        }
        n_asked
    });
    let remote: Arc<dyn Environment> = Arc::new(Remote(questions));
    run.cast.environment = remote.clone();
    run.cast.evaluation_environment = remote;
    run.cast.is_prompts = false;
    run.cast.max_turns = 4;
    run.cast.evaluation_max_turns = 4;
    let trained = run.train().await.unwrap();
    assert!(trained.is_complete);
    assert_eq!(
        trained.after.as_ref().map(|after| (after.n_failed, after.mean_turns)),
        Some((0, 2.0))
    );
    drop(trained);
    // Three messages of each of 24 rollouts and four held-out conversations, and one more opening for
    // each scenario in the check of lengths.
    assert!(world.await.unwrap() >= 3 * (24 + 4));
}
