//! All routes, and their description.

use axum::Router;
use axum::middleware::map_response;
use axum::routing::post;
use utoipa::OpenApi;

use super::{count_tokens, messages};
use crate::App;
use crate::api_error::{Dialect, layer};

/// All routes under `/v1/messages`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/messages", post(messages::create))
        .route("/v1/messages/count_tokens", post(count_tokens::count))
        .layer(map_response(layer(Dialect::Anthropic)))
}

/// The description of all routes under `/v1/messages`.
pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    Described::openapi()
}

#[derive(OpenApi)]
#[openapi(
    paths(messages::create, count_tokens::count),
    components(schemas(
        super::AnthropicError,
        super::request::Block,
        super::request::ImageSource
    ))
)]
struct Described;
