//! `/dashboard/data`: what can be learned from. Scenario sets that a training may name, and what was gathered.

use std::fs;
use std::io::ErrorKind;

use axum::extract::State;
use maud::{Markup, html};
use stateset_env::customer::Split;
use stateset_env::sets::{World, worlds};

use super::frame::frame;
use super::run::blocking;
use crate::App;
use crate::api_error::ApiError;

/// Pairs that a run wrote down.
struct Pairs {
    run: String,
    n: usize,
}

pub(super) async fn page(State(app): State<App>) -> Result<Markup, ApiError> {
    let marked = app.config().preferences.path().to_owned();
    let shown = marked.display().to_string();
    let runs = app.config().runs.clone();
    let gathered = blocking(move || {
        let of_runs = runs.list().into_iter().filter_map(|run| {
            let n = n_lines(&runs.find(&run.name).ok()?.preferences());
            (n > 0).then_some(Pairs { run: run.name, n })
        });
        Ok((n_lines(&marked), of_runs.collect::<Vec<_>>(), sets()))
    });
    let (n_marked, of_runs, sets) = gathered.await?;
    let body = html! {
        h1 { "Data" }
        section {
            h2 { "Scenario sets" }
            p {
                "A training names one as " code { "environment.scenario_set" } ", or brings scenarios or prompts of its "
                "own. Files of this machine cannot be named over HTTP."
            }
            (sets)
        }
        section {
            h2 { "Preferences" }
            p { (n_marked) " pairs were marked in the chat." }
            @if n_marked > 0 {
                p { "They lie in " code { (shown) } ". Learn from them with" }
                pre tabindex="0" { "stateset-agents train --algorithm dpo --pairs " (shown) }
            }
            @if !of_runs.is_empty() { (pairs_of_runs(&of_runs)) }
        }
    };
    Ok(frame("Data", "/dashboard/data", None, body))
}

/// The built-in sets with their sizes.
fn sets() -> Markup {
    let n = |world: &dyn World, split: Split| world.scenarios(split).len();
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Scenario sets" {
            table {
                thead { tr {
                    th { "set" } th class="words" { "what is played" } th { "to train" } th { "held out" }
                } }
                tbody {
                    @for world in worlds() {
                        tr {
                            th { a href={ "/dashboard/data/" (world.name()) } { (world.name()) } }
                            td class="words" { (world.summary()) }
                            td { (n(world.as_ref(), Split::Train)) }
                            td { (n(world.as_ref(), Split::HeldOut)) }
                        }
                    }
                }
            }
        }
    }
}

fn pairs_of_runs(all: &[Pairs]) -> Markup {
    html! {
        p { "Runs wrote down pairs of their best and worst samples:" }
        ul {
            @for pairs in all {
                li { a href={ "/dashboard/runs/" (pairs.run) } { (pairs.run) } ": " (pairs.n) }
            }
        }
    }
}

/// Lines of a file that need not be there.
fn n_lines(path: &std::path::Path) -> usize {
    match fs::read(path) {
        Ok(bytes) => bytes.iter().filter(|byte| **byte == b'\n').count(),
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                tracing::warn!(%error, path = %path.display(), "pairs cannot be counted");
            }
            0
        }
    }
}
