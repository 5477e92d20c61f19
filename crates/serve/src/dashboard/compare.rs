//! `/dashboard/compare?a=..&b=..`: two runs in the same charts.

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use stateset_train::{RunStartRecord, RunSummary, compared_charts};

use super::frame::{figure, frame};
use super::run::{blocking, drawn};
use super::runs_folder::RunOutline;
use crate::App;
use crate::api_error::ApiError;

#[derive(Deserialize)]
pub(super) struct Chosen {
    a: Option<String>,
    b: Option<String>,
}

pub(super) async fn page(
    State(app): State<App>,
    Query(chosen): Query<Chosen>,
) -> Result<Markup, ApiError> {
    let folder = app.config().runs.clone();
    let listed = folder.clone();
    let runs = blocking(move || Ok(listed.list())).await?;
    let names: Vec<String> = runs.iter().map(|run| run.name.clone()).collect();
    let charts = match (&chosen.a, &chosen.b) {
        (Some(a), Some(b)) => {
            let (a, b) = (a.clone(), b.clone());
            let [first, second] = [folder.find(&a)?, folder.find(&b)?];
            let work =
                move || compared_charts([&first, &second], [&a, &b]).map_err(ApiError::internal);
            Some(blocking(work).await?)
        }
        _ => None,
    };
    let body = html! {
        h1 { "Compare two runs" }
        form method="get" action="/dashboard/compare" class="choose" {
            (choice("a", "First run", &names, chosen.a.as_deref()))
            (choice("b", "Second run", &names, chosen.b.as_deref()))
            button type="submit" { "Compare" }
        }
        @if let (Some(charts), Some(a), Some(b)) = (&charts, &chosen.a, &chosen.b) {
            (figures(&[a, b].map(|name| runs.iter().find(|run| run.name == *name))))
            (drawn(charts))
        }
    };
    Ok(frame("Compare", "/dashboard/compare", None, body))
}

/// What both runs are and came to.
fn figures(runs: &[Option<&RunOutline>; 2]) -> Markup {
    let start = |run: &Option<&RunOutline>, of: fn(&RunStartRecord) -> String| {
        run.and_then(|run| run.start.as_ref()).map_or_else(|| "–".to_owned(), of)
    };
    let reward = |run: &Option<&RunOutline>, of: fn(&RunSummary) -> Option<f64>| {
        figure(run.and_then(|run| run.summary.as_ref()).and_then(of))
    };
    html! {
        div class="scroll compared" tabindex="0" role="region" aria-label="Both runs" {
            table {
                thead { tr { th {} @for run in runs { th { (run.map_or("–", |run| &run.name)) } } } }
                tbody {
                    tr { th { "algorithm" } @for run in runs { td { (start(run, |s| s.algorithm.clone())) } } }
                    tr { th { "model" } @for run in runs { td { (start(run, |s| s.model.clone())) } } }
                    tr { th { "steps" } @for run in runs { td { (start(run, |s| s.n_steps.to_string())) } } }
                    tr { th { "held-out, before" } @for run in runs { td { (reward(run, |s| s.reward_before)) } } }
                    tr { th { "held-out, after" } @for run in runs { td { (reward(run, |s| s.reward_after)) } } }
                }
            }
        }
    }
}

fn choice(name: &str, label: &str, names: &[String], chosen: Option<&str>) -> Markup {
    html! {
        label { (label)
            select name=(name) required {
                @for run in names {
                    option value=(run) selected[chosen == Some(run)] { (run) }
                }
            }
        }
    }
}
