//! Answers of a [`Speaker`]: whole, as one piece.

use std::sync::Arc;

use stateset_core::PolicyVersion;

use super::answering::Says;
use super::{Answer, AnswerEvent, AnswerRequest, Begun, Piece, Speaker};
use crate::api_error::ApiError;

pub(super) async fn answer(
    speaker: &Arc<dyn Speaker>,
    request: AnswerRequest,
    version: PolicyVersion,
    says: &Says,
) -> Result<Answer, ApiError> {
    let completion = speaker.answer(request).await?;
    says.say(AnswerEvent::Begun(Begun { prompt_tokens: Vec::new(), n_prompt: 0, version }));
    let message = &completion.message;
    let text = message.content.clone();
    let reasoning = message.reasoning.clone().unwrap_or_default();
    let n_drawn = text.split_whitespace().count();
    says.say(AnswerEvent::Piece(Piece { text, reasoning, ..Piece::default() }));
    for call in &message.tool_calls {
        says.say(AnswerEvent::Call(call.clone()));
    }
    Ok(Answer {
        message: completion.message,
        prompt_tokens: Vec::new(),
        tokens: Vec::new(),
        n_prompt: 0,
        n_cached: None,
        n_drawn,
        finish: completion.finish,
        stopped_by: None,
        is_steered: false,
        version,
    })
}
