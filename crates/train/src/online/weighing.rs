//! Rewards whose weights change from step to step.
//!
//! What a step played is weighed once it is all there and before anything is learned from it, in the
//! order of its groups, so that neither concurrency nor an interruption has a say. The journal keeps
//! what the reward said with its first weights; a step that is played again from it is weighed again.
//! Whether a group is dead is asked before, of the first weights too.

use std::collections::BTreeMap;

use stateset_core::{RewardResult, Weighing};

use super::player::Played;
use super::run::OnlineRun;
use super::state::TrainerState;
use crate::TrainError;

/// Said where a judge of groups takes the place of the reward.
pub(super) const NOT_WEIGHED: &str =
    "the reward's weights stay as they are, because a judge of groups decides what is trained on";

/// What weighs the batches of a run, as far as `state` has come; `None` where weights do not change.
pub(super) fn open(
    run: &OnlineRun,
    state: &TrainerState,
) -> Result<Option<Box<dyn Weighing>>, TrainError> {
    let Some(mut weighing) = run.cast.reward.weighing().filter(|_| !is_judged(run)) else {
        return Ok(None);
    };
    if let Some(state) = &state.weighing {
        weighing.restore(state).map_err(|message| TrainError::Invalid {
            what: "go on with the weights of the reward",
            message,
        })?;
    }
    Ok(Some(weighing))
}

/// True where weights would change if nobody judged groups.
pub(super) fn is_idle(run: &OnlineRun) -> bool {
    is_judged(run) && run.cast.reward.weighing().is_some()
}

fn is_judged(run: &OnlineRun) -> bool {
    run.cast.group_reward.is_some()
}

/// Weighs a step; the weights that it is weighed with become `weight/..` among its numbers.
pub(super) fn settle(
    weighing: &mut dyn Weighing,
    played: &mut Played,
    metrics: &mut BTreeMap<String, f64>,
) {
    for (name, weight) in weighing.weights() {
        metrics.insert(format!("weight/{name}"), weight);
    }
    let all = played.groups.iter_mut().chain(&mut played.dropped);
    let all = all.flat_map(|group| &mut group.trajectories);
    // What failed has no reward, whatever else it says.
    let scored = all.filter(|trajectory| trajectory.error.is_none());
    let mut results: Vec<&mut RewardResult> =
        scored.filter_map(|trajectory| trajectory.reward.as_mut()).collect();
    weighing.settle(&mut results);
}
