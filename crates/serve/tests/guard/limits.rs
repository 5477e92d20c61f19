//! Rate limits, sizes of bodies, requests at the same time.

use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use serde_json::{Value, json};
use stateset_serve::ServeConfig;
use stateset_serve::body::JsonBody;
use stateset_serve::limits::Limits;
use tokio::sync::Notify;

use super::running::{TRAINER, USER, open, start, start_with, until, with_keys};

#[tokio::test]
async fn each_key_has_its_own_bucket() {
    let limits = Limits { rate_per_minute: NonZeroU32::new(2), ..Limits::default() };
    let server = start(ServeConfig { limits, ..with_keys() });
    let ask = async |key: &str| server.get("/v1/models").bearer_auth(key).send().await.unwrap();
    for left in ["1", "0"] {
        let answer = ask(USER).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-ratelimit-limit"], "2");
        assert_eq!(answer.headers()["x-ratelimit-remaining"], left);
    }
    let refused = ask(USER).await;
    assert_eq!(refused.status(), 429);
    let header = |name: &str| refused.headers()[name].to_str().unwrap().parse::<u64>().unwrap();
    assert!((1..=30).contains(&header("retry-after")));
    assert_eq!((header("x-ratelimit-remaining"), header("x-ratelimit-reset")), (0, 60));
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["error"]["code"], "rate_limit_exceeded");
    assert_eq!(body["error"]["type"], "rate_limit_error");
    assert_eq!(ask(TRAINER).await.status(), 200);
    assert_eq!(server.get("/live").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn bodies_are_bounded_and_faults_are_placed() {
    let echo = async |JsonBody(value): JsonBody<Value>| axum::Json(value);
    let routes = Router::new().route("/test/echo", post(echo));
    let server = start_with(ServeConfig { max_body_bytes: 1000, ..open() }, routes);
    let send = async |body: String| {
        let request = server.client.post(server.url("/test/echo"));
        let request = request.header("content-type", "application/json").body(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(send(r#"{"a": 1}"#.to_owned()).await, (200, json!({"a": 1})));
    let (status, body) = send(format!("\"{}\"", "x".repeat(1000))).await;
    assert_eq!((status, &body["error"]["code"]), (413, &json!("body_too_large")));
    let (status, body) = send("{\"a\": \n nonsense}".to_owned()).await;
    assert_eq!((status, &body["error"]["code"]), (400, &json!("invalid_json")));
    assert!(body["error"]["message"].as_str().unwrap().contains("line 2 column"));
    let form = server.client.post(server.url("/test/echo")).header("content-type", "text/plain");
    assert_eq!(form.body("{}").send().await.unwrap().status(), 415);
}

#[tokio::test]
async fn more_requests_than_places_are_refused_while_health_is_answered() {
    let release = Arc::new(Notify::new());
    let released = Arc::clone(&release);
    let wait = move || {
        let released = Arc::clone(&released);
        async move {
            released.notified().await;
            "done"
        }
    };
    let routes = Router::new().route("/test/wait", get(wait));
    let limits = Limits { max_requests: 1, ..Limits::default() };
    let server = start_with(ServeConfig { limits, ..open() }, routes);
    let waiting = tokio::spawn(server.get("/test/wait").send());
    let http = server.app.observed().http();
    until("the first request begins", || http.in_progress() == 1).await;
    let refused = server.get("/v1/models").send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(refused.json::<Value>().await.unwrap()["error"]["code"], "overloaded");
    for path in ["/live", "/ready", "/metrics"] {
        assert_eq!(server.get(path).send().await.unwrap().status(), 200, "{path}");
    }
    release.notify_one();
    assert_eq!(waiting.await.unwrap().unwrap().text().await.unwrap(), "done");
    until("the place is free", || http.in_progress() == 0).await;
    assert_eq!(server.get("/v1/models").send().await.unwrap().status(), 200);
}
