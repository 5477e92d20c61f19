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
//! [`super::samples`] has the samples of those that programs play. `/v1/training/{id}`, `/api/jobs/{id}`,
//! `/api/status/{id}` and their mirrors below `/v1` and `/api/v2` are the same jobs.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::deploy::deploy;
use super::train_request::TrainRequest;
use super::training_request::TrainingRequest;
use super::views::{Training, TrainingEvents};
use super::wish::Wish;
use super::{batch, samples};
use crate::App;
use crate::api_error::{ApiError, OwnError};
use crate::body::OptionalJson;
use crate::path_name::PathName;
use crate::security::Identity;
use crate::services::{List, ListParams, ListQuery, OnceHeader, check_text, unusable, with_key};

/// Events of one answer.
const MAX_EVENTS: usize = 1000;

#[derive(OpenApi)]
#[openapi(paths(
    ask_training,
    ask_train,
    ask_train_v1,
    list,
    one,
    events,
    cancel,
    resume,
    serve_it,
    batch::train,
    batch::status,
    batch::cancel,
    samples::list,
    samples::take
))]
pub(crate) struct JobPaths;

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
    router.merge(samples::offer_routes())
}

/// Trains an agent on scenarios
#[utoipa::path(
    post,
    path = "/training",
    tag = "training",
    params(OnceHeader),
    request_body = TrainingRequest,
    responses(
        (status = 202, description = "The training, which waits for its turn", body = Training),
        (status = 409, description = "The key was used, or there is not enough memory", body = OwnError),
    )
)]
async fn ask_training(
    State(app): State<App>,
    Extension(identity): Extension<Identity>,
    headers: HeaderMap,
    OptionalJson(asked): OptionalJson<TrainingRequest>,
) -> Result<(StatusCode, Json<Training>), ApiError> {
    let wish = asked.wish(app.services()?.jobs().settings())?;
    wish.gateway.iter().try_for_each(|gateway| gateway.check_caller(&identity))?;
    ask(&app, &headers, wish).await
}

/// Trains on prompts
#[utoipa::path(
    post,
    path = "/api/train",
    tag = "training",
    params(OnceHeader),
    request_body = TrainRequest,
    responses(
        (status = 202, description = "The training, which waits for its turn", body = Training),
        (status = 409, description = "The key was used, or there is not enough memory", body = OwnError),
    )
)]
async fn ask_train(
    State(app): State<App>,
    headers: HeaderMap,
    OptionalJson(asked): OptionalJson<TrainRequest>,
) -> Result<(StatusCode, Json<Training>), ApiError> {
    let limits = app.services()?.jobs().settings();
    let wish = asked.wish(limits, limits.max_iterations)?;
    ask(&app, &headers, wish).await
}

/// Trains on prompts, for longer
#[utoipa::path(
    post,
    path = "/v1/training",
    tag = "training",
    params(OnceHeader),
    request_body = TrainRequest,
    responses(
        (status = 202, description = "The training, which waits for its turn", body = Training),
        (status = 409, description = "The key was used, or there is not enough memory", body = OwnError),
    )
)]
async fn ask_train_v1(
    State(app): State<App>,
    headers: HeaderMap,
    OptionalJson(asked): OptionalJson<TrainRequest>,
) -> Result<(StatusCode, Json<Training>), ApiError> {
    let limits = app.services()?.jobs().settings();
    let wish = asked.wish(limits, limits.max_iterations_v1)?;
    ask(&app, &headers, wish).await
}

async fn ask(
    app: &App,
    headers: &HeaderMap,
    mut wish: Wish,
) -> Result<(StatusCode, Json<Training>), ApiError> {
    wish.idempotency_key = with_key(headers, wish.idempotency_key)?;
    if let Some(key) = &wish.idempotency_key {
        check_text("idempotency_key", key, 200)?;
    }
    let job = app.services()?.jobs().ask(wish).await?;
    Ok((StatusCode::ACCEPTED, Json(Training::accepted(&job))))
}

