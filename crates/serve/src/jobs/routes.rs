//! The routes of training jobs.
//!
//! | method and path | success | errors |
//! |---|---|---|
//! | `POST /training` | 202, the job | 403 a command that is no admin's, 409 key or memory, 422 a field, 429 `queue_full` |
//! | `POST /v1/training`, `/api/train` | the same, with prompts | the same |
//! | `GET /training` | 200, a list | 422 a parameter |
//! | `GET /training/{id}` | 200, the job | 404 |
//! | `GET /training/{id}/events` | 200, what happened | 404 |
//! | `POST /training/{id}/resume` | 202, the job | 404, 409 `training_not_resumable` |
//! | `POST /training/{id}/deploy` | 200, the served model | 404, 409 `no_checkpoint` |
//! | `DELETE /training/{id}` | 202, the job, which ends after its step | 404, 409 `training_over` |
//!
//! [`super::samples`] has the samples of those that programs play. `/v1/training/{id}`, `/api/jobs/{id}`, `/api/status/{id}` and their mirrors below `/v1` and `/api/v2` are the
//! same jobs.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::batch;
use super::deploy::deploy;
use super::gateway_wish::GatewayWish;
use super::samples::offer_routes;
use super::train_request::TrainRequest;
use super::training_request::TrainingRequest;
use super::views::{accepted_body, event_body, job_body};
use super::wish::Wish;
use crate::App;
use crate::api_error::ApiError;
use crate::body::OptionalJson;
use crate::security::{Identity, Role};
use crate::services::{ListQuery, check_text, page_body, unusable, with_key};

/// Events of one answer.
const MAX_EVENTS: i64 = 1000;

pub(crate) fn job_routes() -> Router<App> {
    let mut router = Router::new()
        .route("/training", get(list).post(ask_training))
        .route("/v1/training", get(list).post(ask_train_v1))
        .route("/api/train", post(ask_train))
        .route("/v1/train", post(ask_train))
        .route("/api/v2/train", post(ask_train))
        .route("/api/batch/train", post(batch::train))
        .route("/api/batch/status", post(batch::status))
        .route("/api/batch/cancel", post(batch::cancel))
        .route("/api/jobs", get(list))
        .route("/v1/jobs", get(list))
        .route("/api/status/{id}", get(one))
        .route("/v1/status/{id}", get(one));
    for root in ["/training", "/v1/training", "/api/jobs", "/v1/jobs", "/api/v2/jobs"] {
        router = router
            .route(&format!("{root}/{{id}}"), get(one).delete(cancel))
            .route(&format!("{root}/{{id}}/events"), get(events))
            .route(&format!("{root}/{{id}}/resume"), post(resume))
            .route(&format!("{root}/{{id}}/deploy"), post(serve_it));
    }
    router.merge(offer_routes())
}

async fn ask_training(
    State(app): State<App>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
    OptionalJson(asked): OptionalJson<TrainingRequest>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let wish = asked.wish(app.services()?.jobs().settings())?;
    check_command(&identity, wish.gateway.as_ref())?;
    ask(&app, &headers, wish).await
}

async fn ask_train(
    State(app): State<App>,
    headers: HeaderMap,
    OptionalJson(asked): OptionalJson<TrainRequest>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let limits = app.services()?.jobs().settings();
    let wish = asked.wish(limits, limits.max_iterations)?;
    ask(&app, &headers, wish).await
}

async fn ask_train_v1(
    State(app): State<App>,
    headers: HeaderMap,
    OptionalJson(asked): OptionalJson<TrainRequest>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let limits = app.services()?.jobs().settings();
    let wish = asked.wish(limits, limits.max_iterations_v1)?;
    ask(&app, &headers, wish).await
}

async fn ask(
    app: &App,
    headers: &HeaderMap,
    mut wish: Wish,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    wish.idempotency_key = with_key(headers, wish.idempotency_key)?;
    if let Some(key) = &wish.idempotency_key {
        check_text("idempotency_key", key, 200)?;
    }
    let job = app.services()?.jobs().ask(wish).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted_body(&job))))
}

/// Whoever lets a command run on this machine has to be an admin.
fn check_command(identity: &Identity, gateway: Option<&GatewayWish>) -> Result<(), ApiError> {
    match gateway.and_then(|gateway| gateway.command.as_ref()) {
        Some(_) => identity.check(Role::Admin),
        None => Ok(()),
    }
}

async fn list(State(app): State<App>, ListQuery(page): ListQuery) -> Result<Json<Value>, ApiError> {
    let jobs = app.services()?.store().jobs(&page).await?;
    Ok(Json(page_body(&jobs, |job| &job.id, job_body)))
}

async fn one(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    Ok(Json(job_body(&app.services()?.jobs().find(&id).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    #[serde(default)]
    after: i64,
}

async fn events(
    State(app): State<App>,
    Path(id): Path<String>,
    query: Result<Query<EventsQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let query = query.map_err(|error| unusable("invalid_query", "after", error.body_text()))?;
    let services = app.services()?;
    services.jobs().find(&id).await?;
    let events = services.store().events(&id, query.after, MAX_EVENTS).await?;
    let data: Vec<Value> = events.iter().map(event_body).collect();
    let next = events.last().filter(|_| events.len() as i64 == MAX_EVENTS).map(|last| last.place);
    Ok(Json(json!({"object": "list", "data": data, "next_cursor": next})))
}

async fn cancel(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let job = app.services()?.jobs().cancel(&id).await?;
    Ok((StatusCode::ACCEPTED, Json(job_body(&job))))
}

async fn resume(
    State(app): State<App>,
    Extension(identity): Extension<Identity>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let jobs = app.services()?.jobs();
    let gateway = GatewayWish::of(&jobs.find(&id).await?.asked).map_err(ApiError::internal)?;
    check_command(&identity, gateway.as_ref())?;
    let job = jobs.resume(&id).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted_body(&job))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deploy {
    name: Option<String>,
}

async fn serve_it(
    State(app): State<App>,
    Path(id): Path<String>,
    OptionalJson(asked): OptionalJson<Deploy>,
) -> Result<Json<Value>, ApiError> {
    let name = deploy(&app, &id, asked.name).await?;
    Ok(Json(json!({"training_id": id, "model": name, "status": "serving"})))
}
