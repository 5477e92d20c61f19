//! The same run gives the same bytes, whatever happens on the way.

use std::path::Path;

use stateset_train::{RunFolder, TrainedRun};

use crate::support::{StopAfter, run};

async fn trained(output: &Path, changes: &[(&str, &str)]) -> Option<TrainedRun> {
    Some(run(output, changes)?.train().await.expect("it ends well"))
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_and_concurrency_change_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let mut hashes = Vec::new();
    for (name, threads, concurrency) in [("a", "1", "64"), ("b", "2", "64"), ("c", "2", "3")] {
        let changes =
            [("training.threads", threads), ("training.rollout_concurrency", concurrency)];
        let Some(run) = trained(&temp.path().join(name), &changes).await else { return };
        hashes.push(run.summary.model_sha256.unwrap());
    }
    assert_eq!(hashes[0], hashes[1]);
    assert_eq!(hashes[0], hashes[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_goes_on_to_the_same_end() {
    let temp = tempfile::tempdir().unwrap();
    for (name, lora) in [("full", "false"), ("adapters", "true")] {
        let lora = ("training.use_lora", lora);
        let Some(whole) = trained(&temp.path().join(name).join("whole"), &[lora]).await else {
            return;
        };
        let place = temp.path().join(name).join("stopped");
        let mut stopped = run(&place, &[lora]).unwrap();
        let stop = stopped.stop.clone();
        stopped.callbacks.push(Box::new(StopAfter(1, stop)));
        let stopped = stopped.train().await.unwrap();
        assert!(!stopped.is_complete && stopped.after.is_none());
        assert_eq!(stopped.summary.n_steps, 1);

        let folder = place.join("run");
        let resume = ("training.resume_from_checkpoint", folder.to_str().unwrap());
        let resumed = trained(&place, &[lora, resume]).await.unwrap();
        assert!(resumed.is_complete);
        assert_eq!(resumed.summary.model_sha256, whole.summary.model_sha256);
        assert_eq!(resumed.summary.n_sampled_tokens, whole.summary.n_sampled_tokens);
        assert_eq!(resumed.before, whole.before);
        assert_eq!(resumed.after, whole.after);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_checkpoint_is_passed_over() {
    let temp = tempfile::tempdir().unwrap();
    let Some(whole) = trained(temp.path(), &[]).await else { return };
    let folder = RunFolder::new(temp.path().join("run"));
    let weights = folder.checkpoints().join("step-3").join("model.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // A new file: the old bytes have second names in `checkpoint` and `best`.
    std::fs::remove_file(&weights).unwrap();
    std::fs::write(&weights, bytes).unwrap();
    let resume = [("training.resume_from_checkpoint", folder.root().to_str().unwrap())];
    let again = trained(temp.path(), &resume).await.unwrap();
    assert_eq!(again.summary.model_sha256, whole.summary.model_sha256);
    let events = std::fs::read_to_string(folder.events()).unwrap();
    assert!(events.contains("passed over step-3"), "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn going_on_needs_the_same_settings() {
    let temp = tempfile::tempdir().unwrap();
    if trained(temp.path(), &[]).await.is_none() {
        return;
    }
    let folder = temp.path().join("run");
    let resume = ("training.resume_from_checkpoint", folder.to_str().unwrap());
    let changes = [resume, ("training.seed", "7"), ("training.learning_rate", "2e-3")];
    let error = trained_error(temp.path(), &changes).await;
    assert!(error.contains("training.seed") && error.contains("training.learning_rate"), "{error}");
    // Threads are no part of the result.
    assert!(trained(temp.path(), &[resume, ("training.threads", "1")]).await.is_some());
}

async fn trained_error(output: &Path, changes: &[(&str, &str)]) -> String {
    let run = run(output, changes).expect("the model is at hand");
    run.train().await.err().expect("it is refused").to_string()
}
