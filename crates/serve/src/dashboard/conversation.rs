//! One held-out conversation: what was said, token by token, and what was said of it; beside it the same
//! scenario of another evaluation.

use axum::extract::{Path, State};
use maud::{Markup, html};
use stateset_core::{ConversationTurn, Role, Score, Trajectory};
use stateset_nn::Tokenizer;
use stateset_train::RunFolder;

use super::conversations::{load, sets};
use super::frame::{figure, frame};
use super::run::blocking;
use super::tokens::{ShownToken, sampled, tokenizer_of};
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
        p class="note" {
            "Sampled tokens are shaded by their log-prob: the darker, the less likely the policy thought them. "
            "Point at one to see the number."
        }
        div class={ "sides sides-" (sides.len()) } {
            @for side in &sides { (one(side)) }
        }
    };
    Ok(frame(scenario, "/dashboard", None, body))
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
    let tokens = tokenizer.map_or_else(Vec::new, |t| sampled(&trajectory.trace, Some(t)));
    Side { set: set.to_owned(), trajectory, tokens }
}

fn one(side: &Side) -> Markup {
    let trajectory = &side.trajectory;
    // One stretch of tokens for each turn of the agent, unless a turn was sampled in several.
    let is_agent = |turn: &&ConversationTurn| turn.message.role == Role::Assistant;
    let is_matched = trajectory.turns.iter().filter(is_agent).count() == side.tokens.len();
    let mut tokens = side.tokens.iter();
    html! {
        article class="side" {
            h2 { (side.set) ": " (figure(trajectory.reward())) }
            @for turn in &trajectory.turns {
                @let shown = if is_matched && is_agent(&turn) { tokens.next() } else { None };
                (said(turn, shown))
            }
            @if let Some(error) = &trajectory.error { p class="notes" { (error) } }
            (parts(trajectory))
        }
    }
}

fn said(turn: &ConversationTurn, tokens: Option<&Vec<ShownToken>>) -> Markup {
    let message = &turn.message;
    html! {
        div class={ "turn " (message.role) } {
            p class="speaker" {
                (message.name.as_deref().unwrap_or(message.role.as_str()))
                @if let Some(reward) = turn.reward { " · " (format!("{reward:.3}")) }
            }
            @match tokens {
                Some(tokens) => p class="tokens" {
                    @for token in tokens {
                        span class={ "token shade-" (token.shade) } title=(format!("{:.3}", token.logprob)) { (token.text) }
                    }
                },
                None => p { (message.content) },
            }
            @for call in &message.tool_calls {
                pre { (call.name) "(" (call.arguments) ")" }
            }
        }
    }
}

fn parts(trajectory: &Trajectory) -> Markup {
    let Some(result) = &trajectory.reward else {
        return html! { p class="note" { "It has no reward." } };
    };
    html! {
        table class="parts" {
            thead { tr { th { "part" } th { "weight" } th { "score" } } }
            tbody {
                @for part in &result.components {
                    tr { th { (part.name) } td { (part.weight) } td { (score(&part.score)) } }
                    @if let Some(note) = evidence(&part.score) {
                        tr { td class="evidence" colspan="3" { (note) } }
                    }
                }
                tr class="headline" { th { "total" } td {} td { (score(&result.total)) } }
            }
        }
    }
}

fn score(score: &Score) -> String {
    figure(score.value())
}

fn evidence(score: &Score) -> Option<&str> {
    let text = match score {
        Score::Scored { evidence, .. } => evidence,
        Score::Unscorable { why } => why,
    };
    Some(text.as_str()).filter(|text| !text.is_empty())
}
