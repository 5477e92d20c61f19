//! `POST /v1/messages/count_tokens`.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use stateset_core::{Message, ToolSpec};
use utoipa::ToSchema;

use super::conversation::conversation;
use super::request::CountRequest;
use super::tools::{Abilities, abilities};
use crate::App;
use crate::api_error::ApiError;
use crate::body::JsonBody;
use crate::models::{ServedModel, Voice};
use crate::wire::begin_with_system;

/// How long a conversation is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Count {
    /// Its tokens, with all that the template puts around them; words for models without tokens.
    pub input_tokens: usize,
}

/// Counts the tokens of a conversation
#[utoipa::path(
    post,
    path = "/v1/messages/count_tokens",
    tag = "anthropic",
    request_body = CountRequest,
    responses(
        (status = 200, description = "The number", body = Count),
    )
)]
pub(super) async fn count(
    State(app): State<App>,
    JsonBody(request): JsonBody<CountRequest>,
) -> Result<Json<Count>, ApiError> {
    let model = app.models().find(Some(&request.model))?;
    let mut messages = conversation(request.system, request.messages)?;
    begin_with_system(&model, &mut messages);
    let Abilities { tools, .. } = abilities(request.tools, request.tool_choice)?;
    Ok(Json(Count { input_tokens: n_tokens(&model, &messages, &tools)? }))
}

fn n_tokens(
    model: &ServedModel,
    messages: &[Message],
    tools: &[ToolSpec],
) -> Result<usize, ApiError> {
    match &model.voice {
        Voice::Local(policy) => {
            let tokens = policy.format().prompt(messages, tools);
            let tokens =
                tokens.map_err(|error| ApiError::invalid("messages", error.to_string()))?;
            Ok(tokens.len())
        }
        Voice::Stub(_) | Voice::Speaker(_) => {
            let words = |message: &Message| message.content.split_whitespace().count();
            Ok(messages.iter().map(words).sum())
        }
    }
}
