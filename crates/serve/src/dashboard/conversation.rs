//! One held-out conversation: what was said, token by token, and what was said of it; beside it the same
//! scenario of another evaluation.

use axum::extract::{Path, State};
use maud::{Markup, html};
use stateset_core::Trajectory;
use stateset_nn::Tokenizer;
use stateset_train::RunFolder;

use super::conversations::{load, sets};
use super::frame::{figure, frame};
use super::run::blocking;
use super::tokens::{Heat, ShownToken, sampled, tokenizer_of};
use super::turns::{TOKENS_SCRIPT, parts, token_note, turns};
use crate::App;
use crate::api_error::ApiError;

/// A conversation, and the evaluation it is of.
struct Side {
    set: String,
    trajectory: Trajectory,
    tokens: Vec<Vec<ShownToken>>,
}

pub(super) async fn page(
    State(app): State<App>,
    Path((name, set, index)): Path<(String, String, usize)>,
) -> Result<Markup, ApiError> {
    let run = app.config().runs.find(&name)?;
    let wanted = set.clone();
    let sides = blocking(move || sides(&run, &wanted, index)).await?;
    let scenario = sides.first().map_or("", |side| side.trajectory.scenario_id.as_str());
    let body = html! {
        p { a href={ "/dashboard/runs/" (name) "/conversations/" (set) } { "← " (set) " of " (name) } }
        h1 { (scenario) }
        (token_note(
            "Sampled tokens are shaded by their log-prob: the darker, the less likely the policy thought them."
        ))
        div class={ "sides sides-" (sides.len()) } {
            @for side in &sides { (one(side)) }
        }
    };
    Ok(frame(scenario, "/dashboard", Some(TOKENS_SCRIPT), body))
}

/// The conversation asked for, then the same scenario in each other evaluation.
fn sides(run: &RunFolder, set: &str, index: usize) -> Result<Vec<Side>, ApiError> {
    let tokenizer = tokenizer_of(run);
    let mut played = load(run, set)?;
    if index >= played.len() {
        return Err(ApiError::not_found("conversation", &index.to_string()));
    }
    let first = side(set, played.swap_remove(index), tokenizer.as_ref());
    let scenario = first.trajectory.scenario_id.clone();
    let mut all = vec![first];
    for other in sets(run).iter().filter(|other| *other != set) {
        let found = load(run, other)?.into_iter().find(|t| t.scenario_id == scenario);
        all.extend(found.map(|trajectory| side(other, trajectory, tokenizer.as_ref())));
    }
    Ok(all)
}

fn side(set: &str, trajectory: Trajectory, tokenizer: Option<&Tokenizer>) -> Side {
    // Numbers would say less than the text does.
    let tokens = tokenizer.map_or_else(Vec::new, |t| sampled(&trajectory.trace, Some(t), &[]));
    Side { set: set.to_owned(), trajectory, tokens }
}

fn one(side: &Side) -> Markup {
    html! {
        article class="side" {
            h2 { (side.set) ": " (figure(side.trajectory.reward())) }
            (turns(&side.trajectory, &side.tokens, Heat::Logprob))
            (parts(&side.trajectory))
        }
    }
}
