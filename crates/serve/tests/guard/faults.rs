//! Handlers that panic, servers that are asked to stop, addresses that are taken.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::response::Sse;
use axum::response::sse::Event;
use axum::routing::get;
use futures::StreamExt;
use serde_json::Value;
use stateset_serve::{App, Models, ServeConfig, ServeError, Server};

use super::running::{open, start, start_with};

#[tokio::test]
async fn a_panic_is_an_answer_with_an_id_and_the_server_goes_on() {
    async fn panics() -> &'static str {
        panic!("a handler that fails in a test")
    }
    let server = start_with(open(), Router::new().route("/test/panic", get(panics)));
    let answer = server.get("/test/panic").header("x-request-id", "p-1").send().await.unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.headers()["x-request-id"], "p-1");
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["code"], "internal_error");
    assert!(!body.to_string().contains("fails in a test"));
    assert!(server.metrics("").await.contains("stateset_http_panics_total 1"));
}

#[tokio::test]
async fn a_request_under_way_ends_well_before_the_server_does() {
    let slow = async || {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "whole"
    };
    let server = start_with(open(), Router::new().route("/test/slow", get(slow)));
    let asked = tokio::spawn(server.get("/test/slow").send());
    let http = server.app.observed().http();
    super::running::until("the request begins", || http.in_progress() == 1).await;
    server.stopper.stop();
    assert!(server.app.observed().is_draining());
    assert_eq!(asked.await.unwrap().unwrap().text().await.unwrap(), "whole");
    server.ended.await.unwrap().unwrap();
    assert!(server.client.get(format!("http://{}/live", server.address)).send().await.is_err());
}

#[tokio::test]
async fn a_stream_says_why_it_ends_when_the_drain_does() {
    let endless = async || {
        let first = futures::stream::iter([Ok::<_, Infallible>(Event::default().data("first"))]);
        Sse::new(first.chain(futures::stream::pending()))
    };
    let config = ServeConfig { drain: Duration::from_secs(1), ..open() };
    let server = start_with(config, Router::new().route("/test/endless", get(endless)));
    let answer = server.get("/test/endless").send().await.unwrap();
    server.stopper.stop();
    // An answer that was cut off would be an error here.
    let text = answer.text().await.unwrap();
    let (first, last) = (text.find("data: first").unwrap(), text.find("server_stopping").unwrap());
    assert!(first < last && text.ends_with("\n\n"), "{text}");
    server.ended.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let server = start(open());
    let config = ServeConfig { port: server.address.port(), ..open() };
    let error = Server::bind(App::new(config, Models::new(Vec::new()))).err().unwrap();
    assert!(matches!(error, ServeError::Bind { .. }));
    let text = error.to_string();
    assert!(text.contains(&server.address.to_string()) && text.contains("--port"), "{text}");
}
