//! `/dashboard/runs/{run}`: curves and conversations of one run; fresh while it trains.

use axum::extract::{Path, State};
use maud::{Markup, PreEscaped, html};
use stateset_train::{MetricsRow, RunChart, RunFigures, RunFolder, RunSummary, metric};

use super::conversations::sets;
use super::frame::{figure, frame};
use super::step::steps_nav;
use crate::App;
use crate::api_error::ApiError;

pub(super) async fn page(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Markup, ApiError> {
    let run = app.config().runs.find(&name)?;
    let shown = name.clone();
    let live = blocking(move || fragment(&name, &run)).await?;
    let body = html! {
        h1 { (shown) }
        section id="live" data-source={ "/dashboard/runs/" (shown) "/live" } tabindex="-1" { (live) }
    };
    Ok(frame(&shown, "/dashboard", Some("/dashboard/live.js"), body))
}

/// The part of the page that changes while the run trains.
pub(super) async fn live(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Markup, ApiError> {
    let run = app.config().runs.find(&name)?;
    blocking(move || fragment(&name, &run)).await
}

/// Runs what waits for the disk away from the threads that serve.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)?
}

fn fragment(name: &str, run: &RunFolder) -> Result<Markup, ApiError> {
    let figures = RunFigures::read(run).map_err(ApiError::internal)?;
    let summary = RunSummary::read(run).ok().flatten();
    Ok(html! {
        (conversations_nav(name, &sets(run)))
        (steps_nav(name, &run.journal_steps(), None))
        (tiles(figures.last.as_ref(), summary.as_ref()))
        @if summary.is_some() { p class="note" data-ended="true" { "The run has ended." } }
        (drawn(&figures.charts))
    })
}

fn conversations_nav(run: &str, sets: &[String]) -> Markup {
    html! {
        @if !sets.is_empty() {
            nav aria-label="Held-out conversations" {
                span { "Held-out conversations" }
                @for set in sets {
                    a href={ "/dashboard/runs/" (run) "/conversations/" (set) } { (set) }
                }
            }
        }
    }
}

fn tiles(last: Option<&MetricsRow>, summary: Option<&RunSummary>) -> Markup {
    let of = |name: &str| figure(last.and_then(|row| row.metrics.get(name).copied()));
    html! {
        dl class="tiles" {
            div { dt { "step" } dd { (last.map_or(0, |row| row.step)) } }
            div { dt { "reward, this step" } dd { (of(metric::REWARD_MEAN)) } }
            div { dt { "KL from the sampler" } dd { (of(metric::DRIFT_KL)) } }
            div { dt { "entropy" } dd { (of(metric::ENTROPY)) } }
            @if let Some(summary) = summary {
                div { dt { "held-out, before" } dd { (figure(summary.reward_before)) } }
                div { dt { "held-out, after" } dd { (figure(summary.reward_after)) } }
            }
        }
    }
}

/// Charts side by side. The drawings hold escaped text only.
pub(super) fn drawn(charts: &[RunChart]) -> Markup {
    html! {
        @if charts.is_empty() { p class="note" { "There is nothing to draw yet." } }
        div class="charts" {
            @for chart in charts {
                figure {
                    figcaption {
                        strong { (chart.title) }
                        @for (mark, text) in &chart.legend {
                            span class="entry" { span class={ "mark " (mark) } {} (text) }
                        }
                    }
                    (PreEscaped(&chart.svg))
                    @if !chart.note.is_empty() { p class="note" { (chart.note) } }
                }
            }
        }
    }
}
