//! One program's calls, between its HTTP requests and its episode.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use stateset_core::{Completion, Message, ToolSpec};
use subtle::ConstantTimeEq;
use tokio::sync::{mpsc, oneshot, watch};

use super::offer::Offer;
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
pub(crate) struct Session {
    key: String,
    calls: mpsc::Sender<Call>,
    verdict: Mutex<Option<Verdict>>,
    /// What a program elsewhere said at the end of its sample: why it failed, or nothing.
    end: watch::Sender<Option<Option<String>>>,
    /// How it is offered to programs elsewhere; `None` where a program was started for it.
    pub(crate) offer: Option<Offer>,
    /// The run's own environment, where it has one.
    pub(super) world: Option<World>,
}

impl Session {
    /// A session that only holders of `key` may use, and its calls.
    pub(super) fn new(
        key: String,
        world: Option<World>,
        offer: Option<Offer>,
    ) -> (Session, mpsc::Receiver<Call>) {
        // Programs that call the model several times at once are answered one after the other.
        let (calls, heard) = mpsc::channel(1);
        let (verdict, end) = (Mutex::new(None), watch::Sender::new(None));
        (Session { key, calls, verdict, end, offer, world }, heard)
    }

    /// What opens it.
    pub(crate) fn key(&self) -> &str {
        &self.key
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

    /// Takes the sample for a program elsewhere; false where it is not offered, or taken already.
    pub(super) fn is_taken_now(&self) -> bool {
        self.offer.as_ref().is_some_and(Offer::take)
    }

    /// Ends the sample, for the reason `failure` where it failed.
    ///
    /// # Errors
    /// [`ApiError`] 409 where it has ended, or ends with its program.
    pub(super) fn end(&self, failure: Option<String>) -> Result<(), ApiError> {
        if self.offer.is_none() {
            let message = "this sample ends when the program that was started for it ends";
            return Err(ApiError::new(StatusCode::CONFLICT, "ends_with_program", message));
        }
        let mut failure = Some(failure);
        let is_first = self.end.send_if_modified(|end| {
            let is_first = end.is_none();
            if is_first {
                *end = failure.take();
            }
            is_first
        });
        if is_first { Ok(()) } else { Err(over()) }
    }

    /// Waits for the end; why the sample failed, where it did.
    pub(super) async fn ended(&self) -> Option<String> {
        let mut end = self.end.subscribe();
        let said = end.wait_for(Option::is_some).await;
        said.ok().and_then(|end| end.clone()).flatten()
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
        if self.end.borrow().is_some() {
            return Err(over());
        }
        let (answer, answered) = oneshot::channel();
        self.calls.send(Call { messages, tools, answer }).await.map_err(|_| over())?;
        answered.await.map_err(|_| over())
    }
}

fn over() -> ApiError {
    let message = "the episode is over; its last call was answered";
    ApiError::new(StatusCode::CONFLICT, "episode_over", message)
}
