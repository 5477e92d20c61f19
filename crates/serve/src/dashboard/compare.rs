//! `/dashboard/compare?a=..&b=..`: two runs in the same charts.

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use stateset_train::compared_charts;

use super::frame::frame;
use super::run::{blocking, drawn};
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
    let names = blocking(move || Ok(listed.list())).await?;
    let names: Vec<String> = names.into_iter().map(|run| run.name).collect();
    let charts = match (&chosen.a, &chosen.b) {
        (Some(a), Some(b)) => {
            let (a, b) = (a.clone(), b.clone());
            let runs = [folder.find(&a)?, folder.find(&b)?];
            let [first, second] = runs;
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
        @if let Some(charts) = &charts { (drawn(charts)) }
    };
    Ok(frame("Compare", "/dashboard/compare", None, body))
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
