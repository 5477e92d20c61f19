//! `/dashboard/runs/{run}/steps/{step}`: the groups that one step of a run played.

use axum::extract::{Path, State};
use maud::{Markup, html};
use stateset_train::{CreditedGroup, CreditedSample, RunFolder, StepGroups};

use super::frame::{figure, frame};
use super::run::blocking;
use crate::App;
use crate::api_error::ApiError;

/// Most steps that are listed, the newest.
const MAX_LISTED: usize = 12;

pub(super) async fn page(
    State(app): State<App>,
    Path((name, step)): Path<(String, u32)>,
) -> Result<Markup, ApiError> {
    let run = app.config().runs.find(&name)?;
    let (read, steps) = blocking(move || Ok((read(&run, step)?, run.journal_steps()))).await?;
    let body = html! {
        p { a href={ "/dashboard/runs/" (name) } { "← " (name) } }
        h1 { "Groups of step " (step) }
        (steps_nav(&name, &steps, Some(step)))
        (missing_advantages(&read))
        div class="scroll" tabindex="0" role="region" aria-label="Groups" {
            table {
                thead { tr {
                    th { "scenario" } th { "samples" } th { "reward" } th { "lowest" } th { "highest" }
                    th { "failed" }
                } }
                tbody {
                    @for group in &read.groups { (row(&name, step, group)) }
                }
            }
        }
    };
    Ok(frame(&format!("Step {step} of {name}"), "/dashboard", None, body))
}

/// What `step` of a run played.
///
/// # Errors
/// [`ApiError`] 404 where its journal is not there, because it was not played or because a checkpoint has made
/// it needless.
pub(super) fn read(run: &RunFolder, step: u32) -> Result<StepGroups, ApiError> {
    let read = StepGroups::read(run, step).map_err(ApiError::internal)?;
    read.ok_or_else(|| ApiError::not_found("step with rollouts", &step.to_string()))
}

/// Links to the newest steps whose rollouts are there.
pub(super) fn steps_nav(run: &str, steps: &[u32], here: Option<u32>) -> Markup {
    let first = steps.len().saturating_sub(MAX_LISTED);
    html! {
        @if !steps.is_empty() {
            nav aria-label="Steps whose groups are kept" {
                span { "Groups of step" }
                @for step in &steps[first..] {
                    a href={ "/dashboard/runs/" (run) "/steps/" (step) }
                        aria-current=[(here == Some(*step)).then_some("page")] { (step) }
                }
            }
        }
    }
}

/// Says why there are no advantages, where there are none.
pub(super) fn missing_advantages(read: &StepGroups) -> Markup {
    html! {
        @if let Some(why) = &read.why_no_advantages {
            p class="note" { "Advantages are not shown: " (why) "." }
        }
    }
}

fn row(run: &str, step: u32, group: &CreditedGroup) -> Markup {
    let rewards: Vec<f64> =
        group.samples.iter().filter_map(|sample| sample.trajectory.reward()).collect();
    let mean = rewards.iter().sum::<f64>() / rewards.len() as f64;
    let n_failed = group.samples.iter().filter(|sample| is_failed(sample)).count();
    html! {
        tr {
            th { a href={ "/dashboard/runs/" (run) "/steps/" (step) "/" (group.index) } { (group.scenario_id) } }
            td { (group.samples.len()) }
            td { (figure((!rewards.is_empty()).then_some(mean))) }
            td { (figure(rewards.iter().copied().reduce(f64::min))) }
            td { (figure(rewards.iter().copied().reduce(f64::max))) }
            td { (n_failed) }
        }
    }
}

fn is_failed(sample: &CreditedSample) -> bool {
    sample.trajectory.reward().is_none()
}
