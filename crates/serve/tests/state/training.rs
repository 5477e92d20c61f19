//! Training jobs that really train.

use serde_json::{Value, json};

use super::running::Running;

/// A training of a second.
pub(crate) fn short(n_iterations: u64) -> Value {
    json!({
        "prompts": ["Say yes.", "Say no."], "strategy": "grpo", "num_iterations": n_iterations,
        "reward": "contains:yes",
        "training_config_overrides": {
            "num_generations": 4, "max_completion_length": 6, "save_steps": 1, "eval_before": false,
            "run_post_eval": false, "seed": 7
        }
    })
}

#[tokio::test]
async fn a_job_trains_and_its_model_answers() {
    let server = Running::tiny().await;
    let asked = server.post("/api/train", short(2)).await.ok(202);
    let id = asked["job_id"].as_str().unwrap();
    assert_eq!(asked["training_id"], id);
    let done = server.wait_for(id, &["completed", "failed"]).await;
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(done["iterations_completed"], 2);
    assert_eq!(done["total_trajectories"], 16);
    assert!(done["progress"]["reward"].is_number(), "{done}");
    assert_eq!(done["result"]["model_sha256"].as_str().unwrap().len(), 64);
    for path in ["/api/status", "/api/jobs", "/v1/training"] {
        assert_eq!(server.get(&format!("{path}/{id}")).await.ok(200), done);
    }
    let events = server.get(&format!("/training/{id}/events")).await.ok(200);
    let kinds: Vec<&str> =
        events["data"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "step").count(), 2, "{kinds:?}");
    assert!(kinds.contains(&"checkpoint"), "{kinds:?}");

    let refused = server.delete(&format!("/training/{id}")).await;
    assert_eq!(refused.refused().1, "training_over");
    let served = server.post(&format!("/training/{id}/deploy"), json!({"name": "mine"})).await;
    assert_eq!(served.ok(200)["model"], "mine");
    let said = server
        .post("/conversations", json!({"message": "Hi", "model": "mine", "max_tokens": 4}))
        .await
        .ok(201);
    assert_eq!(said["model"], "mine");

    let after = json!({
        "prompts": ["Say yes."], "resume_from_checkpoint": id, "num_iterations": 1,
        "reward_config": {"helpfulness_weight": 1},
        "training_config_overrides": {
            "num_generations": 2, "prompts_per_step": 1, "max_completion_length": 4,
            "eval_before": false, "run_post_eval": false
        }
    });
    let asked = server.post("/training", after).await.ok(202);
    let done = server.wait_for(asked["id"].as_str().unwrap(), &["completed", "failed"]).await;
    assert_eq!(done["status"], "completed", "{done}");
}

