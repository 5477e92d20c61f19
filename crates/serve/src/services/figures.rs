//! `GET /api/metrics`: the service in figures, as JSON; `GET /api/v2/system/status`: the same with the health
//! of its parts.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

use super::available_bytes;
use crate::App;
use crate::api_error::ApiError;
use crate::observe::health_body;

pub(super) async fn metrics(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    figures(&app).await.map(Json)
}

/// Figures and health in one: 200 also where a part does not work, for the question was answered.
pub(super) async fn system_status(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let mut status = health_body(&app).await;
    status["system"] = figures(&app).await?;
    Ok(Json(status))
}

/// What the service has and does.
pub(super) async fn figures(app: &App) -> Result<Value, ApiError> {
    let services = app.services()?;
    let (conversations, messages) = services.store().count_conversations().await?;
    let jobs: Map<String, Value> = services
        .store()
        .count_jobs()
        .await?
        .into_iter()
        .map(|(state, n)| (state, n.into()))
        .collect();
    let loaded = services.library().all();
    let models: Vec<Value> = app
        .models()
        .all()
        .iter()
        .map(|model| {
            let slots = loaded.get(&model.name).map(|loaded| loaded.options.slots);
            json!({"id": model.name, "loaded_at": model.created, "slots": slots})
        })
        .collect();
    Ok(json!({
        "uptime_secs": services.uptime_secs(), "models": models,
        "conversations": conversations, "messages": messages, "jobs": jobs,
        "peak_rss_bytes": stateset_train::peak_rss_bytes(), "available_bytes": available_bytes(),
        "timestamp": services.store().now().div_euclid(1000),
    }))
}
