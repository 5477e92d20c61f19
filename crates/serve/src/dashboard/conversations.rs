//! `/dashboard/runs/{run}/conversations/{set}`: the held-out conversations of one evaluation.

use std::fs;

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use stateset_core::Trajectory;
use stateset_train::{RunFolder, read_conversations};

use super::frame::{figure, frame};
use super::run::blocking;
use crate::App;
use crate::api_error::ApiError;

/// Conversations on one page.
const PER_PAGE: usize = 50;

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    page: usize,
}

pub(super) async fn page(
    State(app): State<App>,
    Path((name, set)): Path<(String, String)>,
    Query(Shown { page }): Query<Shown>,
) -> Result<Markup, ApiError> {
    let run = app.config().runs.find(&name)?;
    let wanted = set.clone();
    let played = blocking(move || load(&run, &wanted)).await?;
    let n_pages = played.len().div_ceil(PER_PAGE).max(1);
    let page = page.min(n_pages - 1);
    let shown = played.iter().enumerate().skip(page * PER_PAGE).take(PER_PAGE);
    let here = format!("/dashboard/runs/{name}/conversations/{set}");
    let body = html! {
        p { a href={ "/dashboard/runs/" (name) } { "← " (name) } }
        h1 { "Held-out conversations, " (set) }
        div class="scroll" tabindex="0" role="region" aria-label="Conversations" {
            table {
                thead { tr { th { "scenario" } th { "reward" } th { "turns" } th { "first words" } } }
                tbody {
                    @for (index, trajectory) in shown {
                        tr {
                            th { a href={ (here) "/" (index) } { (trajectory.scenario_id) } }
                            td { (figure(trajectory.reward())) }
                            td { (trajectory.assistant_texts().count()) }
                            td class="words" { (first_words(trajectory)) }
                        }
                    }
                }
            }
        }
        @if n_pages > 1 {
            nav aria-label="Pages of the list" {
                @for other in 0..n_pages {
                    a href={ (here) "?page=" (other) }
                        aria-current=[(other == page).then_some("page")] { (other + 1) }
                }
            }
        }
    };
    Ok(frame(&format!("{set} of {name}"), "/dashboard", None, body))
}

/// Names of the evaluations whose conversations were kept, in order.
pub(super) fn sets(run: &RunFolder) -> Vec<String> {
    let Ok(entries) = fs::read_dir(run.evaluations()) else { return Vec::new() };
    let name =
        |entry: fs::DirEntry| Some(entry.file_name().to_str()?.strip_suffix(".jsonl")?.to_owned());
    let mut names: Vec<String> = entries.flatten().filter_map(name).collect();
    names.sort();
    names
}

/// The conversations of the evaluation called `set`.
///
/// # Errors
/// [`ApiError`] 404 where no such evaluation was kept.
pub(super) fn load(run: &RunFolder, set: &str) -> Result<Vec<Trajectory>, ApiError> {
    if !sets(run).iter().any(|name| name == set) {
        return Err(ApiError::not_found("evaluation", set));
    }
    let played = read_conversations(run, set).map_err(ApiError::internal)?;
    played.ok_or_else(|| ApiError::not_found("evaluation", set))
}

fn first_words(trajectory: &Trajectory) -> String {
    let text = trajectory.user_texts().next().unwrap_or_default();
    let mut words: String = text.chars().take(80).collect();
    if words.len() < text.len() {
        words.push('…');
    }
    words
}
