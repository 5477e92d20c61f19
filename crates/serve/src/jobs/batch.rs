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
use serde::Deserialize;
use serde_json::{Value, json};

use super::train_request::TrainRequest;
use super::views::{accepted_body, job_body};
use super::wish::Wish;
use crate::App;
use crate::api_error::ApiError;
use crate::body::OptionalJson;
use crate::services::{check_text, unusable, with_key};

/// Trainings of one request.
const MAX_REQUESTS: usize = 16;

/// Ids of one request.
const MAX_IDS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchRequest {
    requests: Vec<TrainRequest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchIds {
    ids: Vec<String>,
}

pub(super) async fn train(
    State(app): State<App>,
    headers: HeaderMap,
    OptionalJson(asked): OptionalJson<BatchRequest>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
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
    Ok((StatusCode::ACCEPTED, list(asked.iter().map(accepted_body).collect())))
}

pub(super) async fn status(
    State(app): State<App>,
    OptionalJson(asked): OptionalJson<BatchIds>,
) -> Result<Json<Value>, ApiError> {
    check_n("ids", asked.ids.len(), MAX_IDS)?;
    let store = app.services()?.store();
    let mut bodies = Vec::with_capacity(asked.ids.len());
    for id in asked.ids {
        let job = store.job(&id).await?;
        bodies.push(job.as_ref().map_or_else(|| unknown(&id), job_body));
    }
    Ok(list(bodies))
}

pub(super) async fn cancel(
    State(app): State<App>,
    OptionalJson(asked): OptionalJson<BatchIds>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    check_n("ids", asked.ids.len(), MAX_IDS)?;
    let services = app.services()?;
    let mut bodies = Vec::with_capacity(asked.ids.len());
    for id in asked.ids {
        bodies.push(match services.store().job(&id).await? {
            None => unknown(&id),
            Some(job) if job.state.is_over() => job_body(&job),
            Some(_) => job_body(&services.jobs().cancel(&id).await?),
        });
    }
    Ok((StatusCode::ACCEPTED, list(bodies)))
}

fn list(bodies: Vec<Value>) -> Json<Value> {
    Json(json!({"object": "list", "data": bodies}))
}

fn unknown(id: &str) -> Value {
    json!({"id": id, "status": "not_found"})
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
