//! `/dashboard/runs/{run}/steps/{step}/{group}`: the samples of one scenario beside each other, with what each
//! was worth.

use axum::extract::{Path, Query, State};
use maud::{Markup, html};
use serde::Deserialize;
use stateset_core::Origin;
use stateset_nn::Tokenizer;
use stateset_train::{CreditedGroup, CreditedSample, StepGroups};

use super::frame::{figure, frame};
use super::run::blocking;
use super::step::{missing_advantages, read};
use super::tokens::{Heat, ShownToken, sampled, tokenizer_of};
use super::turns::{TOKENS_SCRIPT, parts, token_note, turns};
use crate::App;
use crate::api_error::ApiError;

#[derive(Deserialize)]
pub(super) struct Shown {
    /// `advantage` shades tokens by it; anything else by log-prob.
    heat: Option<String>,
}

pub(super) async fn page(
    State(app): State<App>,
    Path((name, step, index)): Path<(String, u32, u32)>,
    Query(Shown { heat }): Query<Shown>,
) -> Result<Markup, ApiError> {
    let run = app.config().runs.find(&name)?;
    let found = blocking(move || {
        let mut read = read(&run, step)?;
        let place = read.groups.iter().position(|group| group.index == index);
        let place = place.ok_or_else(|| ApiError::not_found("group", &index.to_string()))?;
        let group = read.groups.swap_remove(place);
        Ok((group, read, tokenizer_of(&run)))
    });
    let (group, read, tokenizer) = found.await?;
    let by_advantage = heat.as_deref() == Some("advantage") && read.why_no_advantages.is_none();
    let here = format!("/dashboard/runs/{name}/steps/{step}");
    let body = html! {
        p { a href=(here) { "← step " (step) " of " (name) } }
        h1 { (group.scenario_id) }
        (missing_advantages(&read))
        (summary(&group))
        (shading(&format!("{here}/{index}"), &read, by_advantage))
        (beside_each_other(&group, tokenizer.as_ref(), by_advantage))
    };
    Ok(frame(&group.scenario_id, "/dashboard", Some(TOKENS_SCRIPT), body))
}

/// The samples as lines, each of which leads to its conversation.
fn summary(group: &CreditedGroup) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Samples" {
            table {
                thead { tr {
                    th { "sample" } th { "reward" } th { "advantage" } th { "turns" } th { "tokens" }
                } }
                tbody {
                    @for (number, sample) in (1..).zip(&group.samples) {
                        tr {
                            th { a href={ "#sample-" (number) } { "Sample " (number) } }
                            td { (figure(sample.trajectory.reward())) }
                            td { (signed(sample.mean_advantage())) }
                            td { (sample.trajectory.assistant_texts().count()) }
                            td { (sample.trajectory.trace.count(Origin::Sampled)) }
                        }
                    }
                }
            }
        }
    }
}

fn shading(here: &str, read: &StepGroups, by_advantage: bool) -> Markup {
    let current = |is_it: bool| is_it.then_some("page");
    let words = match by_advantage {
        true => "Tokens are shaded by their advantage: green is made more likely, red less.",
        false => {
            "Tokens are shaded by their log-prob: the darker, the less likely the policy thought them."
        }
    };
    html! {
        @if read.why_no_advantages.is_none() {
            nav aria-label="What shades tokens" {
                span { "Shade tokens by" }
                a href=(here) aria-current=[current(!by_advantage)] { "log-prob" }
                a href={ (here) "?heat=advantage" } aria-current=[current(by_advantage)] { "advantage" }
            }
        }
        (token_note(words))
    }
}

fn beside_each_other(
    group: &CreditedGroup,
    tokenizer: Option<&Tokenizer>,
    by_advantage: bool,
) -> Markup {
    let all = group.samples.iter().flat_map(|sample| &sample.advantages);
    let heat = match by_advantage {
        true => Heat::Advantage { largest: all.fold(0.0, |largest: f64, a| largest.max(a.abs())) },
        false => Heat::Logprob,
    };
    html! {
        div class="samples" tabindex="0" role="region" aria-label="Samples beside each other" {
            @for (number, sample) in (1..).zip(&group.samples) {
                (one(number, sample, tokenizer, heat))
            }
        }
    }
}

fn one(
    number: usize,
    sample: &CreditedSample,
    tokenizer: Option<&Tokenizer>,
    heat: Heat,
) -> Markup {
    let trajectory = &sample.trajectory;
    // Numbers would say less than the text does.
    let tokens: Vec<Vec<ShownToken>> = tokenizer
        .map(|tokenizer| sampled(&trajectory.trace, Some(tokenizer), &sample.advantages))
        .unwrap_or_default();
    html! {
        article class="side" id={ "sample-" (number) } {
            h2 {
                "Sample " (number) ": " (figure(trajectory.reward()))
                @if let Some(advantage) = sample.mean_advantage() {
                    " " span class={ "tag " (if advantage < 0.0 { "loss" } else { "gain" }) } {
                        (signed(Some(advantage)))
                    }
                }
            }
            (turns(trajectory, &tokens, heat))
            (parts(trajectory))
        }
    }
}

fn signed(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:+.3}"))
}
