//! Connections that do nothing, send slowly, or do not read.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures::stream::repeat_with;
use stateset_serve::ServeConfig;
use stateset_serve::limits::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::running::{open, start, start_with, until};

#[tokio::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let limits = Limits { header_timeout: Duration::from_millis(200), ..Limits::default() };
    let server = start(ServeConfig { limits, ..open() });
    for sent in ["", "GET /live HTTP/1.1\r\nHost: localhost\r\nX-Slow:"] {
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        connection.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let closed = connection.read_to_end(&mut answer);
        tokio::time::timeout(Duration::from_secs(10), closed).await.unwrap().unwrap();
        assert!(!String::from_utf8_lossy(&answer).contains("200"), "{sent}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_loses_its_place() {
    let endless = async || {
        let chunks = repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 65536])));
        Body::from_stream(chunks)
    };
    let limits = Limits { write_timeout: Duration::from_millis(300), ..Limits::default() };
    let routes = Router::new().route("/test/endless", get(endless));
    let server = start_with(ServeConfig { limits, ..open() }, routes);
    let mut connection = TcpStream::connect(server.address).await.unwrap();
    connection.write_all(b"GET /test/endless HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let http = server.app.observed().http();
    until("the request begins", || http.in_progress() == 1).await;
    until("the place is free", || http.in_progress() == 0).await;
}

#[tokio::test]
async fn a_client_that_goes_away_frees_its_place() {
    let silent =
        async || Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
    let routes = Router::new().route("/test/silent", get(silent));
    let server = start_with(open(), routes);
    let answer = server.get("/test/silent").send().await.unwrap();
    let http = server.app.observed().http();
    assert_eq!(http.in_progress(), 1);
    drop(answer);
    until("the place is free", || http.in_progress() == 0).await;
}

/// Both ends are in this process, so the limit of open files is met at half of it.
fn most_connections(wanted: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let soft = files.split_whitespace().nth(3).and_then(|n| n.parse::<usize>().ok());
    wanted.min((soft.unwrap_or(usize::MAX) - 200) / 2)
}

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

async fn idle_connections_are_cheap(wanted: usize) {
    let server = start(open());
    assert_eq!(server.get("/live").send().await.unwrap().status(), 200);
    let n = most_connections(wanted);
    let before = resident_kib();
    let mut idle = Vec::with_capacity(n);
    for _ in 0..n {
        idle.push(TcpStream::connect(server.address).await.unwrap());
    }
    assert_eq!(server.get("/live").send().await.unwrap().status(), 200);
    assert_eq!(server.get("/v1/models").send().await.unwrap().status(), 200);
    let per_connection = resident_kib().saturating_sub(before) as f64 / n as f64;
    assert!(per_connection < 32.0, "{per_connection:.1} KiB for each of {n}, both ends");
}

#[tokio::test]
async fn a_thousand_idle_connections_are_cheap() {
    idle_connections_are_cheap(1000).await;
}

#[tokio::test]
#[ignore = "opens as many files as the system lets it"]
async fn ten_thousand_idle_connections_are_cheap() {
    idle_connections_are_cheap(10_000).await;
}
