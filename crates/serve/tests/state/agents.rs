//! Agents.

use serde_json::json;

use super::running::Running;

#[tokio::test]
async fn agents_are_made_listed_and_removed() {
    let server = Running::canned(&["Hi."]).await;
    let made = server
        .post("/agents", json!({"name": "Ann", "system_prompt": "Be kind.", "temperature": 0.5}))
        .await
        .ok(201);
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["sampling"], json!({"temperature": 0.5}));
    for _ in 0..3 {
        server.post("/agents", json!({})).await.ok(201);
    }
    let first = server.get("/agents?limit=3").await.ok(200);
    assert_eq!(first["data"].as_array().unwrap().len(), 3);
    let next = first["next_cursor"].as_str().unwrap();
    let second = server.get(&format!("/agents?limit=3&after={next}")).await.ok(200);
    assert_eq!(second["data"], json!([made]));
    assert!(second["next_cursor"].is_null());

    assert_eq!(server.get(&format!("/agents/{id}")).await.ok(200), made);
    server.delete(&format!("/agents/{id}")).await.ok(204);
    assert_eq!(server.get(&format!("/agents/{id}")).await.refused().0, 404);
    assert_eq!(server.delete(&format!("/agents/{id}")).await.refused().0, 404);
}

#[tokio::test]
async fn nonsense_is_refused_by_field() {
    let server = Running::canned(&["Hi."]).await;
    let table = [
        (json!({"name": ""}), 422, "invalid_length", Some("name")),
        (json!({"name": "a\u{0}"}), 422, "invalid_value", Some("name")),
        (json!({"model": "nobody"}), 404, "model_not_found", Some("model")),
        (json!({"temperature": 3}), 422, "invalid_value", Some("temperature")),
        (
            json!({"max_tokens": 1, "max_new_tokens": 0}),
            422,
            "invalid_value",
            Some("max_new_tokens"),
        ),
        (json!({"colour": 1}), 422, "unknown_field", Some("colour")),
        (json!({"sampling": {"top_p": 0}}), 422, "invalid_value", Some("sampling.top_p")),
        (
            json!({"temperature": 1, "sampling": {"temperature": -1}}),
            422,
            "invalid_value",
            Some("sampling.temperature"),
        ),
        (json!([]), 422, "invalid_value", None),
        (json!({"sampling": []}), 422, "invalid_value", Some("sampling")),
    ];
    for (body, status, code, field) in table {
        let got = server.post("/agents", body.clone()).await;
        assert_eq!(got.refused(), (status, code, field), "{body}");
    }
    let all = server.get("/agents").await.ok(200);
    assert_eq!(all["data"], json!([]));
    assert_eq!(server.get("/agents?limit=0").await.refused().1, "invalid_value");
    assert_eq!(server.get("/agents?page=1").await.refused().1, "invalid_query");
}
