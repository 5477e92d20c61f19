//! `/dashboard/data/{set}`: a built-in scenario set, what its agent is told and how its scenarios begin.

use axum::extract::Path;
use maud::{Markup, html};
use stateset_core::Scenario;
use stateset_env::customer::Split;
use stateset_env::sets::world;

use super::frame::frame;
use super::run::blocking;
use crate::api_error::ApiError;

/// Scenarios that are shown.
const SHOWN: usize = 25;

pub(super) async fn page(Path(name): Path<String>) -> Result<Markup, ApiError> {
    let set = world(&name).map_err(|_| ApiError::not_found("scenario set", &name))?;
    let (summary, prompt, reward) = (set.summary(), set.system_prompt(), set.reward());
    let scenarios = blocking(move || Ok(set.scenarios(Split::Train))).await?;
    let body = html! {
        p { a href="/dashboard/data" { "← data" } }
        h1 { (name) }
        p { (summary) }
        p class="note" { "Reward that fits: " code { (reward) } }
        section {
            h2 { "What the agent is told" }
            pre tabindex="0" class="wrapped" { (prompt) }
        }
        section {
            h2 { "Scenarios to train on" }
            p class="note" { "The first " (scenarios.len().min(SHOWN)) " of " (scenarios.len()) "." }
            div class="scroll" tabindex="0" role="region" aria-label="Scenarios" {
                table {
                    thead { tr { th { "scenario" } th { "topic" } th class="words" { "what it is about" } } }
                    tbody { @for scenario in scenarios.iter().take(SHOWN) { (row(scenario)) } }
                }
            }
        }
    };
    Ok(frame(&name, "/dashboard/data", None, body))
}

fn row(scenario: &Scenario) -> Markup {
    html! {
        tr { th { (scenario.id) } td { (scenario.topic) } td class="words" { (scenario.context) } }
    }
}
