//! Memory, compression and plans in rollouts of the embedded model.
//!
//! Pinned here:
//!
//! 1. Without surroundings a conversation is one segment, and nothing is noted.
//! 2. Where a history is cut or a plan changes, a new segment begins, and the trajectory's metadata says of each
//!    segment at which turn and why.
//! 3. Every token was drawn in the context that its segment holds: scored again, its log-prob has the same bits.
//! 4. Segments, reasons and notes survive the disk.
//! 5. A summary by a model is asked for once for each cut.
//! 6. A conversation with pictures is refused with the turn, and the episode alone ends.

#![allow(clippy::unwrap_used, reason = "a model that cannot be opened ends the test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use stateset_core::{
    Completion, ConversationTurn, Environment, EnvironmentState, EpisodeStatus, FinishReason,
    GenerateRequest, ImageContent, Message, Opening, Origin, PLAN_UPDATE, Policy, PolicyError,
    Reward, RewardContext, RewardResult, RolloutError, RunSeed, Sampling, Scenario, Score,
    StepOutcome, Stream, Trajectory, TrajectoryId, TrajectoryRecord,
};
use stateset_env::agents::Surroundings;
use stateset_env::agents::compression::{CompressionConfig, CompressionStrategy};
use stateset_env::agents::context::PolicySummary;
use stateset_env::agents::memory::{ConversationMemory, MemoryConfig};
use stateset_env::agents::planning::{PlanningConfig, PlanningManager};
use stateset_nn::{SamplerSize, TokenRow, Wants};
use stateset_train::{
    AGENT_NOTES, Engine, EngineSpec, EpisodeLimits, LocalPolicy, ModelSource, MultiTurnAgent,
    Players, RESTARTED, chat_format, play,
};

const CONTEXT: usize = 384;
const LINES: [&str; 5] = [
    "Hello, my name is Anna.",
    "My order is ORD-4417.",
    "It has not arrived yet.",
    "Can you check it?",
    "Thank you.",
];

/// A user who says the lines in order, and a world that advances the plan after the second answer.
struct Lines {
    has_picture: bool,
}

#[async_trait]
impl Environment for Lines {
    async fn reset(&self, scenario: &Scenario, _: Stream) -> Result<Opening, RolloutError> {
        let state = EnvironmentState::new(&scenario.id);
        Ok(Opening { state, messages: vec![Message::user(LINES[0])], tools: Vec::new() })
    }

    async fn step(
        &self,
        _: &Scenario,
        state: &mut EnvironmentState,
        _: &ConversationTurn,
        _: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        state.turn_count += 1;
        let Some(line) = LINES.get(state.turn_count) else {
            state.status = EpisodeStatus::Completed;
            return Ok(StepOutcome::default());
        };
        if state.turn_count == 2 {
            state.context.insert(PLAN_UPDATE.to_owned(), json!({"action": "advance"}));
        }
        let mut message = Message::user(*line);
        if self.has_picture {
            message.images.push(ImageContent::new("https://shop.example/a.png"));
        }
        Ok(StepOutcome { messages: vec![message], ..StepOutcome::default() })
    }
}

struct Nothing;

#[async_trait]
impl Reward for Nothing {
    fn name(&self) -> &str {
        "nothing"
    }

    async fn score(&self, _: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        RewardResult::single(Score::of(0.0))
    }
}

fn policy() -> (Engine, LocalPolicy) {
    let fetch = |name: &str| panic!("nothing is to be downloaded, and {name} was asked for");
    let source = ModelSource::open("builtin:tiny", &fetch).unwrap();
    let format = chat_format(&source, None).unwrap();
    let spec = EngineSpec {
        threads: 1,
        path: stateset_nn::Path::best(),
        context: CONTEXT,
        sampler: SamplerSize { max_running: 2, max_rows: CONTEXT, cache_tokens: 2 * CONTEXT },
        training: None,
        scorer_tokens: Some(CONTEXT),
    };
    let engine = spec.start(source).unwrap();
    (engine.clone(), LocalPolicy::new(engine, format))
}

