//! An HTTP server that gives the answers it was told to, in order, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Answers.
    Say(u16, Vec<(&'static str, String)>, String),
    /// Answers after a while.
    Late(Duration, String),
    /// Never answers.
    Hang,
    /// Ends the connection in the middle of its answer.
    Cut,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// First line and headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub(crate) struct StandIn {
    pub(crate) base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A chat completion that says `content` and used 10 tokens in, 5 out.
pub(crate) fn says(content: &str) -> Reply {
    Reply::Say(200, Vec::new(), completion(content))
}

pub(crate) fn completion(content: &str) -> String {
    serde_json::json!({
        "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5},
    })
    .to_string()
}

pub(crate) fn status(status: u16, text: &str) -> Reply {
    Reply::Say(status, Vec::new(), text.to_owned())
}

impl StandIn {
    /// Gives `replies` in order; the last one again and again.
    pub(crate) async fn with(replies: Vec<Reply>) -> StandIn {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        tokio::spawn(async move {
            let mut next = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let reply = replies[next.min(replies.len() - 1)].clone();
                next += 1;
                tokio::spawn(serve(stream, reply, seen.clone()));
            }
        });
        StandIn { base, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, reply: Reply, seen: Arc<Mutex<Vec<Asked>>>) {
    let Some(asked) = read(&mut stream).await else { return };
    seen.lock().unwrap().push(asked);
    let (status, headers, body) = match reply {
        Reply::Say(status, headers, body) => (status, headers, body),
        Reply::Late(time, body) => {
            tokio::time::sleep(time).await;
            (200, Vec::new(), body)
        }
        Reply::Hang => return std::future::pending().await,
        Reply::Cut => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"cho").await;
            return;
        }
    };
    let mut text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("connection: close\r\n\r\n");
    text.push_str(&body);
    let _ = stream.write_all(text.as_bytes()).await;
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let n = stream.read(&mut buffer).await.ok()?;
        bytes.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let (first, rest) = head.split_once("\r\n").unwrap_or((head, ""));
            let head = format!("{first}\r\n{}", rest);
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return Some(Asked { head, body: body.to_owned() });
            }
        }
        if n == 0 {
            return None;
        }
    }
}

/// A port at which nobody listens.
pub(crate) async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
