//! One program's calls, between its HTTP requests and its episode.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use stateset_core::{Completion, Message, ToolSpec};
use subtle::ConstantTimeEq;
use tokio::sync::{mpsc, oneshot};

use super::reward::Verdict;
use super::world::World;
use crate::answer::{AnswerRequest, Prompt, Speaker};
use crate::api_error::ApiError;
use axum::http::StatusCode;

/// A call of the model, waiting for its answer.
pub(super) struct Call {
    /// The conversation.
    pub(super) messages: Vec<Message>,
    /// Tools the program offers.
    pub(super) tools: Vec<ToolSpec>,
    /// Where the answer goes.
    pub(super) answer: oneshot::Sender<Completion>,
}

/// One program's calls, as its HTTP requests see them.
pub(super) struct Session {
    key: String,
    calls: mpsc::Sender<Call>,
    verdict: Mutex<Option<Verdict>>,
    /// The run's own environment, where it has one.
    pub(super) world: Option<World>,
}

impl Session {
    /// A session that only holders of `key` may use, and its calls.
    pub(super) fn new(key: String, world: Option<World>) -> (Session, mpsc::Receiver<Call>) {
        // Programs that call the model several times at once are answered one after the other.
        let (calls, heard) = mpsc::channel(1);
        (Session { key, calls, verdict: Mutex::new(None), world }, heard)
    }

    /// True for the session's own key.
    pub(super) fn opens_with(&self, key: &str) -> bool {
        self.key.as_bytes().ct_eq(key.as_bytes()).into()
    }

    /// Keeps the program's own verdict.
    ///
    /// # Errors
    /// [`ApiError`] 409 for a second one.
    pub(super) fn judge(&self, verdict: Verdict) -> Result<(), ApiError> {
        let mut kept = self.verdict.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_some() {
            let message = "this sample has a reward already; each gets one";
            return Err(ApiError::new(StatusCode::CONFLICT, "reward_given", message));
        }
        *kept = Some(verdict);
        Ok(())
    }

    /// The program's own verdict, where it gave one.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Speaker for Session {
    async fn answer(&self, request: AnswerRequest) -> Result<Completion, ApiError> {
        let Prompt::Chat { messages, tools } = request.prompt else {
            let message = "only conversations can be trained; call /v1/chat/completions";
            return Err(ApiError::invalid("prompt", message));
        };
        let over = || {
            let message = "the episode is over; its last call was answered";
            ApiError::new(StatusCode::CONFLICT, "episode_over", message)
        };
        let (answer, answered) = oneshot::channel();
        self.calls.send(Call { messages, tools, answer }).await.map_err(|_| over())?;
        answered.await.map_err(|_| over())
    }
}