async fn played(
    policy: Arc<dyn Policy>,
    surroundings: Surroundings,
    has_picture: bool,
) -> Trajectory {
    let agent = MultiTurnAgent {
        system_prompt: Some("Be kind.".into()),
        surroundings,
        sampling: Sampling { max_new_tokens: 8, ..Sampling::default() },
        ..MultiTurnAgent::new(policy)
    };
    let players = Players { agent: &agent, environment: &Lines { has_picture }, reward: &Nothing };
    let limits = EpisodeLimits {
        max_turns: 10,
        turn_timeout: Duration::from_secs(60),
        reward_timeout: Duration::from_secs(60),
    };
    let mut scenario = Scenario::new("lines");
    scenario.metadata.insert("plan_goal".into(), "Find the order, then tell its state".into());
    let id = TrajectoryId { step: 0, scenario: 0, sample: 0 };
    play(players, &scenario, id, RunSeed(7), None, &limits).await
}

/// Scores every segment anew and compares the bits of each sampled log-prob.
async fn assert_exact(engine: &Engine, trajectory: &Trajectory) {
    let mut n_compared = 0;
    for segment in trajectory.trace.segments() {
        let (tokens, mask) = (segment.tokens().to_vec(), segment.mask(Origin::Sampled));
        let known: Vec<u32> = segment
            .logprobs()
            .iter()
            .zip(&mask)
            .filter(|(_, is_sampled)| **is_sampled)
            .map(|(logprob, _)| logprob.to_bits())
            .collect();
        let again = engine
            .run(move |state| {
                let rows = [TokenRow::new(&tokens, &mask)];
                let scorer = state.scorer.as_mut().unwrap();
                let device = state.device.as_mut();
                let wants = Wants::default();
                scorer.score(device, &state.decoder, state.policy, &rows, 1.0, wants).unwrap()
            })
            .await
            .unwrap();
        let again: Vec<u32> = again[0].logprobs.iter().map(|logprob| logprob.to_bits()).collect();
        assert_eq!(known, again);
        n_compared += known.len();
    }
    assert_eq!(n_compared, trajectory.trace.count(Origin::Sampled));
    assert!(n_compared > 0);
}

/// The reasons, each with its segment and turn.
fn reasons(trajectory: &Trajectory) -> Vec<(u64, u64, String)> {
    let reasons = trajectory.metadata.get(RESTARTED).and_then(|note| note.as_array());
    let reason = |note: &serde_json::Value| {
        let number = |key: &str| note[key].as_u64().unwrap();
        (number("segment"), number("turn"), note["why"].as_str().unwrap().to_owned())
    };
    reasons.into_iter().flatten().map(reason).collect()
}

