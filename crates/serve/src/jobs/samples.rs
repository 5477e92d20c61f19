//! The samples that a training offers to programs elsewhere.
//!
//! | method and path | success | errors |
//! |---|---|---|
//! | `GET /gateway/{run}/samples` | 200, those that are open | 404 |
//! | `POST /gateway/{run}/samples` | 200, those that are now the caller's to play, with their keys | 404, 422 a field |
//!
//! `{run}` is the id of the training. A sample is given to one caller; what is done with it is below its `path`
//! ([`crate::gateway`]).

use std::time::Duration;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::views::{TrainingStatus, job_status};
use crate::App;
use crate::api_error::ApiError;
use crate::body::OptionalJson;
use crate::gateway::{Address, Session, Told};
use crate::path_name::PathName;
use crate::services::unusable;

/// Samples of one answer.
const MAX_SAMPLES: usize = 64;
/// Longest wait for a sample, in seconds.
const MAX_WAIT_SECS: u64 = 60;

pub(super) fn offer_routes() -> Router<App> {
    Router::new().route("/gateway/{run}/samples", get(list).post(take))
}

/// The open samples of a training
#[utoipa::path(
    get,
    path = "/gateway/{run}/samples",
    tag = "gateway",
    params(("run" = String, Path, description = "The training's id")),
    responses((status = 200, description = "Those that are open, taken or not", body = Samples))
)]
async fn list(State(app): State<App>, PathName(run): PathName) -> Result<Json<Samples>, ApiError> {
    let offered = app.services()?.jobs().sessions().offered(&run);
    let data = offered.iter().map(|(at, session)| Sample::shown(at, session)).collect();
    samples(&app, &run, data).await
}

/// What is to be taken.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = TakeSamples)]
struct Take {
    /// At most so many samples.
    #[schema(minimum = 1, maximum = 64)]
    n: usize,
    /// Where there is none, how long to wait for one.
    #[schema(minimum = 0, maximum = 60)]
    wait_secs: u64,
}

impl Default for Take {
    fn default() -> Take {
        Take { n: 1, wait_secs: 0 }
    }
}

/// Samples of a training.
#[derive(Serialize, ToSchema)]
struct Samples {
    /// Always `list`.
    object: &'static str,
    /// The samples, the oldest first.
    data: Vec<Sample>,
    /// Where the training stands; once it is over there are no more.
    #[schema(value_type = TrainingStatus)]
    status: &'static str,
    /// Whether this server works on it.
    is_played_here: bool,
}

/// A sample that a program elsewhere plays.
#[derive(Serialize, ToSchema)]
struct Sample {
    /// What the paths of its routes begin with.
    path: String,
    /// Its name within its run and scenario.
    sample: String,
    /// `training` or `evaluation`.
    purpose: Option<&'static str>,
    /// Whether somebody has it.
    is_taken: bool,
    /// What it is about.
    scenario: Option<Told>,
    /// What opens it, for whoever takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl Sample {
    fn shown(at: &Address, session: &Session) -> Sample {
        let offer = session.offer.as_ref();
        Sample {
            path: at.path(),
            sample: at.sample.clone(),
            purpose: offer.map(|offer| offer.purpose),
            is_taken: offer.is_some_and(|offer| offer.is_taken()),
            scenario: offer.map(|offer| offer.scenario.clone()),
            key: None,
        }
    }

    fn taken(at: &Address, session: &Session) -> Sample {
        Sample { key: Some(session.key().to_owned()), ..Sample::shown(at, session) }
    }
}

/// Takes samples of a training
#[utoipa::path(
    post,
    path = "/gateway/{run}/samples",
    tag = "gateway",
    params(("run" = String, Path, description = "The training's id")),
    request_body = Take,
    responses((status = 200, description = "Those that are now the caller's to play", body = Samples))
)]
async fn take(
    State(app): State<App>,
    PathName(run): PathName,
    OptionalJson(asked): OptionalJson<Take>,
) -> Result<Json<Samples>, ApiError> {
    if !(1..=MAX_SAMPLES).contains(&asked.n) {
        let message = format!("allowed are 1 to {MAX_SAMPLES}");
        return Err(unusable("invalid_value", "n", message));
    }
    if asked.wait_secs > MAX_WAIT_SECS {
        let message = format!("allowed are 0 to {MAX_WAIT_SECS}");
        return Err(unusable("invalid_value", "wait_secs", message));
    }
    let jobs = app.services()?.jobs();
    // Of a training that is over nothing is waited for.
    let is_over = jobs.find(&run).await?.state.is_over();
    let wait = if is_over { Duration::ZERO } else { Duration::from_secs(asked.wait_secs) };
    let taken = jobs.sessions().take(&run, asked.n, wait).await;
    let data = taken.iter().map(|(at, session)| Sample::taken(at, session)).collect();
    samples(&app, &run, data).await
}

async fn samples(app: &App, run: &str, data: Vec<Sample>) -> Result<Json<Samples>, ApiError> {
    let jobs = app.services()?.jobs();
    let job = jobs.find(run).await?;
    let (status, is_played_here) = (job_status(&job), jobs.sessions().is_open(run));
    Ok(Json(Samples { object: "list", data, status, is_played_here }))
}
