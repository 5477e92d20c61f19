//! Routes that speak as OpenAI's API does.

mod list_models;

use axum::Router;
use axum::middleware::map_response;
use axum::routing::get;

use crate::App;
use crate::api_error::{Dialect, layer};

/// All routes under `/v1`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/models", get(list_models::list))
        .route("/v1/models/{*name}", get(list_models::one))
        .layer(map_response(layer(Dialect::OpenAi)))
}
