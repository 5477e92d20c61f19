//! Conversations under the names of two further documents: `/api/chat` and `/chat/start`.
//!
//! | method and path | success |
//! |---|---|
//! | `POST /api/chat` | 200, the answer; begins a conversation where none is named |
//! | `POST /chat/start` | 201, a conversation; with a first message also its answer |
//! | `POST /chat/{id}/message` | 200, the answer |
//! | `GET /chat/{id}/history` | 200, all messages |
//! | `DELETE /chat/{id}` | 204 |

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use stateset_core::Message;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{OnceHeader, check_text, unusable, with_key};
use crate::App;
use crate::agents::SamplingWish;
use crate::api_error::{ApiError, OwnError};
use crate::body::OptionalJson;
use crate::conversations::{
    Ask, Caller, ChatMetadata, ConversationAnswer, MAX_MESSAGE_CHARS, Turn, add_message,
    checked_metadata, one, remove, say,
};

#[derive(OpenApi)]
#[openapi(paths(chat, start))]
pub(crate) struct ChatPaths;

pub(super) fn chat_routes() -> Router<App> {
    Router::new()
        .route("/api/chat", post(chat))
        .route("/v1/chat", post(chat))
        .route("/api/v2/chat", post(chat))
        .route("/chat/start", post(start))
        .route("/chat/{id}/message", post(add_message))
        .route("/chat/{id}/history", get(one))
        .route("/chat/{id}", delete(remove))
}

/// A message of a user.
#[derive(Debug, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
#[schema(as = UserMessage)]
pub(super) struct ChatRequest {
    /// What the user says.
    #[schema(min_length = 1, max_length = 4000)]
    message: String,
    /// The conversation; a new one where absent.
    #[schema(min_length = 1, max_length = 200)]
    conversation_id: Option<String>,
    /// How it is answered: `default`, `creative`, `precise` or `balanced`.
    #[schema(value_type = Option<ChatStrategy>)]
    strategy: Option<String>,
    /// Of a new conversation: whom it is with.
    #[schema(min_length = 1, max_length = 200)]
    user_id: Option<String>,
    /// Of a new conversation: what is kept with it, at most 16 KiB. It comes back with the answer.
    #[schema(value_type = Option<Object>)]
    context: Option<Value>,
    /// Most tokens of the answer; 512 where absent.
    #[schema(minimum = 1, maximum = 8192)]
    max_tokens: Option<usize>,
    /// 0 always takes the likeliest token; the strategy's where absent.
    #[schema(minimum = 0, maximum = 2)]
    temperature: Option<f64>,
    /// Of a new conversation: the agent that answers.
    #[schema(min_length = 1, max_length = 200)]
    agent_id: Option<String>,
    /// Of a new conversation: the served model.
    #[schema(min_length = 1, max_length = 200)]
    model: Option<String>,
    /// Lets the request count once; the header `Idempotency-Key` counts before it.
    #[schema(min_length = 1, max_length = 200)]
    pub(super) idempotency_key: Option<String>,
}

/// How a chat message is answered.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it is never made: only its description is used")]
enum ChatStrategy {
    Default,
    Creative,
    Precise,
    Balanced,
}

/// Documented: tokens of an answer, and temperature, where a request says nothing.
const USUAL_MAX_TOKENS: usize = 512;

/// The documented ways to answer: their temperatures, and the share of likely tokens they keep.
const STRATEGIES: [(&str, f64, f64); 4] = [
    ("default", 0.8, 1.0),
    ("creative", 1.1, 0.95),
    ("precise", 0.2, 0.9),
    ("balanced", 0.7, 0.95),
];

impl ChatRequest {
    /// The turn that is asked for.
    pub(super) fn turn(self, caller: Caller) -> Result<Turn, ApiError> {
        check_text("message", &self.message, MAX_MESSAGE_CHARS)?;
        for (field, text) in [
            ("conversation_id", &self.conversation_id),
            ("user_id", &self.user_id),
            ("agent_id", &self.agent_id),
            ("model", &self.model),
            ("idempotency_key", &self.idempotency_key),
        ] {
            text.iter().try_for_each(|text| check_text(field, text, 200))?;
        }
        Ok(Turn {
            caller,
            messages: vec![Message::user(self.message)],
            wish: wish(self.strategy.as_deref(), self.temperature, self.max_tokens)?,
            conversation: self.conversation_id,
            agent_id: self.agent_id,
            model: self.model,
            user_id: self.user_id,
            metadata: checked_metadata(self.context)?,
            idempotency_key: self.idempotency_key,
            aloud: None,
        })
    }
}

