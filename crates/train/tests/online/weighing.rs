//! Rewards whose weights change in training.
//!
//! 1. The first step has the first weights, and what lags behind weighs more in the next one.
//! 2. What a step is worth follows from its weights.
//! 3. Neither concurrency, nor staleness, nor an interruption changes what comes out.
//! 4. Evaluations keep the first weights.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use stateset_core::Trajectory;
use stateset_env::rewards::{Adaptation, AdaptiveReward, Rule, WeightedReward, reward_fn};
use stateset_train::{OnlineRun, RunFolder, TrainedRun, read_metrics};

use crate::support::{StopAfter, run, stub_run};

/// How often a letter is said, up to so many times.
fn says(letter: char, at_most: usize) -> WeightedReward {
    let judge = move |trajectory: &Trajectory, _: stateset_core::RewardContext<'_>| {
        let said = trajectory.assistant_texts().flat_map(str::chars);
        let n = said.filter(|c| *c == letter).count();
        n.min(at_most) as f64 / at_most as f64
    };
    WeightedReward::new(1.0, reward_fn(format!("says_{letter}"), judge))
}

fn adaptive(mut run: OnlineRun) -> OnlineRun {
    let adaptation = Adaptation::new(Rule::Lagging);
    let reward = AdaptiveReward::new([says('e', 10), says('o', 40)], adaptation).unwrap();
    run.cast.reward = Arc::new(reward);
    run
}

async fn trained(output: &Path, changes: &[(&str, &str)]) -> Option<TrainedRun> {
    Some(adaptive(run(output, changes)?).train().await.expect("it ends well"))
}

fn metrics(output: &Path) -> Vec<BTreeMap<String, f64>> {
    let rows = read_metrics(&RunFolder::new(output.join("run")).metrics()).unwrap();
    rows.into_iter().map(|row| row.metrics).filter(|m| m.contains_key("weight/says_o")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_worth_what_its_weights_say() {
    let temp = tempfile::tempdir().unwrap();
    if trained(temp.path(), &[("training.eval_before", "false")]).await.is_none() {
        return;
    }
    let rows = metrics(temp.path());
    assert_eq!(rows.len(), 3);
    assert_eq!((rows[0]["weight/says_e"], rows[0]["weight/says_o"]), (0.5, 0.5));
    assert!(rows[0]["component/says_o"] < rows[0]["component/says_e"]);
    assert!(rows[1]["weight/says_o"] > 0.5, "{:?}", rows[1]);
    for row in &rows {
        let weighed =
            |name: &str| row[&format!("weight/{name}")] * row[&format!("component/{name}")];
        let expected = weighed("says_e") + weighed("says_o");
        assert!((row["reward/mean"] - expected).abs() < 1e-9, "{row:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_weights_come_out_whatever_happens_on_the_way() {
    let temp = tempfile::tempdir().unwrap();
    for (name, staleness) in [("fresh", "0"), ("stale", "1")] {
        let stale = ("training.staleness", staleness);
        let place = |what: &str| temp.path().join(name).join(what);
        let Some(whole) = trained(&place("whole"), &[stale]).await else { return };
        let crowd = [stale, ("training.rollout_concurrency", "3")];
        let narrow = trained(&place("narrow"), &crowd).await.unwrap();
        assert_eq!(narrow.summary.model_sha256, whole.summary.model_sha256);

        let mut stopped = adaptive(run(&place("stopped"), &[stale]).unwrap());
        let stop = stopped.stop.clone();
        stopped.callbacks.push(Box::new(StopAfter(1, stop)));
        assert!(!stopped.train().await.unwrap().is_complete);
        let folder = place("stopped").join("run");
        let resume = ("training.resume_from_checkpoint", folder.to_str().unwrap());
        let resumed = trained(&place("stopped"), &[stale, resume]).await.unwrap();
        assert_eq!(resumed.summary.model_sha256, whole.summary.model_sha256);
        assert_eq!((&resumed.before, &resumed.after), (&whole.before, &whole.after));
        let weights = |what: &str| -> Vec<f64> {
            metrics(&place(what)).iter().map(|row| row["weight/says_o"]).collect()
        };
        assert_eq!(weights("stopped"), weights("whole"));
        assert_eq!(weights("narrow"), weights("whole"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn evaluations_keep_the_first_weights() {
    let temp = tempfile::tempdir().unwrap();
    let run = adaptive(stub_run(temp.path(), &[]));
    let trained = run.train().await.unwrap();
    // Canned answers stay as they are, and so does what evaluations say of them.
    let before = trained.before.unwrap();
    assert_eq!(Some(before), trained.after);
    let rows = metrics(temp.path());
    assert_ne!(rows[0]["weight/says_o"], rows[2]["weight/says_o"]);
}
