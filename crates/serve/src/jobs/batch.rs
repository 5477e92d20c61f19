//! Several trainings in one request.
//!
//! | method and path | success | errors |
//! |---|---|---|
//! | `POST /api/batch/train` | 202, the jobs | as `/api/train`; of `requests[2].prompts` and the like |
//! | `POST /api/batch/status` | 200, how far each is | 422 `ids` |
//! | `POST /api/batch/cancel` | 202, each as it is now | 422 `ids` |
//!
//! All trainings are put into the queue or none. Of ids, each has an entry of its own: an unknown one says
//! so, and one whose training is over is left as it is.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::train_request::TrainRequest;
use super::views::Training;
use super::wish::Wish;
use crate::App;
use crate::api_error::{ApiError, OwnError};
use crate::body::OptionalJson;
use crate::services::{OnceHeader, check_text, unusable, with_key};

/// Trainings of one request.
const MAX_REQUESTS: usize = 16;

/// Ids of one request.
const MAX_IDS: usize = 100;

/// Trainings that are wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchRequest {
    /// The trainings.
    #[schema(min_items = 1, max_items = 16)]
    requests: Vec<TrainRequest>,
}

/// Trainings that are asked about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchIds {
    /// Their ids.
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<String>,
}

/// The trainings of a batch, in the order in which they were named.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Batch {
    /// Always `list`.
    object: &'static str,
    /// The trainings.
    data: Vec<BatchItem>,
}

/// A training of a batch.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum BatchItem {
    Known(Box<Training>),
    Unknown(UnknownTraining),
}

/// An id that no training has.
#[derive(Debug, Serialize, ToSchema)]
struct UnknownTraining {
    /// The id.
    id: String,
    /// Always `not_found`.
    status: &'static str,
}

/// Trains several agents on prompts: all are put into the queue or none
#[utoipa::path(
    post,
    path = "/api/batch/train",
    tag = "training",
    params(OnceHeader),
    request_body = BatchRequest,
    responses(
        (status = 202, description = "The trainings, which wait for their turn", body = Batch),
        (status = 409, description = "A key was used, or there is not enough memory", body = OwnError),
    )
)]
pub(super) async fn train(
    State(app): State<App>,
    headers: HeaderMap,
    OptionalJson(asked): OptionalJson<BatchRequest>,
) -> Result<(StatusCode, Json<Batch>), ApiError> {
    check_n("requests", asked.requests.len(), MAX_REQUESTS)?;
    let jobs = app.services()?.jobs();
    let limits = jobs.settings();
    let key = with_key(&headers, None)?;
    let mut wishes = Vec::with_capacity(asked.requests.len());
    for (place, request) in asked.requests.into_iter().enumerate() {
        let wish = request.wish(limits, limits.max_iterations).and_then(|mut wish| {
            let of_batch = key.as_ref().map(|key| format!("{key}:{place}"));
            wish.idempotency_key = wish.idempotency_key.or(of_batch);
            check_key(&wish)?;
            Ok(wish)
        });
        wishes.push(wish.map_err(|error| within(place, error))?);
    }
    check_keys_differ(&wishes)?;
    let asked = jobs.ask_all(wishes).await;
    let asked = asked.map_err(|(place, error)| match place {
        Some(place) => within(place, error),
        None => error,
    })?;
    Ok((
        StatusCode::ACCEPTED,
        list(asked.iter().map(|job| known(Training::accepted(job))).collect()),
    ))
}

/// How far several trainings are
#[utoipa::path(
    post,
    path = "/api/batch/status",
    tag = "training",
    request_body = BatchIds,
    responses((status = 200, description = "Each as it is now", body = Batch))
)]
pub(super) async fn status(
    State(app): State<App>,
    OptionalJson(asked): OptionalJson<BatchIds>,
) -> Result<Json<Batch>, ApiError> {
    check_n("ids", asked.ids.len(), MAX_IDS)?;
    let store = app.services()?.store();
    let mut bodies = Vec::with_capacity(asked.ids.len());
    for id in asked.ids {
        let job = store.job(&id).await?;
        bodies.push(match job {
            Some(job) => known(Training::of(&job)),
            None => unknown(id),
        });
    }
    Ok(list(bodies))
}

/// Ends several trainings after the steps under way
#[utoipa::path(
    post,
    path = "/api/batch/cancel",
    tag = "training",
    request_body = BatchIds,
    responses((status = 202, description = "Each as it is now", body = Batch))
)]
pub(super) async fn cancel(
    State(app): State<App>,
    OptionalJson(asked): OptionalJson<BatchIds>,
) -> Result<(StatusCode, Json<Batch>), ApiError> {
    check_n("ids", asked.ids.len(), MAX_IDS)?;
    let services = app.services()?;
    let mut bodies = Vec::with_capacity(asked.ids.len());
    for id in asked.ids {
        bodies.push(match services.store().job(&id).await? {
            None => unknown(id),
            Some(job) if job.state.is_over() => known(Training::of(&job)),
            Some(_) => known(Training::of(&services.jobs().cancel(&id).await?)),
        });
    }
    Ok((StatusCode::ACCEPTED, list(bodies)))
}

fn list(data: Vec<BatchItem>) -> Json<Batch> {
    Json(Batch { object: "list", data })
}

fn known(training: Training) -> BatchItem {
    BatchItem::Known(Box::new(training))
}

fn unknown(id: String) -> BatchItem {
    BatchItem::Unknown(UnknownTraining { id, status: "not_found" })
}

fn check_n(field: &str, n: usize, most: usize) -> Result<(), ApiError> {
    if (1..=most).contains(&n) {
        return Ok(());
    }
    let message = format!("there are {n}; allowed are 1 to {most}");
    Err(unusable("invalid_length", field, message))
}

fn check_keys_differ(wishes: &[Wish]) -> Result<(), ApiError> {
    let mut seen = std::collections::BTreeSet::new();
    let mut keys = wishes.iter().map(|wish| wish.idempotency_key.as_deref()).enumerate();
    match keys.find(|(_, key)| key.is_some_and(|key| !seen.insert(key))) {
        None => Ok(()),
        Some((place, _)) => {
            let message = "an earlier request of this batch has the same key";
            Err(within(place, unusable("invalid_value", "idempotency_key", message)))
        }
    }
}

fn check_key(wish: &Wish) -> Result<(), ApiError> {
    wish.idempotency_key.iter().try_for_each(|key| check_text("idempotency_key", key, 200))
}

/// The error of one of several requests.
fn within(place: usize, mut error: ApiError) -> ApiError {
    error.field = error.field.map(|field| format!("requests[{place}].{field}"));
    error
}
