//! A model behind a server: a thread that answers chat completions for whoever has the key `s3cret`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

/// What the model says to a request, head and body.
pub(crate) type Says = fn(&str) -> String;

/// Its address, and how often it was asked.
pub(crate) fn serve(says: Says) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = count.clone();
            std::thread::spawn(move || answer(stream, &count, says));
        }
    });
    (url, asked)
}

fn answer(mut stream: TcpStream, count: &AtomicUsize, says: Says) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let asked = loop {
        let n = stream.read(&mut buffer).unwrap_or(0);
        if n == 0 {
            return;
        }
        bytes.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if length.and_then(|length| length.parse().ok()).is_some_and(|n: usize| body.len() >= n) {
            break text;
        }
    };
    let is_known = asked.contains("authorization: Bearer s3cret");
    count.fetch_add(1, Ordering::SeqCst);
    let body = json!({
        "choices": [{"message": {"role": "assistant", "content": says(&asked)}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 10},
    })
    .to_string();
    let status = if is_known { "200 OK" } else { "401 Unauthorized" };
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}", body.len());
    let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
}
