//! `GET /api/metrics`: the service in figures, as JSON; `GET /api/v2/system/status`: the same with the health
//! of its parts.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::available_bytes;
use crate::App;
use crate::api_error::ApiError;
use crate::observe::{HealthReport, health_report};

/// What the service has and does.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Figures {
    /// Seconds since the start.
    uptime_secs: f64,
    /// The models that answer.
    models: Vec<ModelFigures>,
    /// Conversations that are kept.
    #[schema(minimum = 0)]
    conversations: i64,
    /// Their messages.
    #[schema(minimum = 0)]
    messages: i64,
    /// Trainings by their status.
    jobs: BTreeMap<String, i64>,
    /// Most memory that the process has had.
    #[schema(required)]
    peak_rss_bytes: Option<u64>,
    /// Memory that can be taken without swapping.
    #[schema(required)]
    available_bytes: Option<u64>,
    /// Now, in seconds since 1970.
    timestamp: i64,
}

/// A model that answers.
#[derive(Debug, Serialize, ToSchema)]
struct ModelFigures {
    /// Its name.
    id: String,
    /// When its weights were loaded, in seconds since 1970.
    loaded_at: u64,
    /// Answers at the same time; null for canned sentences.
    #[schema(required)]
    slots: Option<usize>,
}

/// The service in figures
#[utoipa::path(
    get,
    path = "/api/metrics",
    tag = "operations",
    responses((status = 200, description = "The figures", body = Figures))
)]
pub(super) async fn metrics(State(app): State<App>) -> Result<Json<Figures>, ApiError> {
    figures(&app).await.map(Json)
}

/// The service in figures, with the health of its parts.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SystemStatus {
    #[serde(flatten)]
    health: HealthReport,
    /// The figures.
    system: Figures,
}

/// Figures and health in one: 200 also where a part does not work, for the question was answered
#[utoipa::path(
    get,
    path = "/api/v2/system/status",
    tag = "operations",
    responses((status = 200, description = "The figures, and every part", body = SystemStatus))
)]
pub(super) async fn system_status(State(app): State<App>) -> Result<Json<SystemStatus>, ApiError> {
    let (health, system) = (health_report(&app).await, figures(&app).await?);
    Ok(Json(SystemStatus { health, system }))
}

/// What the service has and does.
pub(super) async fn figures(app: &App) -> Result<Figures, ApiError> {
    let services = app.services()?;
    let (conversations, messages) = services.store().count_conversations().await?;
    let jobs = services.store().count_jobs().await?;
    let loaded = services.library().all();
    let models = app.models().all();
    let models = models.iter().map(|model| ModelFigures {
        id: model.name.clone(),
        loaded_at: model.created,
        slots: loaded.get(&model.name).map(|loaded| loaded.options.slots),
    });
    Ok(Figures {
        uptime_secs: services.uptime_secs(),
        models: models.collect(),
        conversations,
        messages,
        jobs: jobs.into_iter().collect(),
        peak_rss_bytes: stateset_train::peak_rss_bytes(),
        available_bytes: available_bytes(),
        timestamp: services.store().now().div_euclid(1000),
    })
}
