//! How many conversations a server holds, how long they wait for the next message, and whether they are
//! written down.
//!
//! A conversation is under way while its last message is not too old. That is asked of the database when
//! it matters, so nothing has to run beside the server and servers that share a database agree. A
//! conversation that has ended stays to be read and takes no more messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use stateset_core::{Message, MessageRecord};

use super::turn::Said;
use crate::api_error::ApiError;
use crate::lines_file::LinesFile;
use crate::store::{ConversationRow, Store, millis};

/// What holds for conversations. The default sets no limit and writes nothing down.
#[derive(Clone, Debug, Default)]
pub struct ConversationRules {
    /// Conversations under way at the same time; without [`ConversationRules::idle`] all that are kept.
    pub most: Option<usize>,
    /// How long a conversation waits for its next message before it ends.
    pub idle: Option<Duration>,
    /// Where each turn is written down.
    pub log: Option<LinesFile>,
    /// Conversations that begin and are not in the database yet.
    beginning: Arc<AtomicUsize>,
}

/// A place for a conversation that begins, until it is dropped.
pub(super) struct Beginning(Arc<AtomicUsize>);

impl Drop for Beginning {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Places come free when people delete conversations, too; until then it is asked again.
const RETRY: Duration = Duration::from_secs(30);

impl ConversationRules {
    /// Rules with these limits.
    pub fn new(most: Option<usize>, idle: Option<Duration>, log: Option<LinesFile>) -> Self {
        ConversationRules { most, idle, log, beginning: Arc::default() }
    }

    /// A place for a new conversation.
    ///
    /// # Errors
    /// [`ApiError`] 503 where all are taken, with the time until the next conversation may end.
    pub(super) async fn begin(&self, store: &Store) -> Result<Beginning, ApiError> {
        let n_others = self.beginning.fetch_add(1, Ordering::Relaxed);
        let place = Beginning(self.beginning.clone());
        let Some(most) = self.most else { return Ok(place) };
        let (now, idle) = (store.now(), self.idle.map(millis));
        let since = idle.map_or(i64::MIN, |idle| now - idle);
        let (n, oldest) = store.conversations_since(since).await?;
        if n_others + usize::try_from(n).unwrap_or(usize::MAX) < most {
            return Ok(place);
        }
        let ends_in = idle.zip(oldest).map(|(idle, oldest)| oldest.saturating_add(idle) - now);
        let wait = ends_in.map_or(RETRY, |wait| Duration::from_millis(wait.max(1) as u64));
        let message =
            format!("{most} conversations are under way, which is as many as this server holds");
        let error =
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_conversations", message);
        Err(error.retry_after(wait))
    }

    /// That a conversation has not ended.
    ///
    /// # Errors
    /// [`ApiError`] 410 where it has.
    pub(super) fn check_open(&self, store: &Store, row: &ConversationRow) -> Result<(), ApiError> {
        match self.idle {
            Some(idle) if row.updated_at.saturating_add(millis(idle)) < store.now() => {
                let message = format!(
                    "the conversation ended because nothing was said for {} s; begin a new one",
                    idle.as_secs_f64()
                );
                Err(ApiError::new(StatusCode::GONE, "conversation_ended", message))
            }
            _ => Ok(()),
        }
    }

    /// Writes a turn down. What cannot be written is told to the log of the program: the turn itself is in
    /// the database.
    pub(super) async fn note(&self, now: i64, said: &Said, messages: &[Message]) {
        let Some(log) = self.log.clone() else { return };
        let line = line(now, said, messages).to_string();
        let written = tokio::task::spawn_blocking(move || log.append(&line)).await;
        let problem = match written {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::error!(problem, "a turn is missing in the log of conversations");
    }
}

fn line(now: i64, said: &Said, messages: &[Message]) -> Value {
    let messages: Vec<Value> = messages
        .iter()
        .map(|message| serde_json::to_value(MessageRecord::from(message)).unwrap_or_default())
        .collect();
    json!({
        "time": now / 1000, "conversation_id": said.conversation_id, "model": said.model,
        "messages": messages,
    })
}
