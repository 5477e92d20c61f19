//! One connection to a server: started, spoken through, and over when the server is gone.
//!
//! What a program that was started writes to its error output is kept, the end of it, because it says
//! why it ended.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use rmcp::service::{RoleClient, RunningService, serve_client};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::server::{McpSettings, McpTransport};
use crate::remote::{RemoteError, Secret, checked_url, http_client};

/// Bytes of a program's error output that are kept.
const MAX_KEPT_BYTES: usize = 2000;

/// How long a program that ended may take to say its last words.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A running connection.
pub(super) struct Connection {
    pub(super) service: RunningService<RoleClient, ()>,
    errors: Arc<Mutex<String>>,
}

impl Connection {
    /// Starts or reaches the server and greets it.
    ///
    /// # Errors
    /// [`RemoteError`] naming it.
    pub(super) async fn open(who: &str, settings: &McpSettings) -> Result<Connection, RemoteError> {
        let errors = Arc::new(Mutex::new(String::new()));
        let limit = settings.start_timeout;
        let opened = tokio::time::timeout(limit, greeted(who, settings, errors.clone())).await;
        match opened {
            Ok(Ok(service)) => Ok(Connection { service, errors }),
            Ok(Err(RemoteError::Closed { who, cause })) => {
                let cause = cause + &last_words(&errors).await;
                Err(RemoteError::Unreachable { who, cause })
            }
            Ok(Err(error)) => Err(error),
            Err(_) => {
                let limit_secs = limit.as_secs_f64();
                Err(RemoteError::TimedOut { who: who.to_owned(), limit_secs })
            }
        }
    }

    /// True once nothing can be asked any more.
    pub(super) fn is_over(&self) -> bool {
        self.service.is_closed() || self.service.peer().is_transport_closed()
    }

    /// What the server wrote last to its error output.
    pub(super) async fn last_words(&self) -> String {
        last_words(&self.errors).await
    }
}

async fn greeted(
    who: &str,
    settings: &McpSettings,
    errors: Arc<Mutex<String>>,
) -> Result<RunningService<RoleClient, ()>, RemoteError> {
    let closed = |cause: String| RemoteError::Closed { who: who.to_owned(), cause };
    match &settings.transport {
        McpTransport::Stdio { program, arguments, env } => {
            let mut command = Command::new(program);
            command.args(arguments).kill_on_drop(true);
            command.envs(env.iter().map(|(name, value)| (name, value.reveal())));
            let spawned = TokioChildProcess::builder(command).stderr(Stdio::piped()).spawn();
            let (child, stderr) = spawned.map_err(|error| RemoteError::Unreachable {
                who: who.to_owned(),
                cause: format!("{program} cannot be started: {error}"),
            })?;
            if let Some(stderr) = stderr {
                tokio::spawn(keep_end(stderr, errors));
            }
            serve_client((), child).await.map_err(|error| closed(error.to_string()))
        }
        McpTransport::Http { url, headers } => {
            let url = checked_url(who, "url", url)?;
            let client = http_client(who, settings.start_timeout)?;
            let config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
                .custom_headers(custom_headers(who, headers)?);
            let transport = StreamableHttpClientTransport::with_client(client, config);
            serve_client((), transport).await.map_err(|error| closed(error.to_string()))
        }
    }
}

fn custom_headers(
    who: &str,
    given: &[(String, Secret)],
) -> Result<HashMap<HeaderName, HeaderValue>, RemoteError> {
    let header = |(name, value): &(String, Secret)| {
        let bad = || {
            let problem = "its name or its value is none that a header can have";
            RemoteError::setting(who, &format!("headers.{name}"), problem)
        };
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        let mut value = HeaderValue::from_str(value.reveal()).map_err(|_| bad())?;
        value.set_sensitive(true);
        Ok((key, value))
    };
    given.iter().map(header).collect()
}

/// Reads until the end and keeps the last bytes.
async fn keep_end(mut from: impl AsyncRead + Unpin, kept: Arc<Mutex<String>>) {
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_str(&String::from_utf8_lossy(&buffer[..n]));
        let mut cut = kept.len().saturating_sub(MAX_KEPT_BYTES);
        while !kept.is_char_boundary(cut) {
            cut += 1;
        }
        kept.drain(..cut);
    }
}

async fn last_words(errors: &Mutex<String>) -> String {
    // Its end and its last words come by two pipes, and the end may be first.
    tokio::time::sleep(LAST_WORDS).await;
    let kept = errors.lock().unwrap_or_else(PoisonError::into_inner);
    let last: Vec<&str> =
        kept.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
    let lines: Vec<&str> = last.into_iter().rev().collect();
    if lines.is_empty() { String::new() } else { format!("; it wrote {:?}", lines.join("\n")) }
}
