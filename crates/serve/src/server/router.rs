//! All routes in one router, with what stands around every request.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use tower::util::option_layer;

use crate::api_error::ApiError;
use crate::gateway::with_sample_header;
use crate::observe::around;
use crate::security::admit;
use crate::{App, anthropic, dashboard, description, gateway, observe, openai, services};

use super::headers::cors;

/// Everything the server answers.
pub fn router(app: App) -> Router {
    router_with(app, Router::new())
}

/// Everything the server answers, and these routes besides.
pub(super) fn router_with(app: App, more: Router<App>) -> Router {
    with_sample_header(routes(app, more))
}

fn routes(app: App, more: Router<App>) -> Router {
    let origins = app.config().security.origins();
    observe::routes()
        .merge(openai::routes())
        .merge(anthropic::routes())
        .merge(services::routes())
        .merge(dashboard::routes())
        .merge(gateway::sample_routes())
        .merge(description::routes())
        .merge(more)
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(app.config().max_body_bytes))
        .layer(from_fn_with_state(app.clone(), admit))
        .layer(option_layer((!origins.is_empty()).then(|| cors(origins))))
        .layer(from_fn_with_state(app.clone(), around))
        .with_state(app)
}

async fn no_route(uri: Uri) -> ApiError {
    ApiError::not_found("route", uri.path())
}

pub(crate) async fn wrong_method(uri: Uri) -> ApiError {
    let message = format!("{} does not take this method", uri.path());
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}

/// All paths, as the `Debug` of a router shows them. The fallback, which answers 404, has a name of its own.
#[cfg(test)]
pub(crate) fn paths(app: App) -> Vec<String> {
    let shown = format!("{:?}", routes(app, Router::new()));
    let quoted = shown.split('"').skip(1).step_by(2);
    let is_path = |part: &&str| part.starts_with('/') && !part.contains("__private__axum");
    quoted.filter(is_path).map(str::to_owned).collect()
}
