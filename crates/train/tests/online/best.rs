//! Which model is kept where evaluations end a run:
//!
//! 1. after an early stop it is that of the best evaluation: in `checkpoint/`, as the agent, in the
//!    evaluation after training and in the summary;
//! 2. going on with such a run changes nothing;
//! 3. a gain counts from `min_delta` on;
//! 4. a run that only got worse says so.

use std::path::Path;

use stateset_train::{EventRecord, OnlineRun, RunFolder, TrainedRun, read_events};

use crate::support::run;

const STOPPED: [(&str, &str); 4] = [
    ("training.max_steps", "12"),
    ("training.early_stopping", "true"),
    ("training.eval_steps", "1"),
    ("training.patience", "2"),
];

fn short(output: &Path, more: &[(&str, &str)]) -> Option<OnlineRun> {
    let changes: Vec<(&str, &str)> = STOPPED.iter().chain(more).copied().collect();
    run(output, &changes)
}

async fn trained(run: OnlineRun) -> TrainedRun {
    run.train().await.expect("it ends well")
}

fn folder(output: &Path) -> RunFolder {
    RunFolder::new(output.join("run"))
}

/// Mean rewards of the evaluations on the way, by step.
fn on_the_way(output: &Path) -> Vec<(u32, f64)> {
    let reward = |event| match event {
        EventRecord::EvaluationFinished { name, step, summary } if name.starts_with("step-") => {
            Some((step, summary.reward?.mean))
        }
        _ => None,
    };
    let lines = read_events(&folder(output).events()).unwrap();
    lines.into_iter().filter_map(|line| reward(line.event)).collect()
}

fn warnings(output: &Path) -> Vec<String> {
    let text = |event| match event {
        EventRecord::Warning { text } => Some(text),
        _ => None,
    };
    let lines = read_events(&folder(output).events()).unwrap();
    lines.into_iter().filter_map(|line| text(line.event)).collect()
}

fn best_of(rewards: &[(u32, f64)]) -> (u32, f64) {
    let first = rewards[0];
    rewards.iter().fold(first, |best, one| if one.1 > best.1 { *one } else { best })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_stop_keeps_the_best_model() {
    let temp = tempfile::tempdir().unwrap();
    // No evaluation is a gain of 10 over the first, so the run ends after three.
    let more = [("training.min_delta", "10"), ("evaluation.num_generations", "4")];
    let Some(run) = short(temp.path(), &more) else { return };
    let run = trained(run).await;
    assert!(run.is_complete);
    assert_eq!(run.summary.n_steps, 3);
    let rewards = on_the_way(temp.path());
    assert_eq!(rewards.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [1, 2, 3]);
    let (step, best) = best_of(&rewards);
    assert_eq!(run.after.as_ref().unwrap().reward.unwrap().estimate, best, "{rewards:?}");
    assert_eq!(run.summary.reward_after, Some(best));
    let place = folder(temp.path());
    let weights = |folder: &Path| std::fs::read(folder.join("model.safetensors")).unwrap();
    let kept = weights(&place.final_checkpoint());
    assert!(kept == weights(&place.checkpoints().join(format!("step-{step}"))));
    // The agent that is handed back is the one that was kept.
    let saved = temp.path().join("saved");
    let (run, saved) = tokio::task::spawn_blocking(move || {
        run.save(&saved).unwrap();
        (run, saved)
    })
    .await
    .unwrap();
    assert!(weights(&saved) == kept);

    let resume = ("training.resume_from_checkpoint", place.root().to_str().unwrap());
    let again = trained(short(temp.path(), &[more[0], more[1], resume]).unwrap()).await;
    assert_eq!(again.summary.model_sha256, run.summary.model_sha256);
    assert_eq!(again.after, run.after);
    assert!(weights(&place.final_checkpoint()) == kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_only_gets_worse_says_so() {
    let temp = tempfile::tempdir().unwrap();
    let Some(mut run) = short(temp.path(), &[]) else { return };
    run.cast.reward = std::sync::Arc::new(Shrinking::default());
    trained(run).await;
    let told = warnings(temp.path());
    assert!(told.iter().any(|text| text.contains("did not make the model better")), "{told:?}");
}

/// Every episode is worth less than the one before it.
#[derive(Default)]
struct Shrinking(std::sync::atomic::AtomicU32);

#[async_trait::async_trait]
impl stateset_core::Reward for Shrinking {
    fn name(&self) -> &str {
        "shrinking"
    }

    async fn score(
        &self,
        _: &stateset_core::Trajectory,
        _: stateset_core::RewardContext<'_>,
    ) -> stateset_core::RewardResult {
        let n = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        stateset_core::RewardResult::single(stateset_core::Score::of(1.0 / f64::from(n + 1)))
    }
}
