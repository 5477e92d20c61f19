//! All routes in one router, with what stands around every request.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::middleware::map_response;
use axum::routing::get;

use crate::api_error::{ApiError, Dialect, layer};
use crate::{App, dashboard, openai};

/// Everything the server answers.
pub fn router(app: App) -> Router {
    let own = Router::new()
        .route("/live", get(|| async { "ok" }))
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(map_response(layer(Dialect::Own)));
    own.merge(openai::routes())
        .merge(dashboard::routes())
        .layer(DefaultBodyLimit::max(app.config().max_body_bytes))
        .with_state(app)
}

async fn no_route(uri: Uri) -> ApiError {
    ApiError::not_found("route", uri.path())
}

async fn wrong_method(uri: Uri) -> ApiError {
    let message = format!("{} does not take this method", uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}