#[tokio::test]
async fn a_cancelled_job_keeps_its_checkpoint_and_goes_on() {
    let server = Running::tiny().await;
    let asked = server.post("/v1/training", short(40)).await.ok(202);
    let id = asked["id"].as_str().unwrap();
    let started = std::time::Instant::now();
    while server.get(&format!("/training/{id}")).await.ok(200)["progress"]["step"] == 0 {
        assert!(started.elapsed().as_secs() < 60);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    server.delete(&format!("/v1/training/{id}")).await.ok(202);
    let stopped = server.wait_for(id, &["cancelled"]).await;
    let step = stopped["progress"]["step"].as_i64().unwrap();
    assert!((1..40).contains(&step), "{stopped}");
    assert_eq!(stopped["has_checkpoint"], true);
    let again = server.post(&format!("/training/{id}/resume"), json!({})).await.ok(202);
    assert_eq!(again["error"], Value::Null);
    // It is cancelled again as soon as it went on: whole runs are compared elsewhere.
    let started = std::time::Instant::now();
    while server.get(&format!("/training/{id}")).await.ok(200)["progress"]["step"] == step {
        assert!(started.elapsed().as_secs() < 60);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    server.delete(&format!("/training/{id}")).await.ok(202);
    server.wait_for(id, &["cancelled"]).await;
    let events = server.get(&format!("/training/{id}/events")).await.ok(200);
    let steps: Vec<i64> = events["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["type"] == "step")
        .map(|event| event["step"].as_i64().unwrap())
        .collect();
    let expected: Vec<i64> = (1..=steps.len() as i64).collect();
    assert_eq!(steps, expected);
}

#[tokio::test]
async fn a_job_is_asked_for_once() {
    let server = Running::tiny().await;
    let mut ask = short(1);
    ask["idempotency_key"] = "once".into();
    let first = server.post("/api/train", ask.clone()).await.ok(202);
    let again = server.post("/api/train", ask.clone()).await.ok(202);
    assert_eq!(first["id"], again["id"]);
    ask["num_iterations"] = 2.into();
    assert_eq!(server.post("/api/train", ask).await.refused().1, "idempotency_conflict");
    assert_eq!(server.get("/training").await.ok(200)["data"].as_array().unwrap().len(), 1);
    server.services.stop().await;
}

#[tokio::test]
async fn nonsense_is_refused_before_anything_is_written() {
    let server = Running::tiny().await;
    let prompts = json!(["Hi."]);
    let long = "x".repeat(4001);
    let train = [
        (json!({}), "invalid_length", "prompts"),
        (json!({"prompts": vec!["a"; 9]}), "invalid_length", "prompts"),
        (json!({"prompts": ["a", long]}), "invalid_length", "prompts[1]"),
        (json!({"prompts": prompts, "num_iterations": 51}), "invalid_value", "num_iterations"),
        (json!({"prompts": prompts, "num_iterations": 0}), "invalid_value", "num_iterations"),
        (
            json!({"prompts": prompts, "strategy": "distributed"}),
            "strategy_not_supported",
            "strategy",
        ),
        (json!({"prompts": prompts, "strategy": "magic"}), "invalid_config", "strategy"),
        (
            json!({"prompts": prompts, "use_neural_rewards": true}),
            "not_supported",
            "use_neural_rewards",
        ),
        (
            json!({"prompts": prompts, "distributed_config": {"n": 2}}),
            "not_supported",
            "distributed_config",
        ),
        (
            json!({"prompts": prompts, "reward": "judge:/etc/passwd"}),
            "reward_not_allowed",
            "reward",
        ),
        (json!({"prompts": prompts, "model": "/etc"}), "model_not_allowed", "model"),
        (json!({"prompts": prompts, "colour": 1}), "unknown_field", "colour"),
        (
            json!({"prompts": prompts, "training_config_overrides": {"output_dir": "/tmp/x"}}),
            "key_not_allowed",
            "training_config_overrides.output_dir",
        ),
        (
            json!({"prompts": prompts, "training_config_overrides": {"learning_rate": -1}}),
            "invalid_config",
            "training_config_overrides.learning_rate",
        ),
    ];
    for (body, code, field) in train {
        let got = server.post("/api/train", body.clone()).await;
        assert_eq!(got.refused(), (422, code, Some(field)), "{body}: {}", got.body);
    }
    let training = [
        (json!({"num_episodes": 0}), "invalid_value", "num_episodes"),
        (json!({"num_episodes": 10001}), "invalid_value", "num_episodes"),
        (json!({"profile": "reckless"}), "invalid_config", "profile"),
        (json!({"agent_config": {"colour": 1}}), "unknown_key", "agent_config.colour"),
        (json!({"agent_config": {"model": "gpt"}}), "model_not_allowed", "model"),
        (
            json!({"reward_config": {"safety_weight": -1}}),
            "invalid_value",
            "reward_config.safety_weight",
        ),
        (json!({"environment_scenarios": []}), "invalid_length", "environment_scenarios"),
        (json!({"resume_from_checkpoint": "/etc"}), "unknown_training", "resume_from_checkpoint"),
    ];
    for (body, code, field) in training {
        let got = server.post("/training", body.clone()).await;
        assert_eq!(got.refused(), (422, code, Some(field)), "{body}: {}", got.body);
    }
    assert_eq!(server.get("/training").await.ok(200)["data"], json!([]));
    assert!(!server.folder.path().join("runs").exists());
    for path in ["/training/job_x", "/api/status/job_x"] {
        assert_eq!(server.get(path).await.refused().1, "not_found");
    }
}

#[tokio::test]
async fn canned_sentences_cannot_learn() {
    let server = Running::canned(&["Hi."]).await;
    let got = server.post("/api/train", json!({"prompts": ["Hi."]})).await;
    assert_eq!(got.refused(), (422, "model_not_allowed", Some("model")));
}
