//! Rollouts from older weights.
//!
//! 1. Step n is sampled by the weights after n - 1 - S steps, the first steps by those of the start.
//! 2. Evaluations are sampled by the newest weights.
//! 3. A run comes out the same whatever overlaps, and differs from one without staleness.
//! 4. An update begins once nothing is being sampled, and what is asked for then waits for it.
//! 5. A stopped run goes on to the same end with the journal of the step ahead, with a part of it, and
//!    without it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};

use async_trait::async_trait;
use stateset_core::{
    Purpose, Reward, RewardContext, RewardResult, RunSeed, Sampling, StreamKey, Trajectory,
};
use stateset_nn::SampleRequest;
use stateset_train::{
    EngineSpec, EngineState, ModelSource, OnlineRun, RunFolder, TrainedRun, read_metrics,
};

use crate::data::test_data;
use crate::support::{StopAfter, run};

fn stale_run(output: &Path, staleness: usize, changes: &[(&str, &str)]) -> Option<OnlineRun> {
    let mut run = run(output, changes)?;
    run.resolved.config.algorithm.rollouts.staleness = staleness;
    Some(run)
}

async fn trained(output: &Path, staleness: usize, changes: &[(&str, &str)]) -> Option<TrainedRun> {
    Some(stale_run(output, staleness, changes)?.train().await.expect("it ends well"))
}

type Seen = Arc<Mutex<BTreeMap<u32, BTreeSet<u64>>>>;

/// Notes whose weights sampled the episodes of each step; evaluations are step 0.
struct Noted(Arc<dyn Reward>, Seen);

#[async_trait]
impl Reward for Noted {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        let versions = trajectory.trace.segments().iter().flat_map(|s| s.spans());
        let versions = versions.filter_map(|span| span.version).map(|version| version.0);
        self.1.lock().unwrap().entry(trajectory.id.step).or_default().extend(versions);
        self.0.score(trajectory, context).await
    }
}

