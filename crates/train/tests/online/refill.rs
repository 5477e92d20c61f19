//! Groups without any difference in reward, and what long replies cost.
//!
//! 1. Such groups are replaced by groups of other scenarios, in at most so many rounds; the step learns
//!    from what it has then and says so.
//! 2. A step without any live group is left out, which does not end the run.
//! 3. A run with refills comes out the same, stopped and gone on with or not.
//! 4. The punishment of a long reply is a part of the reward that is learned from.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use stateset_algo::SoftOverlong;
use stateset_core::{Reward, RewardContext, RewardResult, Score, Trajectory};
use stateset_train::{MetricsRow, OnlineRun, RunFolder, TrainedRun, read_metrics};

use crate::support::{StopAfter, run};

/// Tells the samples of these scenarios apart, and those of no others.
struct Telling(&'static [&'static str]);

#[async_trait]
impl Reward for Telling {
    fn name(&self) -> &str {
        "telling"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        let tells = self.0.contains(&trajectory.scenario_id.as_str());
        let differs = tells && trajectory.id.sample.is_multiple_of(2);
        RewardResult::single(Score::of(if differs { 1.0 } else { 0.5 }))
    }
}

fn refilled(
    output: &Path,
    refill_rounds: usize,
    live: &'static [&'static str],
    changes: &[(&str, &str)],
) -> Option<OnlineRun> {
    let mut run = run(output, changes)?;
    run.resolved.config.algorithm.rollouts.refill_rounds = refill_rounds;
    run.cast.reward = Arc::new(Telling(live));
    Some(run)
}

fn rows(run: &TrainedRun) -> Vec<MetricsRow> {
    read_metrics(&run.folder.metrics()).unwrap()
}

fn events(folder: &RunFolder) -> String {
    std::fs::read_to_string(folder.events()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_groups_are_replaced() {
    let temp = tempfile::tempdir().unwrap();
    let Some(run) = refilled(temp.path(), 2, &["prompt-3", "prompt-4"], &[]) else { return };
    let trained = run.train().await.unwrap();
    let rows = rows(&trained);
    let sum = |name: &str| rows.iter().map(|row| row.metrics[name]).sum::<f64>();
    // Four scenarios, of which two are dead, and two groups a step.
    assert!(sum("sampling/dropped_groups") >= 2.0);
    assert!(sum("sampling/refill_rounds") >= 1.0);
    assert_eq!(trained.summary.n_episodes as f64, 4.0 * (6.0 + sum("sampling/dropped_groups")));
    for row in rows {
        let dropped = row.metrics["sampling/dropped_groups"];
        // Half the samples of a live group are worth 1, all others 0.5.
        assert_eq!(row.metrics["reward/mean"], 0.75);
        let all = (2.0 * 0.75 + dropped * 0.5) / (2.0 + dropped);
        assert!((row.metrics["sampling/reward_mean"] - all).abs() < 1e-12);
    }
    assert!(!events(&trained.folder).contains("learns from"));
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_live_groups_are_learned_from_and_told() {
    let temp = tempfile::tempdir().unwrap();
    let Some(run) = refilled(temp.path(), 1, &["prompt-2"], &[]) else { return };
    let trained = run.train().await.unwrap();
    assert_eq!(trained.summary.n_steps, 3);
    // The step plays two of the four scenarios and its refill the others, so each step meets the live one.
    let found = rows(&trained).iter().filter(|row| row.metrics["reward/mean"] == 0.75).count();
    assert_eq!(found, 3);
    assert_eq!(events(&trained.folder).matches("learns from 1 of 2 groups").count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_of_dead_groups_is_left_out_and_the_run_goes_on() {
    let temp = tempfile::tempdir().unwrap();
    let changes = [("training.max_steps", "4")];
    let Some(run) = refilled(temp.path(), 1, &[], &changes) else { return };
    let trained = run.train().await.unwrap();
    assert!(trained.is_complete);
    assert_eq!((trained.summary.n_steps, trained.summary.n_trained_tokens), (4, 0));
    assert!(rows(&trained).iter().all(|row| row.metrics["sampling/dropped_groups"] == 4.0));
    assert_eq!(events(&trained.folder).matches("was left out because").count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_refills_dead_groups_stay() {
    let temp = tempfile::tempdir().unwrap();
    let Some(run) = refilled(temp.path(), 0, &[], &[]) else { return };
    let trained = run.train().await.unwrap();
    assert_eq!(trained.summary.n_episodes, 24);
    assert!(trained.summary.n_trained_tokens > 0);
    assert!(rows(&trained).iter().all(|row| !row.metrics.contains_key("sampling/refill_rounds")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_with_refills_goes_on_to_the_same_end() {
    let temp = tempfile::tempdir().unwrap();
    const LIVE: &[&str] = &["prompt-1", "prompt-4"];
    for staleness in [0, 1] {
        let make = |name: &str, changes: &[(&str, &str)]| {
            let place = temp.path().join(format!("{name}-{staleness}"));
            let mut run = refilled(&place, 2, LIVE, changes)?;
            run.resolved.config.algorithm.rollouts.staleness = staleness;
            Some((run, place.join("run")))
        };
        let Some((whole, _)) = make("whole", &[]) else { return };
        let whole = whole.train().await.unwrap();
        let (mut stopped, folder) = make("stopped", &[]).unwrap();
        let stop = stopped.stop.clone();
        stopped.callbacks.push(Box::new(StopAfter(1, stop)));
        stopped.train().await.unwrap();
        let resume = ("training.resume_from_checkpoint", folder.to_str().unwrap());
        let (resumed, _) = make("stopped", &[resume]).unwrap();
        let resumed = resumed.train().await.unwrap();
        assert_eq!(resumed.summary.model_sha256, whole.summary.model_sha256);
        assert_eq!(resumed.summary.n_episodes, whole.summary.n_episodes);
        assert_eq!(resumed.summary.n_sampled_tokens, whole.summary.n_sampled_tokens);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn long_replies_cost_a_part_of_the_reward() {
    let temp = tempfile::tempdir().unwrap();
    let overlong = SoftOverlong { max_tokens: 12, cache_tokens: 12, ..SoftOverlong::default() };
    let mut first_steps = Vec::new();
    for (name, rule) in [("plain", None), ("punished", Some(overlong))] {
        let Some(mut run) = run(&temp.path().join(name), &[]) else { return };
        run.resolved.config.algorithm.rollouts.overlong = rule;
        first_steps.push(rows(&run.train().await.unwrap()).remove(0).metrics);
    }
    // The first steps are sampled alike.
    let cost = first_steps[1]["reward/overlong_punishment"];
    assert!((-1.0..0.0).contains(&cost), "{cost}");
    let lost = first_steps[1]["reward/mean"] - first_steps[0]["reward/mean"];
    assert!((lost - cost).abs() < 1e-12, "{lost} is not {cost}");
    assert!(!first_steps[0].contains_key("reward/overlong_punishment"));
}
