//! All routes of the services.

use axum::Router;
use axum::routing::{get, post};
use utoipa::OpenApi;

use super::chat::chat_routes;
use super::figures::metrics;
use super::index::index;
use super::scale::scale;
use super::socket::socket;
use crate::App;
use crate::agents::agent_routes;
use crate::conversations::conversation_routes;
use crate::jobs::job_routes;
use crate::server::wrong_method;

#[derive(OpenApi)]
#[openapi(paths(super::index::index, super::figures::metrics, super::scale::scale))]
pub(crate) struct ServicePaths;

/// All routes of the services.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(index))
        .route("/api/metrics", get(metrics))
        .route("/api/scale", post(scale))
        .route("/ws", get(socket))
        .merge(agent_routes())
        .merge(conversation_routes())
        .merge(chat_routes())
        .merge(job_routes())
        .method_not_allowed_fallback(wrong_method)
}
