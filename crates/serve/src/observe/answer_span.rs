//! The span of an answer, made of what is heard of it.

use super::OpenSpan;
use crate::answer::AnswerEvent;
use crate::api_error::ApiError;

/// The span of an answer, where its request has one. Dropped before the end, the answer was abandoned.
pub(crate) struct AnswerSpan {
    open: Option<OpenSpan>,
    has_begun: bool,
    is_over: bool,
}

impl AnswerSpan {
    /// An answer by this model begins.
    pub(crate) fn begin(model: &str) -> AnswerSpan {
        AnswerSpan { open: OpenSpan::of_answer(model), has_begun: false, is_over: false }
    }

    /// Something is heard of it.
    pub(crate) fn heard(&mut self, event: &Result<AnswerEvent, ApiError>) {
        let Some(span) = &mut self.open else { return };
        let is_spoken = matches!(event, Ok(AnswerEvent::Piece(_) | AnswerEvent::Done(_)));
        if is_spoken && !std::mem::replace(&mut self.has_begun, true) {
            span.first_token();
        }
        match event {
            Ok(AnswerEvent::Done(answer)) => span.whole(answer),
            Err(error) => span.failed(error),
            Ok(_) => return,
        }
        self.is_over = true;
    }
}

impl Drop for AnswerSpan {
    fn drop(&mut self) {
        if let Some(span) = self.open.as_mut().filter(|_| !self.is_over) {
            span.abandoned();
        }
    }
}
