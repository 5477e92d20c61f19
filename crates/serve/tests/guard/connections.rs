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

use super::running::{open, start, start_tiny, start_with, until};

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

#[tokio::test]
async fn a_client_that_goes_away_in_the_middle_of_a_stream_ends_its_answer() {
    let server = start_tiny(open());
    let body = r#"{"stream": true, "max_tokens": 4000, "temperature": 2, "logit_bias": {"0": -100}, "messages": [{"role": "user",
        "content": "Tell me everything."}]}"#;
    let head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n";
    let kind = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    let ended = async |name: &str| {
        let text = server.metrics("").await;
        let line = format!("{name}{{model=\"builtin:tiny\"}} ");
        text.lines().find_map(|l| l.strip_prefix(&line)).unwrap().parse::<usize>().unwrap()
    };
    // None ends by itself, for the token that ends an answer is biased away. Twice as many as can be answered at a time: each has to give its place to the next.
    for n_gone in 1..=4 {
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        connection.write_all([head, &kind, body].concat().as_bytes()).await.unwrap();
        let (mut heard, mut piece) = (Vec::new(), [0; 1024]);
        while !heard.windows(9).any(|bytes| bytes == b"\"content\"") {
            let n = connection.read(&mut piece).await.unwrap();
            assert!(n > 0, "{}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&piece[..n]);
        }
        drop(connection);
        while ended("stateset_answers_abandoned_total").await < n_gone {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    while ended("stateset_engine_running_requests").await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let http = server.app.observed().http();
    until("no request is left", || http.in_progress() == 0).await;
}

#[tokio::test]
async fn what_is_no_http_is_answered_or_cut_off_and_disturbs_nobody() {
    let server = start(open());
    let long = format!("GET /live HTTP/1.1\r\nX-Long: {}\r\n\r\n", "x".repeat(1 << 20));
    let sent: [&[u8]; 6] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"nonsense\r\n\r\n",
        b"GET /live HTTP/9.9\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\
          Content-Type: application/json\r\n\r\nzz\r\n",
        long.as_bytes(),
    ];
    for bytes in sent {
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        // It may be cut off while it still sends.
        let _ = connection.write_all(bytes).await;
        let _ = connection.shutdown().await;
        let mut answer = Vec::new();
        let read = connection.read_to_end(&mut answer);
        let _ = tokio::time::timeout(Duration::from_secs(10), read).await.unwrap();
        let text = String::from_utf8_lossy(&answer);
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 4"), "{text}");
        assert_eq!(server.get("/live").send().await.unwrap().status(), 200);
    }
}

/// So many connections, or as many as the system lets this process have: both ends are in it.
fn most_connections(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, most) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    let files = files.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    wanted.min((files - 200) / 2)
}

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn ten_thousand_idle_connections_are_cheap() {
    let server = start(open());
    assert_eq!(server.get("/live").send().await.unwrap().status(), 200);
    let n = most_connections(10_000);
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
