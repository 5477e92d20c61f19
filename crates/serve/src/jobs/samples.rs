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
use serde::Deserialize;
use serde_json::{Value, json};

use super::views::job_status;
use crate::App;
use crate::api_error::ApiError;
use crate::body::OptionalJson;
use crate::gateway::{Address, Session};
use crate::path_name::PathName;
use crate::services::unusable;

/// Samples of one answer.
const MAX_SAMPLES: usize = 64;
/// Longest wait for a sample, in seconds.
const MAX_WAIT_SECS: u64 = 60;

pub(super) fn offer_routes() -> Router<App> {
    Router::new().route("/gateway/{run}/samples", get(list).post(take))
}

async fn list(State(app): State<App>, PathName(run): PathName) -> Result<Json<Value>, ApiError> {
    let offered = app.services()?.jobs().sessions().offered(&run);
    body(&app, &run, offered.iter().map(|(at, session)| sample_body(at, session)).collect()).await
}

/// What is to be taken.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Take {
    /// At most so many samples.
    n: usize,
    /// Where there is none, how long to wait for one.
    wait_secs: u64,
}

impl Default for Take {
    fn default() -> Take {
        Take { n: 1, wait_secs: 0 }
    }
}

async fn take(
    State(app): State<App>,
    PathName(run): PathName,
    OptionalJson(asked): OptionalJson<Take>,
) -> Result<Json<Value>, ApiError> {
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
    let with_key = |(at, session): &(Address, std::sync::Arc<Session>)| {
        let mut body = sample_body(at, session);
        body["key"] = session.key().into();
        body
    };
    body(&app, &run, taken.iter().map(with_key).collect()).await
}

async fn body(app: &App, run: &str, samples: Vec<Value>) -> Result<Json<Value>, ApiError> {
    let jobs = app.services()?.jobs();
    let job = jobs.find(run).await?;
    Ok(Json(json!({
        "object": "list", "data": samples, "status": job_status(&job),
        "is_played_here": jobs.sessions().is_open(run),
    })))
}

fn sample_body(at: &Address, session: &Session) -> Value {
    let offer = session.offer.as_ref();
    json!({
        "path": at.path(), "sample": at.sample,
        "purpose": offer.map(|offer| offer.purpose),
        "is_taken": offer.is_some_and(|offer| offer.is_taken()),
        "scenario": offer.map(|offer| &offer.scenario),
    })
}
