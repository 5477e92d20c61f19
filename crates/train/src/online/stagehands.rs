//! The parts of a trainer that the configuration alone decides: its files, player, evaluator, and the
//! rule that ends it early.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::evaluation::Evaluator;
use super::order::ScenarioOrder;
use super::player::Player;
use super::run::{OnlineRun, Ready};
use super::state::TrainerState;
use super::weighing;
use crate::config::RunConfig;
use crate::rollout::{EpisodeLimits, GroupJudge, Stage};
use crate::{EarlyStopping, EventLog, MetricsFile, RunFolder, Sink, TensorBoardFile, TrainError};

/// The files of a run, then everybody else.
pub(crate) fn files(
    folder: &RunFolder,
    config_toml: &str,
    resumed_step: Option<u32>,
    others: Vec<Box<dyn Sink>>,
) -> Result<Vec<Box<dyn Sink>>, TrainError> {
    let mut sinks: Vec<Box<dyn Sink>> = vec![
        Box::new(MetricsFile::open(&folder.metrics(), resumed_step)?),
        Box::new(EventLog::open(&folder.events(), resumed_step)?),
        Box::new(TensorBoardFile::create(&folder.tensorboard(), config_toml, resumed_step)?),
    ];
    sinks.extend(others);
    Ok(sinks)
}

/// What the settings say that may not be meant.
pub(super) fn setting_warnings(run: &OnlineRun) -> Vec<String> {
    let idle = weighing::is_idle(run).then(|| weighing::NOT_WEIGHED.to_owned());
    run.resolved.warnings.iter().map(ToString::to_string).chain(idle).collect()
}

/// Patience counts evaluations; the setting counts steps.
pub(super) fn early_stopping(config: &RunConfig, state: &TrainerState) -> Option<EarlyStopping> {
    let settings = config.early_stopping?;
    let patience = settings.n_evaluations(&config.evaluation);
    let mut rule = EarlyStopping::new(patience, settings.min_delta);
    rule.state = state.early_stopping;
    Some(rule)
}

/// Who plays the rollouts of the run.
pub(super) fn player(run: &OnlineRun, ready: &Ready) -> Player {
    let config = &run.resolved.config;
    let rollout = &config.rollout;
    let stage = Stage {
        agent: Arc::new(run.with_calls(ready.agent.clone(), ready.policy.as_ref())),
        environment: run.cast.environment.clone(),
        reward: run.cast.reward.clone(),
        limits: EpisodeLimits {
            max_turns: run.cast.max_turns,
            turn_timeout: rollout.turn_timeout,
            reward_timeout: rollout.reward_timeout,
        },
        sampling: Some(rollout.sampling.clone()),
        seed: config.seed,
        concurrency: rollout.concurrency,
    };
    let judge = run.cast.group_reward.clone().map(|reward| GroupJudge {
        reward,
        timeout: rollout.reward_timeout,
        concurrency: rollout.concurrency,
        seed: config.seed,
    });
    Player {
        stage,
        judge,
        has_warned: AtomicBool::new(false),
        scenarios: run.cast.training.clone(),
        order: ScenarioOrder {
            seed: config.seed,
            n_scenarios: run.cast.training.len(),
            shuffles: config.environment.shuffles_scenarios,
        },
        n_groups: config.steps.prompts_per_step,
        n_samples: config.steps.group_size,
        refill_rounds: config.algorithm.rollouts.refill_rounds,
        folder: run.folder.clone(),
        run: run.resolved.values.fingerprint(),
    }
}

/// Who plays the held-out scenarios.
pub(super) fn evaluator(run: &OnlineRun, ready: &Ready) -> Evaluator {
    let config = &run.resolved.config;
    let evaluation = &config.evaluation;
    let stage = Stage {
        agent: Arc::new(run.with_calls(ready.agent.clone(), ready.policy.as_ref())),
        environment: run.cast.evaluation_environment.clone(),
        reward: run.cast.reward.clone(),
        limits: EpisodeLimits {
            max_turns: run.cast.evaluation_max_turns,
            turn_timeout: config.rollout.turn_timeout,
            reward_timeout: config.rollout.reward_timeout,
        },
        sampling: Some(evaluation.sampling.clone()),
        seed: evaluation.seed,
        concurrency: evaluation.concurrency,
    };
    Evaluator {
        stage,
        scenarios: run.cast.evaluation.clone(),
        n_samples: evaluation.samples_per_scenario,
        folder: run.folder.clone(),
    }
}
