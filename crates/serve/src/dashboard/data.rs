//! `/dashboard/data`: what was gathered to learn from.

use std::fs;

use axum::extract::State;
use maud::{Markup, html};

use super::frame::frame;
use super::run::blocking;
use crate::App;
use crate::api_error::ApiError;

pub(super) async fn page(State(app): State<App>) -> Result<Markup, ApiError> {
    let path = app.config().preferences.path().to_owned();
    let shown = path.display().to_string();
    let n_pairs =
        blocking(move || Ok(fs::read_to_string(&path).map_or(0, |text| text.lines().count())))
            .await?;
    let body = html! {
        h1 { "Data" }
        section {
            h2 { "Preferences" }
            p { (n_pairs) " pairs were marked in the chat." }
            @if n_pairs > 0 {
                p { "They lie in " code { (shown) } ". Learn from them with" }
                pre { "stateset-agents train --algorithm dpo --pairs " (shown) }
            }
        }
    };
    Ok(frame("Data", "/dashboard/data", None, body))
}
