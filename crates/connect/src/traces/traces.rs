//! Spans on their way to a collector.
//!
//! Whoever finishes a span puts it into a bounded queue and never waits: where the collector is away or
//! slow, spans are lost and counted, and answers are not held up. A batch is sent when it is full or a
//! second old; one that is refused for the moment is tried again a few times, as OTLP has it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::settings::WHO;
use super::wire::encoded;
use super::{Span, TraceSettings};
use crate::RemoteError;
use crate::remote::{http_client, no_answer};

/// Spans that may wait.
const MAX_WAITING: usize = 2048;
/// Spans of a batch.
const MAX_BATCH: usize = 512;
/// How long the first span of a batch waits for others.
const EVERY: Duration = Duration::from_secs(1);
/// How long a collector may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Pauses before a batch is sent again.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];
/// How long the end of a program waits for the last batch.
const LAST: Duration = Duration::from_secs(5);

/// Takes finished spans. Clones put them into the same queue.
#[derive(Clone, Debug)]
pub struct Traces {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    queue: mpsc::Sender<Note>,
    n_lost: AtomicU64,
    /// Until [`Traces::send`] takes it.
    sender: Mutex<Option<Sender>>,
}

#[derive(Debug)]
struct Sender {
    heard: mpsc::Receiver<Note>,
    client: Client,
    settings: TraceSettings,
}

#[derive(Debug)]
enum Note {
    Span(Box<Span>),
    /// Everything before it is to be sent now; it is told when that is done.
    Flush(oneshot::Sender<()>),
}

impl Traces {
    /// A queue, which nobody empties yet.
    ///
    /// # Errors
    /// [`RemoteError::BadSetting`] where the machine has no certificates that can be used.
    pub fn new(settings: TraceSettings) -> Result<Traces, RemoteError> {
        let client = http_client(WHO, LIMIT)?;
        let (queue, heard) = mpsc::channel(MAX_WAITING);
        let sender = Mutex::new(Some(Sender { heard, client, settings }));
        Ok(Traces { inner: Arc::new(Inner { queue, n_lost: AtomicU64::new(0), sender }) })
    }

    /// Takes a span, or loses it where too many wait.
    pub fn add(&self, span: Span) {
        if self.inner.queue.try_send(Note::Span(Box::new(span))).is_err() {
            self.lose(1);
        }
    }

    /// Spans that were lost so far.
    pub fn n_lost(&self) -> u64 {
        self.inner.n_lost.load(Ordering::Relaxed)
    }

    fn lose(&self, n: usize) {
        self.inner.n_lost.fetch_add(n as u64, Ordering::Relaxed);
    }

    /// Sends spans, for ever. Only the first call does anything.
    pub async fn send(self) {
        let taken = self.inner.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut sender) = taken else { return };
        while let Some(first) = sender.heard.recv().await {
            let mut batch = Batch::default();
            batch.take(first);
            let due = Instant::now() + EVERY;
            while !batch.is_due() {
                match timeout_at(due, sender.heard.recv()).await {
                    Ok(Some(note)) => batch.take(note),
                    _ => break,
                }
            }
            let n_spans = batch.spans.len();
            if let Err(error) = sender.deliver(batch.spans).await {
                tracing::warn!(%error, n_spans, "spans are lost");
                self.lose(n_spans);
            }
            for flushed in batch.flushes {
                // Whoever waited may be gone.
                let _ = flushed.send(());
            }
        }
    }

    /// Waits until all spans so far were sent, for a few seconds at most. Waits for nothing where nobody
    /// sends.
    pub async fn flush(&self) {
        if self.inner.sender.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return;
        }
        let (flushed, is_flushed) = oneshot::channel();
        let flush = async {
            if self.inner.queue.send(Note::Flush(flushed)).await.is_ok() {
                let _ = is_flushed.await;
            }
        };
        if timeout(LAST, flush).await.is_err() {
            tracing::warn!("the last spans are lost: the collector takes too long");
        }
    }
}

#[derive(Default)]
struct Batch {
    spans: Vec<Span>,
    flushes: Vec<oneshot::Sender<()>>,
}

impl Batch {
    fn take(&mut self, note: Note) {
        match note {
            Note::Span(span) => self.spans.push(*span),
            Note::Flush(flushed) => self.flushes.push(flushed),
        }
    }

    fn is_due(&self) -> bool {
        self.spans.len() >= MAX_BATCH || !self.flushes.is_empty()
    }
}

impl Sender {
    async fn deliver(&self, spans: Vec<Span>) -> Result<(), RemoteError> {
        if spans.is_empty() {
            return Ok(());
        }
        let body = encoded(&self.settings.service, env!("CARGO_PKG_VERSION"), spans);
        for pause in PAUSES {
            match self.post(body.clone()).await {
                Ok(response) if response.status().is_success() => return Ok(()),
                Ok(response) if !may_pass(response.status()) => return Err(refused(&response)),
                _ => sleep(pause).await,
            }
        }
        match self.post(body).await? {
            response if response.status().is_success() => Ok(()),
            response => Err(refused(&response)),
        }
    }

    async fn post(&self, body: Vec<u8>) -> Result<Response, RemoteError> {
        let request = self.client.post(self.settings.url.clone());
        let request = request.headers(self.settings.headers.clone());
        let request = request.header("content-type", "application/x-protobuf").timeout(LIMIT);
        request.body(body).send().await.map_err(|error| no_answer(WHO, LIMIT, error))
    }
}

/// The answers after which OTLP has a batch sent again.
fn may_pass(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

fn refused(response: &Response) -> RemoteError {
    let (status, message) = (response.status().as_u16(), String::new());
    RemoteError::Status { who: WHO.to_owned(), status, message, retry_after: None }
}
