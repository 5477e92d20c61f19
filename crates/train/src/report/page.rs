//! Putting the page together and writing it.
//!
//! The page is a template with automatic escaping: what users and models said is hostile until it has
//! passed through it, and only the charts, which hold no text of theirs, are inserted as they are. The
//! page's own security policy forbids scripts and everything from outside, in case something slipped by.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;

use super::charts::{ChartView, charts};
use super::choice::{choose, pair_up};
use super::data::{HealthNote, RunData, Warning};
use super::dialogue::{DialogueView, dialogues};
use super::figures::{TableView, TileView, table, tiles};
use crate::files::write_atomically;
use crate::format::count;
use crate::{RunError, RunFolder};

/// Name of the template; its ending switches the escaping on.
const TEMPLATE: &str = "page.html";
/// Warnings that are shown.
const MAX_WARNINGS: usize = 100;
/// Characters of the configuration that are shown.
const MAX_CONFIG_CHARS: usize = 200_000;

/// All that the template is given.
#[derive(Debug, Serialize)]
struct Page {
    /// The style sheet, which is ours and not to be escaped.
    style: Value,
    head: HeadView,
    notes: Vec<String>,
    table: Option<TableView>,
    tiles: Vec<TileView>,
    charts: Vec<ChartView>,
    choice: String,
    dialogues: Vec<DialogueView>,
    health: Vec<HealthView>,
    warnings: Vec<WarningView>,
    n_more_warnings: usize,
    config: Option<String>,
}

/// What the head of the page says.
#[derive(Debug, Serialize)]
struct HeadView {
    title: String,
    facts: Vec<String>,
    memory_plan: String,
}

/// A finding, or a change that followed, for the page.
#[derive(Debug, Serialize)]
struct HealthView {
    /// Where it belongs.
    place: String,
    text: String,
    /// Empty where there is nothing to do.
    advice: String,
}

/// A warning for the page.
#[derive(Debug, Serialize)]
struct WarningView {
    step: u32,
    text: String,
    n_times: usize,
}

/// The report of `run` as one HTML page, from what lies in its folder. What is missing there is a note
/// in the page.
///
/// # Errors
/// [`RunError::Report`] where a chart or the page cannot be put together.
pub fn build_report(run: &RunFolder) -> Result<String, RunError> {
    let data = RunData::load(run);
    let pairs = pair_up(&data.before, &data.after);
    let choice = choose(&pairs);
    let page = Page {
        style: Value::from_safe_string(include_str!("page.css").to_owned()),
        head: head(&data, run),
        notes: notes(&data),
        table: table(&data, &pairs),
        tiles: tiles(&data),
        charts: charts(&data)?,
        choice: choice.statement(),
        dialogues: dialogues(&choice),
        health: data.health.iter().take(MAX_WARNINGS).map(health).collect(),
        warnings: warnings(&data.warnings),
        n_more_warnings: data.warnings.len().saturating_sub(MAX_WARNINGS),
        config: data.config.as_deref().map(config),
    };
    render(&page).map_err(|error| RunError::Report { reason: format!("{error:#}") })
}

/// Builds the report of `run` and writes it into its folder.
///
/// # Errors
/// As [`build_report`], and where the file system refuses.
pub fn write_report(run: &RunFolder) -> Result<(), RunError> {
    write_atomically(&run.report(), build_report(run)?.as_bytes())
}

fn render(page: &Page) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template(TEMPLATE, include_str!("page.html"))?;
    environment.get_template(TEMPLATE)?.render(Value::from(Serde(page)))
}

fn head(data: &RunData, run: &RunFolder) -> HeadView {
    let Some(start) = &data.start else {
        let name = run.root().file_name().unwrap_or_default().to_string_lossy().into_owned();
        return HeadView { title: name, facts: Vec::new(), memory_plan: String::new() };
    };
    let (n_trained, n_all) = (count(start.n_trained_parameters), count(start.n_parameters));
    HeadView {
        title: start.run_name.clone(),
        facts: vec![
            start.algorithm.clone(),
            start.model.clone(),
            start.environment.clone(),
            format!("{n_trained} of {n_all} parameters trained"),
            format!("seed {}", start.seed),
        ],
        memory_plan: start.memory_plan.clone(),
    }
}

/// What is missing or went another way than planned, most important first.
fn notes(data: &RunData) -> Vec<String> {
    let mut notes = Vec::new();
    if data.summary.is_none() {
        let step = data.last_step();
        notes.push(match &data.start {
            Some(start) => format!(
                "This run has not finished: {step} of {} steps are done. It can be resumed.",
                start.n_steps
            ),
            None => "This folder holds no started run.".to_owned(),
        });
    }
    if !data.resumed_steps.is_empty() {
        let steps: Vec<String> = data.resumed_steps.iter().map(u32::to_string).collect();
        notes.push(format!("The run was resumed after step {}.", steps.join(", ")));
    }
    if data.metrics.is_empty() {
        notes.push("No step has been measured, so there are no charts of training.".to_owned());
    }
    if data.evaluations.is_empty() {
        notes.push("No evaluation was played, so nothing is compared.".to_owned());
    }
    match (data.before.is_empty(), data.after.is_empty()) {
        (true, true) => notes.push("No held-out conversations were stored.".to_owned()),
        (false, true) => {
            notes.push("Only the conversations before training are stored so far.".to_owned());
        }
        (true, false) => {
            notes.push("Only the conversations after training are stored.".to_owned());
        }
        (false, false) => {}
    }
    if data.config.is_none() {
        notes.push("The configuration is missing.".to_owned());
    }
    notes.extend(data.problems.iter().cloned());
    notes
}

fn warnings(warnings: &[Warning]) -> Vec<WarningView> {
    let view = |found: &Warning| WarningView {
        step: found.step,
        text: found.text.clone(),
        n_times: found.n_times,
    };
    warnings.iter().take(MAX_WARNINGS).map(view).collect()
}

fn health(note: &HealthNote) -> HealthView {
    match note {
        HealthNote::Found { step, level, text, advice } => HealthView {
            place: format!("step {step}, {level}"),
            text: text.clone(),
            advice: advice.clone(),
        },
        HealthNote::Adjusted { text } => {
            HealthView { place: "changed".to_owned(), text: text.clone(), advice: String::new() }
        }
    }
}

fn config(text: &str) -> String {
    match text.char_indices().nth(MAX_CONFIG_CHARS) {
        Some((end, _)) => format!("{}\n[… the rest is in config.toml]", &text[..end]),
        None => text.to_owned(),
    }
}
