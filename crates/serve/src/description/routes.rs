//! `GET /openapi.json`.

use std::sync::LazyLock;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa::OpenApi;

use super::document;
use crate::App;

static TEXT: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());

#[derive(OpenApi)]
#[openapi(paths(openapi_json))]
pub(crate) struct DocumentPaths;

/// The route of the document.
pub(crate) fn routes() -> Router<App> {
    Router::new().route("/openapi.json", get(openapi_json))
}

/// This document
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
async fn openapi_json() -> Response {
    ([(CONTENT_TYPE, "application/json")], TEXT.clone()).into_response()
}
