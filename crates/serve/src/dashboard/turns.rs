//! A conversation on a page: what was said, token by token, and what was said of it.

use maud::{Markup, html};
use stateset_core::{ConversationTurn, Role, Score, Trajectory};

use super::frame::figure;
use super::tokens::{Heat, ShownToken};

/// What pages with tokens load, so that a tap or the arrow keys show their numbers.
pub(super) const TOKENS_SCRIPT: &str = "/dashboard/tokens.js";

/// Says how tokens are read, and is told the number of one.
pub(super) fn token_note(words: &str) -> Markup {
    html! {
        p class="note" {
            (words) " Point at a token, tap it, or move to a reply by Tab and along it by the arrow keys, to see its "
            "number."
        }
        p id="token-note" role="status" {}
    }
}

/// All turns. `tokens` has one stretch for each turn of the agent; where it has another number of them,
/// a turn was sampled in several, and text is shown.
pub(super) fn turns(trajectory: &Trajectory, tokens: &[Vec<ShownToken>], heat: Heat) -> Markup {
    let is_agent = |turn: &&ConversationTurn| turn.message.role == Role::Assistant;
    let is_matched = trajectory.turns.iter().filter(is_agent).count() == tokens.len();
    let mut tokens = tokens.iter();
    html! {
        @for turn in &trajectory.turns {
            @let shown = if is_matched && is_agent(&turn) { tokens.next() } else { None };
            (said(turn, shown, heat))
        }
        @if let Some(error) = &trajectory.error { p class="notes" { (error) } }
    }
}

fn said(turn: &ConversationTurn, tokens: Option<&Vec<ShownToken>>, heat: Heat) -> Markup {
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
                        span class={ "token " (token.shade(heat)) } title=(token.numbers()) { (token.text) }
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

/// The parts of the reward with their evidence.
pub(super) fn parts(trajectory: &Trajectory) -> Markup {
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
