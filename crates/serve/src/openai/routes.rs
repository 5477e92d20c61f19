//! All routes, and their description.

use axum::Router;
use axum::middleware::map_response;
use axum::routing::{get, post};
use utoipa::OpenApi;

use super::{chat, embeddings, list_models, responses, text};
use crate::App;
use crate::api_error::{Dialect, layer};

/// All routes under `/v1`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/models", get(list_models::list))
        .route("/v1/models/{*name}", get(list_models::one))
        .route("/v1/chat/completions", post(chat::chat))
        .route("/v1/completions", post(text::complete))
        .route("/v1/embeddings", post(embeddings::create))
        .route("/v1/responses", post(responses::create))
        .layer(map_response(layer(Dialect::OpenAi)))
}

/// The description of all routes under `/v1`.
pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

#[derive(OpenApi)]
#[openapi(
    paths(
        list_models::list,
        list_models::one,
        chat::chat,
        text::complete,
        embeddings::create,
        responses::create
    ),
    components(schemas(
        super::OpenAiError,
        super::chat_request::ImageField,
        super::chat_response::ChatChunk
    ))
)]
struct Described;
