//! `/dashboard/chat`: a conversation with one model, or with two at once, of which the better answer can be
//! marked.

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::frame;
use crate::App;

#[derive(Deserialize)]
pub(super) struct Chosen {
    /// The model that is chosen already.
    model: Option<String>,
}

pub(super) async fn page(State(app): State<App>, Query(chosen): Query<Chosen>) -> Markup {
    let names: Vec<String> = app.models().all().iter().map(|model| model.name.clone()).collect();
    let body = html! {
        h1 { "Chat" }
        form id="settings" class="choose" {
            label { "Model" select name="left" { (options(&names, chosen.model.as_deref())) } }
            label { "Beside it"
                select name="right" { option value="" { "nothing" } (options(&names, None)) }
            }
            label { "Temperature"
                input name="temperature" type="number" min="0" max="2" step="0.1" value="0.8";
            }
            label { "Key, where the server asks for one" input name="key" type="password" autocomplete="off"; }
        }
        div id="talk" role="log" aria-live="polite" {}
        form id="say" {
            label class="grow" {
                "Message; Enter sends it, Shift and Enter begins a new line"
                textarea name="message" rows="2" required {}
            }
            button type="submit" { "Send" }
            button type="button" id="anew" { "Begin anew" }
        }
        p class="note" id="state" role="status" {}
        noscript { p class="notes" { "The chat needs scripts to be allowed." } }
    };
    frame("Chat", "/dashboard/chat", Some("/dashboard/chat.js"), body)
}

fn options(names: &[String], chosen: Option<&str>) -> Markup {
    html! {
        @for name in names {
            option value=(name) selected[chosen == Some(name)] { (name) }
        }
    }
}
