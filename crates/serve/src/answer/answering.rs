//! An answer under way.

use std::sync::Arc;

use stateset_core::PolicyError;
use tokio::sync::mpsc;

use super::{Answer, AnswerEvent, AnswerRequest, canned, local, spoken};
use crate::api_error::ApiError;
use crate::models::{ServedModel, Voice};
use crate::observe::{AnswerSpan, Watching};

/// An answer under way. Dropping it ends the sampling within one step of the engine.
///
/// Events wait for a slow reader without a bound of their own: there are no more of them than tokens may
/// be drawn.
pub struct Answering {
    events: mpsc::UnboundedReceiver<Result<AnswerEvent, ApiError>>,
    watching: Watching,
    span: AnswerSpan,
}

/// Where events go.
pub(super) struct Says(mpsc::UnboundedSender<Result<AnswerEvent, ApiError>>);

impl Says {
    /// Says it, whether or not somebody still listens.
    pub(super) fn say(&self, event: AnswerEvent) {
        let _ = self.0.send(Ok(event));
    }
}

impl Answering {
    /// Begins to answer. The answer keeps the weights it began with. The first event says whether the
    /// request is accepted.
    pub fn begin(model: Arc<ServedModel>, request: AnswerRequest) -> Answering {
        let (sender, events) = mpsc::unbounded_channel();
        let says = Says(sender);
        let watching = model.watch.begin();
        let span = AnswerSpan::begin(&model.name);
        tokio::spawn(async move {
            let answered = tokio::select! {
                answered = answer(&model, request, &says) => answered,
                () = says.0.closed() => return,
            };
            let _ = says.0.send(answered.map(|answer| AnswerEvent::Done(Box::new(answer))));
        });
        Answering { events, watching, span }
    }

    /// The next event; `None` after the end or an error.
    ///
    /// # Errors
    /// [`ApiError`] where the request cannot be answered; nothing follows it.
    pub async fn next(&mut self) -> Option<Result<AnswerEvent, ApiError>> {
        let event = self.events.recv().await;
        match &event {
            Some(Ok(AnswerEvent::Piece(_))) => self.watching.piece(),
            Some(Ok(AnswerEvent::Done(answer))) => self.watching.done(answer),
            _ => {}
        }
        if let Some(event) = &event {
            self.span.heard(event);
        }
        event
    }

    /// Waits for the whole answer.
    ///
    /// # Errors
    /// As [`Answering::next`].
    pub async fn whole(mut self) -> Result<Answer, ApiError> {
        while let Some(event) = self.next().await {
            if let AnswerEvent::Done(answer) = event? {
                return Ok(*answer);
            }
        }
        Err(ApiError::internal("an answer ended without its end"))
    }
}

async fn answer(
    model: &Arc<ServedModel>,
    request: AnswerRequest,
    says: &Says,
) -> Result<Answer, ApiError> {
    request.check()?;
    match &model.voice {
        Voice::Local(policy) => local::answer(model, policy, request, says).await,
        Voice::Stub(stub) => canned::answer(stub, &request, model.version, says),
        Voice::Speaker(speaker) => spoken::answer(speaker, request, model.version, says).await,
    }
}

/// What a client is told when a model cannot answer; `field` is where the prompt stands.
pub(crate) fn policy_error(error: PolicyError, field: &str) -> ApiError {
    match &error {
        PolicyError::ContextFull { needed, limit } => {
            let message =
                format!("it needs {needed} tokens and the model reads {limit}; shorten it");
            ApiError::invalid(field, message).coded("context_length_exceeded")
        }
        PolicyError::Template { turn, message } => {
            ApiError::invalid(format!("{field}[{turn}]"), message.clone())
        }
        _ => ApiError::internal(error),
    }
}
