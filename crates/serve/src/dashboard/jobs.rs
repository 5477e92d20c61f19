//! `/dashboard/jobs`: the trainings that were asked for over HTTP, and ending, going on with and serving them.
//!
//! Buttons are forms, so that they work without scripts. A browser sends the password of these pages along
//! with whatever a page of another site posts here, so posts are taken from our own pages only
//! (`security/browser.rs`).

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::frame::{figure, frame};
use crate::App;
use crate::api_error::ApiError;
use crate::jobs::{deploy, has_model, job_model, job_percent, job_status};
use crate::security::Identity;
use crate::store::{JobRow, JobState, PageAsked};

/// Jobs that are shown, the newest.
const SHOWN: usize = 50;

pub(super) async fn page(State(app): State<App>) -> Result<Markup, ApiError> {
    around(&app, None).await
}

/// The part of the page that changes while jobs train.
pub(super) async fn live(State(app): State<App>) -> Result<Markup, ApiError> {
    table(&app).await
}

pub(super) async fn cancel(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let done = app.services()?.jobs().cancel(&id).await;
    answer(&app, done, "/dashboard/jobs").await
}

pub(super) async fn resume(
    State(app): State<App>,
    Extension(identity): Extension<Identity>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let done = app.services()?.jobs().resume(&id, &identity).await;
    answer(&app, done, "/dashboard/jobs").await
}

pub(super) async fn chat(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let done = deploy(&app, &id, None).await;
    answer(&app, done, &format!("/dashboard/chat?model={id}")).await
}

/// Leads to `place`, or shows the jobs again with what was wrong.
async fn answer<T>(
    app: &App,
    done: Result<T, ApiError>,
    place: &str,
) -> Result<Response, ApiError> {
    match done {
        Ok(_) => Ok(Redirect::to(place).into_response()),
        Err(error) if error.status == StatusCode::NOT_FOUND => Err(error),
        Err(error) => Ok((error.status, around(app, Some(&error.message)).await?).into_response()),
    }
}

async fn around(app: &App, problem: Option<&str>) -> Result<Markup, ApiError> {
    let body = html! {
        h1 { "Jobs" }
        @if let Some(problem) = problem { p class="notes" role="alert" { (problem) } }
        section id="live" data-source="/dashboard/jobs/live" tabindex="-1" { (table(app).await?) }
    };
    Ok(frame("Jobs", "/dashboard/jobs", Some("/dashboard/live.js"), body))
}

async fn table(app: &App) -> Result<Markup, ApiError> {
    let Ok(services) = app.services() else {
        return Ok(html! { p class="notes" data-ended="true" { "This server keeps no jobs." } });
    };
    let asked = PageAsked { limit: SHOWN, after: None };
    let (store, page) = (services.store(), services.store().jobs(&asked).await?);
    let now = store.now();
    Ok(html! {
        @if page.items.is_empty() {
            p class="notes" {
                "No training was asked for. " code { "POST /training" } " asks for one; "
                a href="/dashboard/data" { "the data page" } " says what it may name."
            }
        } @else {
            ul class="jobs" {
                @for job in &page.items { (one(job, now)) }
            }
            @if page.has_more { p class="note" { "Older ones are not shown: " code { "GET /training" } " has all." } }
        }
    })
}

fn one(job: &JobRow, now: i64) -> Markup {
    let status = job_status(job);
    let reward = job.metrics.get("reward/mean").and_then(serde_json::Value::as_f64);
    html! {
        li class="job" {
            h2 {
                // A job that has not begun has no run yet.
                @if job.started_at.is_some() { a href={ "/dashboard/runs/" (job.id) } { (job.id) } }
                @else { (job.id) }
                " " span class={ "tag " (tag_of(status)) } { (status) }
            }
            progress max="100" value=(job_percent(job)) aria-label={ "Progress of " (job.id) } {}
            p class="note" {
                "step " (job.step)
                @if job.n_steps > 0 { " of " (job.n_steps) }
                " · reward " (figure(reward)) " · model " (job_model(job))
                " · asked for " (ago(now - job.created_at)) " ago"
            }
            @if let Some(error) = &job.error { p class="notes" { (error) } }
            div class="buttons" { (buttons(job)) }
        }
    }
}

fn tag_of(status: &str) -> &'static str {
    match status {
        "completed" => "gain",
        "failed" => "loss",
        _ => "",
    }
}

/// What can be done with a job. Whoever sees these pages is a trainer and may do all of it, but for a job that
/// starts a command: with that only admins go on.
fn buttons(job: &JobRow) -> Markup {
    let is_under_way = !job.state.is_over() && !job.is_cancel_asked;
    let can_go_on = matches!(job.state, JobState::Cancelled | JobState::Failed);
    html! {
        @if is_under_way { (button(job, "cancel", "Cancel")) }
        @if can_go_on { (button(job, "resume", "Resume")) }
        @if has_model(job).is_some() { (button(job, "chat", "Chat with it")) }
    }
}

fn button(job: &JobRow, action: &str, words: &str) -> Markup {
    html! {
        form method="post" action={ "/dashboard/jobs/" (job.id) "/" (action) } {
            button type="submit" id={ (action) "-" (job.id) } { (words) }
        }
    }
}

/// A time span as people say it.
fn ago(millis: i64) -> String {
    let secs = millis.max(0) / 1000;
    match secs {
        0..60 => format!("{secs} s"),
        60..3_600 => format!("{} min", secs / 60),
        3_600..86_400 => format!("{} h", secs / 3_600),
        _ => format!("{} d", secs / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_have_one_unit() {
        let spans = [-5, 59_999, 60_000, 7_199_000, 172_800_000].map(ago);
        assert_eq!(spans, ["0 s", "59 s", "1 min", "1 h", "2 d"]);
    }
}
