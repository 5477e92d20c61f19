//! Questions about the server itself.
//!
//! | method and path | says | who |
//! |---|---|---|
//! | GET `/live` | 200 while the program answers and no engine is stuck, else 503 | anyone |
//! | GET `/ready` | 200 while it takes work and all its parts work, else 503 | anyone |
//! | GET `/health`, `/healthz`, `/v1/health`, `/api/v2/health` | the same, part by part | anyone |
//! | GET `/metrics` | measurements, as OpenMetrics text that Prometheus reads | trainers |
//! | GET `/metrics/json` | the same as JSON | trainers |

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{Component, Report};
use crate::App;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether the server takes work.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    /// True where it does.
    ready: bool,
    /// Every part of it.
    components: Vec<Component>,
}

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HealthReport {
    /// `healthy` or `unhealthy`.
    status: &'static str,
    /// Its version.
    version: &'static str,
    /// Seconds since the start.
    uptime_seconds: u64,
    /// Every part of it.
    components: Vec<Component>,
}

/// Measurements.
#[derive(Debug, Serialize, ToSchema)]
struct Measurements {
    /// Name with labels, as in the text for Prometheus, to number.
    metrics: BTreeMap<String, f64>,
}

#[derive(OpenApi)]
#[openapi(paths(live, ready, health, metrics, metrics_as_json))]
pub(crate) struct ObservePaths;

/// The routes of the table above.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/live", get(live))
        .route("/ready", get(ready))
        .route("/health", get(health))
        .route("/healthz", get(health))
        .route("/v1/health", get(health))
        .route("/api/v2/health", get(health))
        .route("/metrics", get(metrics))
        .route("/metrics/json", get(metrics_as_json))
}

/// Whether the program answers
#[utoipa::path(
    get,
    path = "/live",
    tag = "operations",
    responses(
        (status = 200, description = "It does", body = String, content_type = "text/plain"),
        (status = 503, description = "An engine is stuck", body = String, content_type = "text/plain"),
    )
)]
async fn live(State(app): State<App>) -> Response {
    match engines(&app).await.into_iter().find(|engine| !engine.healthy) {
        None => "ok".into_response(),
        Some(engine) => {
            let problem = engine.problem.unwrap_or_default();
            (StatusCode::SERVICE_UNAVAILABLE, problem).into_response()
        }
    }
}

/// Whether the server takes work
#[utoipa::path(
    get,
    path = "/ready",
    tag = "operations",
    responses(
        (status = 200, description = "It does, and all its parts work", body = Readiness),
        (status = 503, description = "It does not, or a part does not work", body = Readiness),
    )
)]
async fn ready(State(app): State<App>) -> Response {
    let (report, status) = whole_report(&app).await;
    let body = Readiness { ready: report.is_healthy(), components: report.components };
    (status, Json(body)).into_response()
}

/// How the server is, part by part
#[utoipa::path(
    get,
    path = "/health",
    tag = "operations",
    responses(
        (status = 200, description = "All parts work", body = HealthReport),
        (status = 503, description = "A part does not work", body = HealthReport),
    )
)]
async fn health(State(app): State<App>) -> Response {
    let report = health_report(&app).await;
    (status_of(report.status == "healthy"), Json(report)).into_response()
}

/// How the server is, part by part.
pub(crate) async fn health_report(app: &App) -> HealthReport {
    let (report, _) = whole_report(app).await;
    HealthReport {
        status: if report.is_healthy() { "healthy" } else { "unhealthy" },
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: app.observed().started().elapsed().as_secs(),
        components: report.components,
    }
}

/// Measurements, for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    responses(
        (status = 200, description = "OpenMetrics", body = String,
            content_type = "application/openmetrics-text"),
    )
)]
async fn metrics(State(app): State<App>) -> Response {
    let text = app.observed().written(app.config(), app.models()).await;
    ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response()
}

/// Measurements
#[utoipa::path(
    get,
    path = "/metrics/json",
    tag = "operations",
    responses((status = 200, description = "All of them", body = Measurements))
)]
async fn metrics_as_json(State(app): State<App>) -> Json<Measurements> {
    let text = app.observed().written(app.config(), app.models()).await;
    Json(Measurements { metrics: numbers(&text) })
}

/// Every line `name{labels} number` as a pair of its name with labels, and its number.
fn numbers(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.rsplit_once(' '));
    let number = |number: &str| number.parse().ok().filter(|number: &f64| number.is_finite());
    pairs.filter_map(|(name, value)| Some((name.to_owned(), number(value)?))).collect()
}

async fn whole_report(app: &App) -> (Report, StatusCode) {
    let mut report = app.observed().health().report().await;
    report.components.extend(engines(app).await);
    let is_draining = app.observed().is_draining();
    report.components.push(Component {
        name: "server".to_owned(),
        healthy: !is_draining,
        problem: is_draining.then(|| "the server is stopping".to_owned()),
    });
    let status = status_of(report.is_healthy());
    (report, status)
}

async fn engines(app: &App) -> Vec<Component> {
    let mut components = Vec::new();
    for model in app.models().all().iter() {
        let load = app.observed().pulses().load(model, app.config().engine_deadline).await;
        let name = format!("model {}", model.name);
        components.push(Component { name, healthy: load.is_ok(), problem: load.err() });
    }
    components
}

fn status_of(is_healthy: bool) -> StatusCode {
    if is_healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
