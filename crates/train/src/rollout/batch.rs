//! Many episodes at once: groups of samples of the same scenario, in any order of finishing.
//!
//! Episodes run as tasks of their own, so one that hangs or panics takes no other with it. Results
//! come back sorted by their address; nothing depends on which finished first.

use std::collections::HashMap;
use std::sync::Arc;

use stateset_core::{
    Agent, Border, Environment, Reward, RolloutError, RunSeed, Sampling, Scenario, Trajectory,
    TrajectoryGroup, TrajectoryId,
};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinSet};

use super::episode::{EpisodeLimits, Players, play};

/// Everything episodes have in common.
#[derive(Clone)]
pub struct Stage {
    /// Takes the assistant's turns.
    pub agent: Arc<dyn Agent>,
    /// The world.
    pub environment: Arc<dyn Environment>,
    /// Judges.
    pub reward: Arc<dyn Reward>,
    /// Limits of each episode.
    pub limits: EpisodeLimits,
    /// Replaces the agent's sampling settings where present.
    pub sampling: Option<Sampling>,
    /// The run's randomness.
    pub seed: RunSeed,
    /// Episodes that run at the same time.
    pub concurrency: usize,
}

/// One group to play: a scenario and its place in the batch.
#[derive(Clone, Debug)]
pub struct GroupPlan {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// Index of the group inside the batch.
    pub index: u32,
    /// Samples to play.
    pub n_samples: usize,
}

/// Plays every sample of every group that `known` does not hold already. `finished` sees each new
/// trajectory as soon as it is done, in the order of finishing.
///
/// # Errors
/// What `finished` returns; the rest of the batch is dropped then.
pub async fn play_groups<E>(
    stage: &Stage,
    step: u32,
    groups: &[GroupPlan],
    known: Vec<Trajectory>,
    mut finished: impl FnMut(&Trajectory) -> Result<(), E>,
) -> Result<Vec<TrajectoryGroup>, E> {
    let mut done = known;
    let places = Arc::new(Semaphore::new(stage.concurrency.max(1)));
    let mut tasks = JoinSet::new();
    let mut names = HashMap::new();
    for group in groups {
        for sample in 0..group.n_samples as u16 {
            let id = TrajectoryId { step, scenario: group.index, sample };
            if done.iter().any(|trajectory| trajectory.id == id) {
                continue;
            }
            let task = play_in_turn(stage.clone(), group.scenario.clone(), id, places.clone());
            names.insert(tasks.spawn(task).id(), (id, group.scenario.id.clone()));
        }
    }
    while let Some(result) = tasks.join_next().await {
        let trajectory = match result {
            Ok(trajectory) => trajectory,
            Err(error) => {
                let Some((id, scenario_id)) = names.remove(&error.id()) else { continue };
                panicked(id, scenario_id, &error)
            }
        };
        finished(&trajectory)?;
        done.push(trajectory);
    }
    Ok(into_groups(groups, done))
}

async fn play_in_turn(
    stage: Stage,
    scenario: Arc<Scenario>,
    id: TrajectoryId,
    places: Arc<Semaphore>,
) -> Trajectory {
    // The semaphore is never closed; without a place the episode would still be right.
    let _place = places.acquire().await;
    let players = Players {
        agent: stage.agent.as_ref(),
        environment: stage.environment.as_ref(),
        reward: stage.reward.as_ref(),
    };
    play(players, &scenario, id, stage.seed, stage.sampling.as_ref(), &stage.limits).await
}

fn panicked(id: TrajectoryId, scenario_id: String, error: &JoinError) -> Trajectory {
    let message = format!("the episode panicked: {error}");
    Trajectory {
        id,
        scenario_id,
        error: Some(RolloutError::new(Border::Environment, message)),
        ..Trajectory::default()
    }
}

fn into_groups(groups: &[GroupPlan], mut done: Vec<Trajectory>) -> Vec<TrajectoryGroup> {
    done.sort_by_key(|trajectory| trajectory.id);
    let group = |plan: &GroupPlan| TrajectoryGroup {
        scenario_id: plan.scenario.id.clone(),
        trajectories: done.iter().filter(|t| t.id.scenario == plan.index).cloned().collect(),
    };
    groups.iter().map(group).collect()
}