fn wish(
    strategy: Option<&str>,
    temperature: Option<f64>,
    max_tokens: Option<usize>,
) -> Result<SamplingWish, ApiError> {
    let name = strategy.unwrap_or("default");
    let found = STRATEGIES.iter().find(|(known, _, _)| *known == name);
    let (_, usual, top_p) = found.ok_or_else(|| {
        let message =
            format!("found {name:?}; allowed are default, creative, precise and balanced");
        unusable("invalid_value", "strategy", message)
    })?;
    Ok(SamplingWish {
        temperature: Some(temperature.unwrap_or(*usual)),
        top_p: Some(*top_p),
        max_tokens: Some(max_tokens.unwrap_or(USUAL_MAX_TOKENS)),
        ..SamplingWish::default()
    })
}

/// Answers a chat message.
pub(super) async fn answer(
    app: &App,
    caller: Caller,
    asked: ChatRequest,
) -> Result<ConversationAnswer, ApiError> {
    let context = asked.context.clone().unwrap_or_else(|| json!({}));
    let strategy = asked.strategy.clone().unwrap_or_else(|| "default".to_owned());
    let said = say(app, asked.turn(caller)?).await?;
    let metadata = ChatMetadata {
        strategy,
        model: said.model.clone(),
        finish_reason: said.finish_reason.clone(),
        messages_left_out: said.messages_left_out,
    };
    let mut body = said.body();
    (body.context, body.metadata) = (Some(context), Some(metadata));
    Ok(body)
}

/// Answers a chat message
#[utoipa::path(
    post,
    path = "/api/chat",
    tag = "conversations",
    params(OnceHeader),
    request_body = ChatRequest,
    responses(
        (status = 200, description = "The answer", body = ConversationAnswer),
        (status = 404, description = "No conversation, agent or model has this name", body = OwnError),
        (status = 409, description = "It is being answered, or the key was used", body = OwnError),
    )
)]
async fn chat(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    OptionalJson(mut asked): OptionalJson<ChatRequest>,
) -> Result<Json<ConversationAnswer>, ApiError> {
    asked.idempotency_key = with_key(&headers, asked.idempotency_key)?;
    Ok(Json(answer(&app, caller, asked).await?))
}

/// Begins a conversation
#[utoipa::path(
    post,
    path = "/chat/start",
    tag = "conversations",
    params(OnceHeader),
    request_body = Ask,
    responses(
        (status = 201, description = "A new conversation and the answer", body = ConversationAnswer),
        (status = 404, description = "No agent or model has this name", body = OwnError),
        (status = 409, description = "The key was used for another request", body = OwnError),
    )
)]
async fn start(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    OptionalJson(asked): OptionalJson<Ask>,
) -> Result<(StatusCode, Json<ConversationAnswer>), ApiError> {
    let mut turn = asked.turn(caller, None)?;
    if turn.conversation.is_some() {
        let message = "a chat that starts has no id yet; write to /chat/{id}/message";
        return Err(unusable("not_supported", "conversation_id", message));
    }
    turn.idempotency_key = with_key(&headers, turn.idempotency_key)?;
    Ok((StatusCode::CREATED, Json(say(&app, turn).await?.body())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies_are_those_of_the_document() {
        let usual = wish(None, None, None).unwrap();
        assert_eq!((usual.temperature, usual.max_tokens), (Some(0.8), Some(512)));
        let precise = wish(Some("precise"), None, Some(9)).unwrap();
        assert_eq!((precise.temperature, precise.max_tokens), (Some(0.2), Some(9)));
        assert_eq!(wish(Some("creative"), Some(0.0), None).unwrap().temperature, Some(0.0));
        assert_eq!(wish(Some("wild"), None, None).unwrap_err().field.as_deref(), Some("strategy"));
    }
}
