//! Numbers of a step's rollouts that no loss knows of.

use std::collections::BTreeMap;

use serde_json::Value;
use stateset_core::{Trajectory, TrajectoryGroup};

use crate::events::goal_reached;
use crate::metric;
use crate::rollout::{JUDGED, RESTARTED};

/// Numbers by name; what nothing is known of is left out.
pub(super) fn of_rollouts<'a>(
    groups: impl Iterator<Item = &'a TrajectoryGroup>,
) -> BTreeMap<String, f64> {
    let groups: Vec<&TrajectoryGroup> = groups.collect();
    let all: Vec<&Trajectory> = groups.iter().flat_map(|group| &group.trajectories).collect();
    let mut metrics = BTreeMap::new();
    let mut put = |name: &str, values: Vec<f64>| {
        if !values.is_empty() {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            metrics.insert(name.to_owned(), mean);
        }
    };
    put(metric::TURNS_MEAN, all.iter().map(|t| t.assistant_texts().count() as f64).collect());
    put("rollout/goal_share", all.iter().filter_map(|t| goal_reached(t)).collect());
    let failed = |t: &&Trajectory| f64::from(u8::from(t.error.is_some()));
    put("rollout/failed_share", all.iter().map(failed).collect());
    put("rollout/restarts", all.iter().map(|t| restarts(t)).collect());
    let secs = |t: &&Trajectory| t.wall_secs;
    put("rollout/episode_secs", all.iter().map(secs).collect());
    let mut components: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for component in all.iter().filter_map(|t| t.reward.as_ref()).flat_map(|r| &r.components) {
        if let Some(value) = component.score.value() {
            components.entry(&component.name).or_default().push(value);
        }
    }
    for (name, values) in components {
        put(&format!("component/{name}"), values);
    }
    for (name, values) in judging(&groups) {
        put(&name, values);
    }
    metrics
}

/// How often the agent read a history anew that did not go on with the tokens before it.
fn restarts(trajectory: &Trajectory) -> f64 {
    let reasons = trajectory.metadata.get(RESTARTED).and_then(Value::as_array);
    reasons.map_or(0.0, |reasons| reasons.len() as f64)
}

/// How judging went, by name: a number for each group that was judged.
fn judging(groups: &[&TrajectoryGroup]) -> BTreeMap<String, Vec<f64>> {
    let mut figures: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for group in groups {
        let noted = group.trajectories.iter().find_map(|t| t.metadata.get(JUDGED)?.as_object());
        for (name, value) in noted.into_iter().flatten() {
            if let Some(value) = value.as_f64() {
                figures.entry(name.clone()).or_default().push(value);
            }
        }
    }
    figures
}
