//! Questions about the server itself.
//!
//! | method and path | says | who |
//! |---|---|---|
//! | GET `/live` | 200 while the program answers and no engine is stuck, else 503 | anyone |
//! | GET `/ready` | 200 while it takes work and all its parts work, else 503 | anyone |
//! | GET `/health`, `/healthz`, `/v1/health`, `/api/v2/health` | the same, part by part | anyone |
//! | GET `/metrics` | measurements, as OpenMetrics text that Prometheus reads | trainers |
//! | GET `/metrics/json` | the same as JSON | trainers |

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Map, Number, Value, json};

use super::{Component, Report};
use crate::App;
use crate::api_error::{Dialect, layer};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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
        .layer(map_response(layer(Dialect::Own)))
}

async fn live(State(app): State<App>) -> Response {
    match engines(&app).await.into_iter().find(|engine| !engine.healthy) {
        None => "ok".into_response(),
        Some(engine) => {
            let problem = engine.problem.unwrap_or_default();
            (StatusCode::SERVICE_UNAVAILABLE, problem).into_response()
        }
    }
}

async fn ready(State(app): State<App>) -> Response {
    let (report, status) = whole_report(&app).await;
    let is_ready = report.is_healthy();
    (status, Json(json!({"ready": is_ready, "components": report.components}))).into_response()
}

async fn health(State(app): State<App>) -> Response {
    let body = health_body(&app).await;
    let is_healthy = body["status"] == "healthy";
    (status_of(is_healthy), Json(body)).into_response()
}

/// Whether the server is well, part by part.
pub(crate) async fn health_body(app: &App) -> Value {
    let (report, _) = whole_report(app).await;
    let word = if report.is_healthy() { "healthy" } else { "unhealthy" };
    json!({
        "status": word,
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": app.observed().started().elapsed().as_secs(),
        "components": report.components,
    })
}

fn status_of(is_healthy: bool) -> StatusCode {
    if is_healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn metrics(State(app): State<App>) -> Response {
    let text = app.observed().written(app.config(), app.models()).await;
    ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response()
}

async fn metrics_as_json(State(app): State<App>) -> Json<Value> {
    let text = app.observed().written(app.config(), app.models()).await;
    Json(json!({"metrics": numbers(&text)}))
}

/// Every line `name{labels} number` as a pair of its name with labels, and its number.
fn numbers(text: &str) -> Map<String, Value> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.filter_map(|line| line.rsplit_once(' '));
    let number = |number: &str| number.parse().ok().and_then(Number::from_f64).map(Value::Number);
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