async fn versions(staleness: usize, lora: &str) -> Option<Vec<(u32, Vec<u64>)>> {
    let temp = tempfile::tempdir().unwrap();
    let mut run = stale_run(temp.path(), staleness, &[("training.use_lora", lora)])?;
    let seen = Seen::default();
    run.cast.reward = Arc::new(Noted(run.cast.reward.clone(), seen.clone()));
    let trained = run.train().await.unwrap();
    let rows = read_metrics(&trained.folder.metrics()).unwrap();
    let ages: Vec<f64> =
        rows.iter().filter_map(|row| row.metrics.get("sampling/staleness").copied()).collect();
    let wanted: Vec<f64> = (0..3).map(|age| f64::from(age.min(staleness as u32))).collect();
    assert_eq!(ages, if staleness == 0 { Vec::new() } else { wanted });
    let seen = seen.lock().unwrap();
    Some(seen.iter().map(|(step, all)| (*step, all.iter().copied().collect())).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_are_sampled_by_the_weights_of_so_many_steps_ago() {
    let all = |steps: [u64; 3]| -> Vec<(u32, Vec<u64>)> {
        let evaluations = (0, vec![0, 3]);
        let steps = (1..).zip(steps).map(|(step, version)| (step, vec![version]));
        std::iter::once(evaluations).chain(steps).collect()
    };
    let Some(fresh) = versions(0, "false").await else { return };
    assert_eq!(fresh, all([0, 1, 2]));
    assert_eq!(versions(1, "false").await.unwrap(), all([0, 0, 1]));
    assert_eq!(versions(2, "true").await.unwrap(), all([0, 0, 0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_overlaps_changes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let mut hashes = Vec::new();
    for (name, threads, concurrency) in [("a", "1", "64"), ("b", "2", "3")] {
        let changes =
            [("training.threads", threads), ("training.rollout_concurrency", concurrency)];
        let Some(run) = trained(&temp.path().join(name), 1, &changes).await else { return };
        hashes.push(run.summary.model_sha256.unwrap());
    }
    let fresh = trained(&temp.path().join("fresh"), 0, &[]).await.unwrap();
    assert_eq!(hashes[0], hashes[1]);
    assert_ne!(hashes[0], fresh.summary.model_sha256.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_was_put_off_begins_once_nothing_is_sampled() {
    let Some(model) = test_data("tinystories-656k") else { return };
    let fetch = |name: &str| panic!("{name} was asked for");
    let model = ModelSource::open(model.to_str().unwrap(), &fetch).unwrap();
    let spec = EngineSpec {
        threads: 1,
        path: stateset_nn::Path::best(),
        context: 64,
        sampler: stateset_nn::SamplerSize { max_running: 1, max_rows: 64, cache_tokens: 64 },
        training: None,
        scorer_tokens: None,
    };
    let engine = spec.start(model).unwrap();
    let stream = RunSeed(1).stream(Purpose::Sampling, StreamKey::default());
    let sampling = Sampling { max_new_tokens: 16, ..Sampling::default() };
    let request = || SampleRequest::new(vec![1, 2, 3], &sampling, stream.clone());
    // The futures send their jobs in this order, and the engine waits in the first until all are there.
    let (open, gate) = mpsc::channel::<()>();
    let load = |state: &mut EngineState| state.sampler_load();
    let (_, first, second, at_once, put_off, ()) = tokio::join!(
        engine.run(move |_| gate.recv()),
        engine.sample(request(), None),
        engine.sample(request(), None),
        engine.run(load),
        engine.run_when_idle(load),
        async { open.send(()).unwrap() },
    );
    assert_eq!((first.unwrap().tokens.len(), second.unwrap().tokens.len()), (16, 16));
    let (running, waiting, _) = at_once.unwrap();
    assert_eq!((running, waiting), (0, 2));
    let (running, waiting, _) = put_off.unwrap();
    assert_eq!((running, waiting), (0, 0));
}

/// What happens to the journal of the step ahead while the run is stopped.
#[derive(Clone, Copy, Debug)]
enum Journal {
    Kept,
    Cut,
    Lost,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_goes_on_with_the_weights_it_would_have_sampled_from() {
    let temp = tempfile::tempdir().unwrap();
    let steps = ("training.max_steps", "4");
    for (name, lora) in [("full", "false"), ("adapters", "true")] {
        let changes = [steps, ("training.use_lora", lora)];
        let Some(whole) = trained(&temp.path().join(name), 2, &changes).await else { return };
        for journal in [Journal::Kept, Journal::Cut, Journal::Lost] {
            let place = temp.path().join(format!("{name}-{journal:?}"));
            let mut stopped = stale_run(&place, 2, &changes).unwrap();
            let stop = stopped.stop.clone();
            stopped.callbacks.push(Box::new(StopAfter(2, stop)));
            assert!(!stopped.train().await.unwrap().is_complete);

            let folder = RunFolder::new(place.join("run"));
            let ahead = folder.journal(3);
            match journal {
                Journal::Kept => assert!(ahead.exists()),
                Journal::Cut => {
                    let bytes = fs::read(&ahead).unwrap();
                    fs::write(&ahead, &bytes[..bytes.len() * 2 / 3]).unwrap();
                }
                Journal::Lost => fs::remove_file(&ahead).unwrap(),
            }
            let resume = ("training.resume_from_checkpoint", folder.root().to_str().unwrap());
            let resumed = trained(&place, 2, &[changes[0], changes[1], resume]).await.unwrap();
            assert!(resumed.is_complete);
            assert_eq!(resumed.summary.model_sha256, whole.summary.model_sha256, "{journal:?}");
            assert_eq!(resumed.summary.n_sampled_tokens, whole.summary.n_sampled_tokens);
            assert_eq!(resumed.after, whole.after);
        }
    }
}
