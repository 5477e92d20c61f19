//! What the agent of a run does before it is trained: the episodes from which a profile is chosen.
//!
//! They are those of step 0, which no run trains on, and nothing of them is written. The engine is one
//! that only samples, so that the run itself, whose settings depend on what is found here, can have the
//! memory afterwards.

use std::sync::Arc;

use stateset_algo::{BaselineEpisode, BaselineRun};
use stateset_core::Trajectory;

use super::player::plans;
use super::run::OnlineRun;
use crate::TrainError;
use crate::model::EngineSpec;
use crate::policy::{LocalPolicy, StubPolicy};
use crate::rollout::{EpisodeLimits, Stage, play_groups};

/// How much is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaselineSize {
    /// Scenarios, spread evenly over those that are trained on; 1 or more.
    pub n_scenarios: usize,
    /// Samples of each, 1 or more. Several show whether there is anything to compare.
    pub n_samples: usize,
}

impl Default for BaselineSize {
    fn default() -> Self {
        BaselineSize { n_scenarios: 5, n_samples: 4 }
    }
}

/// Plays the first agent of `run`, which is used up by it; its folder is left as it is.
///
/// # Errors
/// [`TrainError`] where the model cannot be run.
pub async fn play_baseline(
    mut run: OnlineRun,
    size: BaselineSize,
) -> Result<BaselineRun, TrainError> {
    run.cast.check_complete()?;
    let check = run.check();
    check.await?;
    let local = match run.engine_spec() {
        Some(spec) => Some(sampling_policy(&mut run, spec)?),
        None => None,
    };
    let config = run.config();
    let agent = match &local {
        Some(policy) => run.agent(Arc::new(policy.clone()), Some(policy.format())),
        None => {
            let policy = StubPolicy::new(config.agent.stub_responses.clone());
            run.agent(Arc::new(policy), None)
        }
    };
    let stage = Stage {
        agent: Arc::new(run.with_calls(agent, local.as_ref())),
        environment: run.cast.environment.clone(),
        reward: run.cast.reward.clone(),
        limits: EpisodeLimits {
            max_turns: run.cast.max_turns,
            turn_timeout: config.rollout.turn_timeout,
            reward_timeout: config.rollout.reward_timeout,
        },
        sampling: Some(config.rollout.sampling.clone()),
        seed: config.seed,
        concurrency: config.rollout.concurrency,
    };
    let chosen = spread(run.cast.training.len(), size.n_scenarios);
    let groups = plans(&run.cast.training, &chosen, size.n_samples.max(1));
    let played = play_groups(&stage, 0, &groups, Vec::new(), |_| Ok::<(), TrainError>(())).await?;
    let episodes = |group: &stateset_core::TrajectoryGroup| {
        group.trajectories.iter().map(episode).collect::<Vec<_>>()
    };
    Ok(BaselineRun {
        groups: played.iter().map(episodes).collect(),
        max_completion_tokens: Some(config.rollout.sampling.max_new_tokens),
    })
}

/// The run's model, to sample from only.
fn sampling_policy(run: &mut OnlineRun, spec: EngineSpec) -> Result<LocalPolicy, TrainError> {
    let Some(model) = &run.model else { return Err(TrainError::EngineGone) };
    let format = run.format(model)?;
    let Some(model) = run.model.take() else { return Err(TrainError::EngineGone) };
    let engine = EngineSpec { training: None, ..spec }.start(model)?;
    Ok(LocalPolicy::new(engine, format))
}

/// `n` of `of` indices, evenly spread; all where there are no more.
fn spread(of: usize, n: usize) -> Vec<usize> {
    let n = n.clamp(1, of.max(1));
    (0..n.min(of)).map(|i| i * of / n).collect()
}

fn episode(trajectory: &Trajectory) -> BaselineEpisode {
    BaselineEpisode {
        reward: trajectory.reward().filter(|reward| reward.is_finite()),
        turn_rewards: trajectory.turns.iter().filter_map(|turn| turn.reward).collect(),
        n_tokens: trajectory.turns.iter().map(|turn| turn.n_tokens).sum(),
        is_truncated: trajectory.is_truncated(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_evenly_spread() {
        assert_eq!(spread(10, 5), [0, 2, 4, 6, 8]);
        assert_eq!(spread(3, 5), [0, 1, 2]);
        assert_eq!(spread(7, 0), [0]);
        assert!(spread(0, 5).is_empty());
    }
}
