//! Worlds of one's own that misbehave: whatever one does, it ends its own rollout and no other.
//!
//! 1. A world that errs, hangs or panics, at the opening or at a turn, ends that rollout with an error
//!    that says where and why; it has no reward. What was said until then is kept, but for a panic.
//! 2. Every other rollout is as it would be without it, those of the same group too.
//! 3. A world that never ends is ended at the greatest number of turns.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use stateset_core::{
    Border, ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Opening,
    Purpose, RolloutError, RunSeed, Scenario, StepOutcome, Stream, StreamKey, Trajectory,
};
use stateset_env::rewards::reward_fn;
use stateset_train::{EpisodeLimits, GroupPlan, MultiTurnAgent, Stage, StubPolicy, play_groups};

const SEED: RunSeed = RunSeed(5);
const N_MODES: usize = 8;

/// How an episode goes, drawn by the episode's own stream.
fn mode(mut stream: Stream) -> usize {
    stream.index(N_MODES)
}

/// Misbehaves in every way there is, or not at all where it is tame.
struct Wild {
    is_tame: bool,
}

#[async_trait]
impl Environment for Wild {
    async fn reset(&self, scenario: &Scenario, stream: Stream) -> Result<Opening, RolloutError> {
        let mode = mode(stream);
        match mode {
            _ if self.is_tame => {}
            0 => return Err(RolloutError::new(Border::Environment, "closed today")),
            1 => std::future::pending().await,
            2 => panic!("the opening fell apart"),
            _ => {}
        }
        let mut state = EnvironmentState::new(&scenario.id);
        state.context.insert("mode".into(), mode.into());
        Ok(Opening { state, messages: vec![Message::user("Hello")], tools: Vec::new() })
    }

    async fn step(
        &self,
        _: &Scenario,
        state: &mut EnvironmentState,
        _: &ConversationTurn,
        _: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        state.turn_count += 1;
        let mode = state.context["mode"].as_u64().unwrap_or_default();
        match mode {
            _ if self.is_tame || state.turn_count == 1 => {}
            3 => return Err(RolloutError::new(Border::Environment, "closing time")),
            4 => std::future::pending().await,
            5 => panic!("the turn fell apart"),
            6 => {
                return Ok(StepOutcome {
                    messages: vec![Message::user("On!")],
                    ..StepOutcome::default()
                });
            }
            _ => {}
        }
        if state.turn_count == 2 {
            state.status = EpisodeStatus::Completed;
        }
        Ok(StepOutcome {
            messages: vec![Message::user("And then?")],
            reward: Some(0.5),
            ..StepOutcome::default()
        })
    }
}

async fn played(is_tame: bool) -> Vec<Trajectory> {
    let stage = Stage {
        agent: Arc::new(MultiTurnAgent::new(Arc::new(StubPolicy::new(vec![
            "One moment.".to_owned(),
        ])))),
        environment: Arc::new(Wild { is_tame }),
        reward: Arc::new(reward_fn("turns", |t: &Trajectory, _| {
            t.assistant_texts().count() as f64
        })),
        limits: EpisodeLimits {
            max_turns: 5,
            turn_timeout: Duration::from_millis(200),
            reward_timeout: Duration::from_secs(60),
        },
        sampling: None,
        seed: SEED,
        concurrency: 64,
    };
    let plan = |index: u32| GroupPlan {
        scenario: Arc::new(Scenario::new(format!("s-{index}"))),
        index,
        n_samples: 8,
    };
    let plans: Vec<GroupPlan> = (0..4).map(plan).collect();
    let finished = |_: &Trajectory| Ok::<(), String>(());
    let groups = play_groups(&stage, 1, &plans, Vec::new(), finished).await.unwrap();
    groups.into_iter().flat_map(|group| group.trajectories).collect()
}

/// What the world drew for this rollout.
fn drawn(trajectory: &Trajectory) -> usize {
    let id = trajectory.id;
    let key = StreamKey { step: id.step, scenario: id.scenario, sample: id.sample, turn: 0 };
    mode(SEED.stream(Purpose::Environment, key))
}

fn texts(trajectory: &Trajectory) -> Vec<String> {
    trajectory.turns.iter().map(|turn| turn.message.content.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_that_misbehaves_ends_its_own_rollout_only() {
    let (wild, tame) = (played(false).await, played(true).await);
    assert_eq!((wild.len(), tame.len()), (32, 32));
    let modes: BTreeSet<usize> = wild.iter().map(drawn).collect();
    assert_eq!(modes.len(), N_MODES, "every case is among them");
    for (found, calm) in wild.iter().zip(&tame) {
        assert_eq!(found.id, calm.id);
        let error = found.error.as_ref().map(|error| error.message.as_str());
        let (expected, n_turns) = match drawn(found) {
            0 => (Some("closed today"), 0),
            1 => (Some("no answer within 0.2 s"), 0),
            2 => (Some("the opening fell apart"), 0),
            3 => (Some("closing time"), 2),
            4 => (Some("no answer within 0.2 s"), 2),
            5 => (Some("the turn fell apart"), 0),
            6 => (None, 5),
            _ => (None, 2),
        };
        assert!(error.zip(expected).is_none_or(|(a, b)| a.contains(b)), "{error:?} {expected:?}");
        assert_eq!(error.is_some(), expected.is_some(), "{error:?} {expected:?}");
        assert_eq!(found.assistant_texts().count(), n_turns, "{found:?}");
        assert_eq!(found.reward(), expected.is_none().then_some(n_turns as f64));
        if drawn(found) == 7 {
            assert_eq!(texts(found), texts(calm));
            assert_eq!((&found.reward, &found.final_state), (&calm.reward, &calm.final_state));
        }
    }
}
