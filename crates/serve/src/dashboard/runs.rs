//! `/dashboard`: all runs.

use axum::extract::State;
use maud::{Markup, html};

use super::frame::{figure, frame};
use super::run::blocking;
use super::runs_folder::RunOutline;
use crate::App;
use crate::api_error::ApiError;

pub(super) async fn page(State(app): State<App>) -> Result<Markup, ApiError> {
    let folder = app.config().runs.clone();
    let place = folder.place();
    let runs = blocking(move || Ok(folder.list())).await?;
    let body = html! {
        h1 { "Runs" }
        @if runs.is_empty() {
            p class="notes" {
                "No runs lie in " code { (place) } ". Train one with "
                code { "stateset-agents train" } ", or ask for one with " code { "POST /training" } "."
            }
        } @else {
            (table(&runs))
        }
    };
    Ok(frame("Runs", "/dashboard", None, body))
}

fn table(runs: &[RunOutline]) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Runs" {
            table {
                thead { tr {
                    th { "run" } th { "state" } th { "steps" } th { "reward before" } th { "after" }
                    th { "algorithm" } th { "model" }
                } }
                tbody {
                    @for run in runs { (row(run)) }
                }
            }
        }
    }
}

fn row(run: &RunOutline) -> Markup {
    let start = run.start.as_ref();
    let summary = run.summary.as_ref();
    let steps = match (summary, start) {
        (Some(summary), _) => summary.n_steps.to_string(),
        (None, Some(start)) => format!("of {}", start.n_steps),
        (None, None) => "–".to_owned(),
    };
    html! {
        tr {
            th { a href={ "/dashboard/runs/" (run.name) } { (run.name) } }
            td { (if summary.is_some() { "finished" } else { "not finished" }) }
            td { (steps) }
            td { (figure(summary.and_then(|summary| summary.reward_before))) }
            td { (figure(summary.and_then(|summary| summary.reward_after))) }
            td { (start.map_or("–", |start| &start.algorithm)) }
            td { (start.map_or("–", |start| &start.model)) }
        }
    }
}
