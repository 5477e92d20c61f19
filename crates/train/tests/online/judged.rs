//! Runs whose groups are judged: the judge's word is trained on, is not asked for again, and is no
//! less exact than any other reward.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use stateset_core::{
    GroupJudgement, GroupReward, RewardContext, RewardResult, Score, Stream, Trajectory,
};
use stateset_train::{Callback, Flow, OnlineRun, RunFolder, StopSignal, TrainedRun, read_metrics};

use crate::support::run;

/// Likes what is long, with some noise, and counts the groups it was shown.
struct Longest(Arc<AtomicUsize>);

#[async_trait]
impl GroupReward for Longest {
    fn name(&self) -> &str {
        "longest"
    }

    async fn judge_group(
        &self,
        group: &[&Trajectory],
        _: RewardContext<'_>,
        mut stream: Stream,
    ) -> GroupJudgement {
        self.0.fetch_add(1, Ordering::Relaxed);
        let mut result = |t: &&Trajectory| {
            let n_chars: usize = t.assistant_texts().map(str::len).sum();
            RewardResult::single(Score::of(n_chars as f64 / 100.0 + stream.unit()))
        };
        GroupJudgement {
            results: group.iter().map(&mut result).collect(),
            figures: [("judge/order_disagreement".to_owned(), 0.5)].into(),
        }
    }
}

/// Stops the run from outside after so many steps.
struct StopAfterSteps(usize, StopSignal);

impl Callback for StopAfterSteps {
    fn on_step_end(&mut self, _: u32, _: &BTreeMap<String, f64>) -> Flow {
        self.0 -= 1;
        if self.0 == 0 {
            self.1.stop();
        }
        Flow::Continue
    }
}

fn judged_run(
    output: &Path,
    changes: &[(&str, &str)],
    asked: &Arc<AtomicUsize>,
) -> Option<OnlineRun> {
    let mut run = run(output, changes)?;
    run.cast.group_reward = Some(Arc::new(Longest(asked.clone())));
    Some(run)
}

async fn trained(output: &Path, changes: &[(&str, &str)]) -> Option<(TrainedRun, usize)> {
    let asked = Arc::new(AtomicUsize::new(0));
    let trained = judged_run(output, changes, &asked)?.train().await.expect("it ends well");
    Some((trained, asked.load(Ordering::Relaxed)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_judge_s_word_is_trained_on_and_the_task_s_is_kept() {
    let temp = tempfile::tempdir().unwrap();
    let Some((trained, n_asked)) = trained(temp.path(), &[]).await else { return };
    assert_eq!(n_asked, 6, "3 steps of 2 groups");
    let folder = &trained.folder;
    let rows = read_metrics(&folder.metrics()).unwrap();
    assert_eq!(rows.len(), 3);
    for row in &rows {
        let metrics = &row.metrics;
        assert_eq!(metrics["judge/order_disagreement"], 0.5);
        assert!((metrics["component/longest"] - metrics["reward/mean"]).abs() < 1e-9);
        assert!((0.0..=1.0).contains(&metrics["component/task"]));
    }
    let events = std::fs::read_to_string(folder.events()).unwrap();
    assert_eq!(events.matches("the judge changed its mind in 50 %").count(), 1, "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_goes_on_to_the_same_end() {
    let temp = tempfile::tempdir().unwrap();
    let changes = [("training.save_steps", "2")];
    let Some((whole, _)) = trained(&temp.path().join("whole"), &changes).await else { return };
    let place = temp.path().join("stopped");
    let asked = Arc::default();
    let mut stopped = judged_run(&place, &changes, &asked).unwrap();
    let stop = stopped.stop.clone();
    stopped.callbacks.push(Box::new(StopAfterSteps(1, stop)));
    assert!(!stopped.train().await.unwrap().is_complete);
    let folder = RunFolder::new(place.join("run"));
    let resume = ("training.resume_from_checkpoint", folder.root().to_str().unwrap());
    let (resumed, _) = trained(&place, &[changes[0], resume]).await.unwrap();
    assert!(resumed.is_complete);
    assert_eq!(resumed.summary.model_sha256, whole.summary.model_sha256);
}
