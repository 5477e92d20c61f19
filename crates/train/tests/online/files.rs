//! What a run leaves behind.

use stateset_train::{
    EngineSpec, ModelSource, RunFolder, RunSummary, read_conversations, read_events, read_metrics,
};

use crate::support::{run, stub_run};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_leaves_every_file() {
    let temp = tempfile::tempdir().unwrap();
    let Some(run) = run(temp.path(), &[]) else { return };
    let trained = run.train().await.unwrap();
    assert!(trained.is_complete);
    let folder = RunFolder::new(temp.path().join("run"));
    for path in [
        folder.config(),
        folder.metrics(),
        folder.events(),
        folder.summary(),
        folder.report(),
        folder.latest(),
        folder.best_checkpoint().join("model.safetensors"),
        folder.final_checkpoint().join("model.safetensors"),
        folder.final_checkpoint().join("config.json"),
        folder.final_checkpoint().join("tokenizer.json"),
        folder.final_checkpoint().join("agent_config.json"),
        folder.final_checkpoint().join("trainer_state.json"),
        folder.final_checkpoint().join("optimizer.safetensors"),
    ] {
        assert!(path.is_file(), "{} is missing", path.display());
    }
    assert!(std::fs::read_dir(folder.tensorboard()).unwrap().count() == 1);
    for name in [RunFolder::BEFORE, RunFolder::AFTER] {
        let played = read_conversations(&folder, name).unwrap().unwrap();
        assert!(!played.is_empty());
        assert!(played.iter().all(|t| t.error.is_none() && t.reward.is_some()));
    }
    let rows = read_metrics(&folder.metrics()).unwrap();
    assert_eq!(rows.iter().map(|row| row.step).collect::<Vec<_>>(), [1, 2, 3]);
    // On the first mini-batch the policy is the one that sampled: exactly, not nearly.
    let names: Vec<&String> = rows[0].metrics.keys().collect();
    let of = |name: &str| rows[0].metrics.get(name).unwrap_or_else(|| panic!("{names:?}"));
    assert_eq!(*of("mismatch/gap_max"), 0.0);
    assert!(!read_events(&folder.events()).unwrap().is_empty());
    let summary = RunSummary::read(&folder).unwrap().unwrap();
    assert_eq!((summary.n_steps, summary.n_episodes), (3, 24));
    assert_eq!(summary, RunSummary::read(&folder).unwrap().unwrap());
    assert_eq!(summary.model_sha256, trained.summary.model_sha256);
    let report = std::fs::read_to_string(folder.report()).unwrap();
    assert!(report.contains("Once upon a time") || report.contains("The cat"));

    // What was saved loads by the name of the run folder.
    let fetch = |name: &str| panic!("{name} was asked for");
    let model = ModelSource::open(folder.root().to_str().unwrap(), &fetch).unwrap();
    let spec = EngineSpec {
        threads: 1,
        path: stateset_nn::Path::best(),
        context: 64,
        sampler: stateset_nn::SamplerSize { max_running: 1, max_rows: 64, cache_tokens: 64 },
        training: None,
        scorer_tokens: None,
    };
    spec.start(model).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn canned_answers_go_through_the_whole_loop() {
    let temp = tempfile::tempdir().unwrap();
    let trained = stub_run(temp.path(), &[]).train().await.unwrap();
    assert!(trained.is_complete && trained.policy.is_none());
    assert_eq!(trained.summary.n_episodes, 24);
    assert_eq!(trained.summary.model_sha256, None);
    let folder = RunFolder::new(temp.path().join("run"));
    assert!(folder.report().is_file() && !folder.final_checkpoint().exists());
    assert_eq!(trained.before, trained.after);
    assert!(trained.save(&temp.path().join("model")).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn adapters_are_saved_and_loaded() {
    let temp = tempfile::tempdir().unwrap();
    let changes = [("training.use_lora", "true"), ("training.beta", "0.1")];
    let Some(run) = run(temp.path(), &changes) else { return };
    run.train().await.unwrap();
    let folder = RunFolder::new(temp.path().join("run"));
    assert!(folder.final_checkpoint().join("adapter_model.safetensors").is_file());
    let rows = read_metrics(&folder.metrics()).unwrap();
    let kl = rows.iter().map(|row| row.metrics[stateset_train::metric::REFERENCE_KL]);
    let kl: Vec<f64> = kl.collect();
    assert!(kl[0] == 0.0 && kl[2] > 0.0, "{kl:?}");
    let fetch = |name: &str| panic!("{name} was asked for");
    let model = ModelSource::open(folder.root().to_str().unwrap(), &fetch).unwrap();
    assert!(model.adapter.is_some());
}