fn assert_one_reason_for_each_segment(trajectory: &Trajectory, why: &str) {
    let reasons = reasons(trajectory);
    assert_eq!(reasons.len() + 1, trajectory.trace.segments().len());
    for (index, (segment, _, reason)) in reasons.iter().enumerate() {
        assert_eq!(*segment, index as u64 + 1);
        assert!(reason.contains(why), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_conversation_is_one_segment() {
    let (engine, policy) = policy();
    let trajectory = played(Arc::new(policy), Surroundings::default(), false).await;
    assert_eq!(trajectory.error, None);
    assert_eq!(trajectory.trace.segments().len(), 1, "{:?}", reasons(&trajectory));
    assert!(trajectory.metadata.is_empty(), "{:?}", trajectory.metadata);
    assert_exact(&engine, &trajectory).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_begin_segments_and_say_why() {
    let (engine, policy) = policy();
    let policy = Arc::new(policy);
    let memory = MemoryConfig { max_short_term_turns: 4, ..MemoryConfig::default() };
    let compression =
        CompressionConfig { strategy: CompressionStrategy::Summary, ratio: 0.5, max_tokens: 80 };
    let cases = [
        (
            Surroundings { memory_window: Some(3), ..Surroundings::default() },
            "the memory window moved on",
        ),
        (
            Surroundings {
                memory: Some(ConversationMemory::new(memory).unwrap()),
                ..Surroundings::default()
            },
            "",
        ),
        (
            Surroundings { compression: Some(compression), ..Surroundings::default() },
            "the context was compressed",
        ),
    ];
    for (surroundings, why) in cases {
        let trajectory = played(policy.clone(), surroundings, false).await;
        assert_eq!(trajectory.error, None);
        assert!(trajectory.trace.segments().len() > 1, "{why}");
        assert_one_reason_for_each_segment(&trajectory, why);
        assert!(trajectory.metadata.contains_key(AGENT_NOTES));
        assert_exact(&engine, &trajectory).await;
        let json = serde_json::to_string(&TrajectoryRecord::from(&trajectory)).unwrap();
        let record: TrajectoryRecord = serde_json::from_str(&json).unwrap();
        assert_eq!(Trajectory::try_from(record).unwrap(), trajectory);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_changes_begins_a_segment_once() {
    let (engine, policy) = policy();
    let config = PlanningConfig { enabled: true, ..PlanningConfig::default() };
    let surroundings =
        Surroundings { planning: PlanningManager::new(config), ..Surroundings::default() };
    let trajectory = played(Arc::new(policy), surroundings, false).await;
    assert_eq!(trajectory.error, None);
    let reasons = reasons(&trajectory);
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert_eq!((reasons[0].0, reasons[0].1), (1, 2));
    assert!(reasons[0].2.contains("the plan changed"), "{reasons:?}");
    let plan = &trajectory.metadata[AGENT_NOTES]["plan"];
    assert_eq!(plan["plan"]["steps"][1]["status"], "in_progress");
    assert!(plan["shown"].as_str().unwrap().contains("1. [x] Find the order"));
    assert_exact(&engine, &trajectory).await;
}

/// Counts how often it is asked.
struct Summarises(AtomicUsize);

#[async_trait]
impl Policy for Summarises {
    async fn generate(&self, _: GenerateRequest) -> Result<Completion, PolicyError> {
        let n = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let message = Message::assistant(format!("Summary {n}."));
        Ok(Completion { message, sampled: None, finish: FinishReason::Stop })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_summarises_once_for_each_cut() {
    let (engine, policy) = policy();
    let summarises = Arc::new(Summarises(AtomicUsize::new(0)));
    let memory = MemoryConfig {
        max_short_term_turns: 4,
        summary_threshold: 2,
        retrieval_top_k: 0,
        enable_fact_extraction: false,
        enable_entity_extraction: false,
        ..MemoryConfig::default()
    };
    let surroundings = Surroundings {
        memory: Some(ConversationMemory::new(memory).unwrap()),
        summary: Some(PolicySummary::new(summarises.clone())),
        ..Surroundings::default()
    };
    let trajectory = played(Arc::new(policy), surroundings, false).await;
    assert_eq!(trajectory.error, None);
    let n_asked = summarises.0.load(Ordering::Relaxed);
    assert_eq!(n_asked, reasons(&trajectory).len(), "{:?}", reasons(&trajectory));
    assert!(n_asked > 0);
    let note = &trajectory.metadata[AGENT_NOTES]["summary"]["text"];
    assert_eq!(*note, format!("Summary {n_asked}."));
    assert_one_reason_for_each_segment(&trajectory, "the memory let go");
    assert_exact(&engine, &trajectory).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_refused_by_a_model_that_reads_text() {
    let (_engine, policy) = policy();
    let trajectory = played(Arc::new(policy), Surroundings::default(), true).await;
    let error = trajectory.error.unwrap().message;
    assert!(error.contains("turn 3") && error.contains("reads text only"), "{error}");
    assert_eq!(trajectory.turns.last().unwrap().message.images.len(), 1);
}