/// The trainings, newest first
#[utoipa::path(
    get,
    path = "/training",
    tag = "training",
    params(ListParams),
    responses((status = 200, description = "A piece of the list", body = List<Training>))
)]
async fn list(
    State(app): State<App>,
    ListQuery(page): ListQuery,
) -> Result<Json<List<Training>>, ApiError> {
    let jobs = app.services()?.store().jobs(&page).await?;
    Ok(Json(List::of(&jobs, |job| &job.id, Training::of)))
}

/// How far a training is
#[utoipa::path(
    get,
    path = "/training/{id}",
    tag = "training",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The training", body = Training))
)]
async fn one(State(app): State<App>, PathName(id): PathName) -> Result<Json<Training>, ApiError> {
    Ok(Json(Training::of(&app.services()?.jobs().find(&id).await?)))
}

/// Which events of a training.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// Those after this place; all where absent.
    #[serde(default)]
    after: i64,
}

/// What happened in a training
#[utoipa::path(
    get,
    path = "/training/{id}/events",
    tag = "training",
    params(("id" = String, Path, description = "Its id"), EventsQuery),
    responses((status = 200, description = "At most 1000 events", body = TrainingEvents))
)]
async fn events(
    State(app): State<App>,
    PathName(id): PathName,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Json<TrainingEvents>, ApiError> {
    let query = query.map_err(|error| unusable("invalid_query", "after", error.body_text()))?;
    let services = app.services()?;
    services.jobs().find(&id).await?;
    let events = services.store().events(&id, query.after, MAX_EVENTS as i64).await?;
    Ok(Json(TrainingEvents::of(&events, MAX_EVENTS)))
}

/// Ends a training after the step under way
#[utoipa::path(
    delete,
    path = "/training/{id}",
    tag = "training",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 202, description = "The training, whose checkpoint stays", body = Training),
        (status = 409, description = "It is over already", body = OwnError),
    )
)]
async fn cancel(
    State(app): State<App>,
    PathName(id): PathName,
) -> Result<(StatusCode, Json<Training>), ApiError> {
    let job = app.services()?.jobs().cancel(&id).await?;
    Ok((StatusCode::ACCEPTED, Json(Training::of(&job))))
}

/// Goes on with a training that was cancelled or failed
#[utoipa::path(
    post,
    path = "/training/{id}/resume",
    tag = "training",
    params(("id" = String, Path, description = "Its id")),
    responses(
        (status = 202, description = "The training, which waits for its turn", body = Training),
        (status = 409, description = "It cannot be gone on with", body = OwnError),
    )
)]
async fn resume(
    State(app): State<App>,
    Extension(identity): Extension<Identity>,
    PathName(id): PathName,
) -> Result<(StatusCode, Json<Training>), ApiError> {
    let job = app.services()?.jobs().resume(&id, &identity).await?;
    Ok((StatusCode::ACCEPTED, Json(Training::accepted(&job))))
}

/// How a training is served.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Deploy {
    /// The name it is served by; its id where absent.
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
}

/// A training that is served.
#[derive(Serialize, ToSchema)]
struct Deployed {
    /// Its id.
    training_id: String,
    /// The name it is served by.
    model: String,
    /// Always `serving`.
    status: &'static str,
}

/// Serves a training's newest checkpoint
#[utoipa::path(
    post,
    path = "/training/{id}/deploy",
    tag = "training",
    params(("id" = String, Path, description = "Its id")),
    request_body = Deploy,
    responses(
        (status = 200, description = "It is served", body = Deployed),
        (status = 409, description = "It has no checkpoint, or memory is short", body = OwnError),
    )
)]
async fn serve_it(
    State(app): State<App>,
    PathName(id): PathName,
    OptionalJson(asked): OptionalJson<Deploy>,
) -> Result<Json<Deployed>, ApiError> {
    let model = deploy(&app, &id, asked.name).await?;
    Ok(Json(Deployed { training_id: id, model, status: "serving" }))
}
