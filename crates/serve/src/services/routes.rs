//! All routes of the services.

use axum::Router;
use axum::routing::{get, post};
use utoipa::OpenApi;

use super::chat::chat_routes;
use super::figures::{metrics, system_status};
use super::index::index;
use super::scale::scale;
use super::socket::socket;
use super::stream;
use crate::App;
use crate::agents::agent_routes;
use crate::conversations::conversation_routes;
use crate::jobs::job_routes;
use crate::server::wrong_method;

#[derive(OpenApi)]
#[openapi(paths(
    super::index::index,
    super::figures::metrics,
    super::figures::system_status,
    super::scale::scale,
    super::stream::posted,
    super::stream::queried
))]
pub(crate) struct ServicePaths;

/// All routes of the services.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(index))
        .route("/api/metrics", get(metrics))
        .route("/v1/metrics", get(metrics))
        .route("/api/v2/metrics", get(metrics))
        .route("/api/v2/system/status", get(system_status))
        .route("/api/v1/stream/chat", get(stream::queried).post(stream::posted))
        .route("/api/scale", post(scale))
        .route("/v1/scale", post(scale))
        .route("/ws", get(socket))
        .route("/v1/ws", get(socket))
        .route("/ws/v2", get(socket))
        .merge(agent_routes())
        .merge(conversation_routes())
        .merge(chat_routes())
        .merge(job_routes())
        .method_not_allowed_fallback(wrong_method)
}
