//! Several trainings in one request, and the names of the second document.

use std::sync::Arc;

use serde_json::{Value, json};
use stateset_serve::jobs::JobSettings;

use super::running::{Running, quick};
use super::training::short;

/// A server on which trainings wait for somebody else.
async fn waiting() -> Running {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let settings = JobSettings { max_running: 0, max_unfinished: 4, ..quick(folder.path()) };
    Running::tiny_in(folder, None, settings).await
}

fn ids(body: &Value) -> Vec<&str> {
    body["data"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap()).collect()
}

fn statuses(body: &Value) -> Vec<&str> {
    body["data"].as_array().unwrap().iter().map(|job| job["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn trainings_are_asked_for_looked_at_and_ended_together() {
    let server = waiting().await;
    let mut named = short(2);
    named["idempotency_key"] = json!("k");
    let asked = json!({"requests": [short(1), named]});
    let first = server.post("/api/batch/train", asked.clone()).await.ok(202);
    assert_eq!(statuses(&first), ["queued", "queued"]);
    // The one with a key counts once.
    let again = server.post("/api/batch/train", asked).await.ok(202);
    assert_eq!(ids(&again)[1], ids(&first)[1]);
    assert_ne!(ids(&again)[0], ids(&first)[0]);
    let asked = json!({"ids": [ids(&first)[1], "job_x", ids(&first)[0]]});
    let ended = server.post("/api/batch/cancel", asked.clone()).await.ok(202);
    assert_eq!(statuses(&ended), ["cancelled", "not_found", "cancelled"]);
    assert_eq!(server.post("/api/batch/cancel", asked.clone()).await.ok(202), ended);
    assert_eq!(server.post("/api/batch/status", asked).await.ok(200), ended);
}

#[tokio::test]
async fn all_are_taken_or_none() {
    let server = waiting().await;
    let refused = async |requests: Value| {
        let got = server.post("/api/batch/train", json!({"requests": requests})).await;
        let (status, code, field) = got.refused();
        (status, code.to_owned(), field.map(str::to_owned))
    };
    let bad = |change: fn(&mut Value)| {
        let mut body = short(1);
        change(&mut body);
        body
    };
    let keyed = bad(|body| body["idempotency_key"] = json!("k"));
    let table = [
        (json!([]), 422, "invalid_length", Some("requests")),
        (
            json!([short(1), bad(|body| body["prompts"] = json!([]))]),
            422,
            "invalid_length",
            Some("requests[1].prompts"),
        ),
        (
            json!([short(1), bad(|body| body["model"] = json!("/etc"))]),
            422,
            "model_not_allowed",
            Some("requests[1].model"),
        ),
        (json!([keyed, keyed]), 422, "invalid_value", Some("requests[1].idempotency_key")),
        (json!([short(1), short(1), short(1), short(1), short(1)]), 429, "queue_full", None),
    ];
    for (requests, status, code, field) in table {
        let expected = (status, code.to_owned(), field.map(str::to_owned));
        assert_eq!(refused(requests).await, expected);
    }
    let wrong = server.post("/api/batch/status", json!({"ids": []})).await;
    assert_eq!(wrong.refused(), (422, "invalid_length", Some("ids")));
    assert_eq!(server.get("/training").await.ok(200)["data"], json!([]));
}

#[tokio::test]
async fn the_second_document_names_the_same_things() {
    let server = waiting().await;
    let said = server.post("/api/v2/chat", json!({"message": "Hi", "max_tokens": 2})).await.ok(200);
    let kept = format!("/conversations/{}", said["conversation_id"].as_str().unwrap());
    assert_eq!(server.get(&kept).await.ok(200)["message_count"], 2);
    let asked = server.post("/api/v2/train", short(1)).await.ok(202);
    let id = asked["id"].as_str().unwrap();
    let job = server.get(&format!("/training/{id}")).await.ok(200);
    for path in ["/api/v2/jobs", "/v1/jobs", "/v1/status"] {
        assert_eq!(server.get(&format!("{path}/{id}")).await.ok(200), job, "{path}");
    }
    assert_eq!(server.get("/api/v2/health").await.ok(200)["status"], "healthy");
    for path in ["/api/v2/metrics", "/v1/metrics"] {
        assert_eq!(server.get(path).await.ok(200)["conversations"], 1, "{path}");
    }
    let status = server.get("/api/v2/system/status").await.ok(200);
    assert_eq!(
        (&status["status"], &status["system"]["jobs"]["queued"]),
        (&json!("healthy"), &json!(1))
    );
    server.delete(&format!("/api/v2/jobs/{id}")).await.ok(202);
}
