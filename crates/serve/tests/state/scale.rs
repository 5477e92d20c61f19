//! More and fewer slots.

use serde_json::json;

use super::running::Running;

#[tokio::test]
async fn slots_follow_the_factor_as_long_as_they_fit() {
    let server = Running::tiny().await;
    let scaled = server.post("/api/scale", json!({"scale_factor": 2})).await.ok(200);
    assert_eq!(scaled["models"], json!([{"model": "tiny", "slots_before": 4, "slots": 8}]));
    let back = json!({"scale_factor": 0.5, "apply_to_all": true});
    let scaled = server.post("/api/scale", back).await.ok(200);
    assert_eq!(scaled["models"], json!([{"model": "tiny", "slots_before": 8, "slots": 2}]));
    let metrics = server.get("/api/metrics").await.ok(200);
    assert_eq!(metrics["models"][0]["slots"], 2);
    server.post("/api/chat", json!({"message": "Hi", "max_tokens": 2})).await.ok(200);
    for factor in [json!(0), json!(-1), json!(10.5)] {
        let got = server.post("/api/scale", json!({"scale_factor": factor})).await;
        assert_eq!(got.refused(), (422, "invalid_value", Some("scale_factor")));
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    let server = Running::tiny().await;
    let library = server.services.library();
    let mut loaded = library.loaded("tiny").unwrap();
    // A cache of terabytes.
    loaded.options.cache_tokens = Some(1 << 40);
    library.remember("tiny", loaded);
    let got = server.post("/api/scale", json!({"scale_factor": 2})).await;
    assert_eq!(got.refused().1, "not_enough_memory");
    assert_eq!(got.status, 409);
    assert_eq!(server.get("/api/metrics").await.ok(200)["models"][0]["slots"], 4);
    server.post("/api/chat", json!({"message": "Hi", "max_tokens": 2})).await.ok(200);
    assert_eq!(server.app.models().all().len(), 1);
}

#[tokio::test]
async fn the_index_names_what_there_is() {
    let server = Running::canned(&["Hi."]).await;
    let index = server.get("/").await.ok(200);
    assert_eq!(index["name"], "stateset-agents");
    for (name, group) in index["endpoints"].as_object().unwrap() {
        // Those are tested where they are made.
        if name == "openai" {
            continue;
        }
        for path in group.as_array().unwrap() {
            let path = path.as_str().unwrap();
            let known = server.get(&path.replace("{id}", "x")).await;
            let code = known.body["error"]["message"].as_str().unwrap_or_default().to_owned();
            assert!(!code.contains("no route"), "{path}: {code}");
        }
    }
}
