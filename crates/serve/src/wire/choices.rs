//! Several answers to one request, side by side.

use std::pin::Pin;
use std::sync::Arc;

use futures::future::try_join_all;
use futures::stream::{self, Stream, StreamExt, select_all};

use super::field_names::{FieldNames, renamed};
use crate::answer::{Answer, AnswerEvent, AnswerRequest, Answering};
use crate::api_error::ApiError;
use crate::models::ServedModel;

/// What is heard of several answers, each event with the number of its answer. Dropping it ends them.
pub(crate) type Heard = Pin<Box<dyn Stream<Item = (usize, Result<AnswerEvent, ApiError>)> + Send>>;

/// Begins all answers and hears them as they come; fields in errors are called by `names`. An answer that
/// breaks off without its end is an error.
pub(crate) fn hear(
    model: &Arc<ServedModel>,
    requests: Vec<AnswerRequest>,
    names: FieldNames,
) -> Heard {
    let one = move |(index, request)| {
        let answering = Answering::begin(Arc::clone(model), request);
        let events = stream::unfold(Some(answering), move |answering| async move {
            let mut answering = answering?;
            let event = answering
                .next()
                .await
                .unwrap_or_else(|| Err(ApiError::internal("an answer ended without its end")));
            let event = event.map_err(|error| renamed(error, names));
            let goes_on = matches!(
                event,
                Ok(AnswerEvent::Begun(_) | AnswerEvent::Piece(_) | AnswerEvent::Call(_))
            );
            Some(((index, event), goes_on.then_some(answering)))
        });
        events.boxed()
    };
    select_all(requests.into_iter().enumerate().map(one)).boxed()
}

/// Begins all answers and waits for all of them.
///
/// # Errors
/// The first [`ApiError`]; the other answers are given up.
pub(crate) async fn wholes(
    model: &Arc<ServedModel>,
    requests: Vec<AnswerRequest>,
) -> Result<Vec<Answer>, ApiError> {
    let one = |request| Answering::begin(Arc::clone(model), request).whole();
    try_join_all(requests.into_iter().map(one)).await
}
