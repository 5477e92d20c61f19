//! `train` with a method that learns from preferences: the same flags, and nothing is played.

use serde_json::{Map, Value};
use stateset_train::config::Resolved;
use stateset_train::{PreferenceOutline, PreferenceRun, Progress, TrainError};

use super::engine::runtime;
use super::error::{CliError, Outcome};
use super::output::Output;
use super::result::RunResult;
use super::signals::stop_on_signal;
use super::sources::Prepared;
use super::today::today;
use super::train::{DryRun, TrainArgs, during_run, progress_style};

/// Trains, or shows what training would do.
pub(crate) fn run(prepared: Prepared, args: &TrainArgs) -> Outcome {
    let Prepared { resolved, model } = prepared;
    let name = &resolved.config.presets.algorithm;
    let model = model.ok_or_else(|| {
        CliError::bad(format!("train by {name}: a stub has no model to train; leave --stub out"))
    })?;
    let mut run = PreferenceRun::from_config(&resolved, model).map_err(CliError::loading)?;
    run.date = args.date.or_else(today);
    if args.dry_run {
        let outline = run.check().map_err(CliError::loading)?;
        return show(&run, &resolved, &outline, args.json);
    }
    train(run, &resolved, args)
}

fn train(mut run: PreferenceRun, resolved: &Resolved, args: &TrainArgs) -> Outcome {
    run.sinks.push(Box::new(Progress::new(progress_style(resolved))));
    let stop = run.stop.clone();
    let trained = runtime()?.block_on(async {
        stop_on_signal(stop);
        tokio::task::spawn_blocking(move || run.train()).await
    });
    let trained = trained.unwrap_or(Err(TrainError::EngineGone)).map_err(during_run)?;
    if let Some(folder) = &args.save {
        trained.save(folder).map_err(CliError::failed)?;
    }
    let mut output = Output::new();
    match args.json {
        true => output.line(trained.summary.to_json())?,
        false => output.text(&RunResult::from(&trained).text(args.save.as_deref()))?,
    }
    output.flush()
}

fn show(
    run: &PreferenceRun,
    resolved: &Resolved,
    outline: &PreferenceOutline,
    as_json: bool,
) -> Outcome {
    let what = format!(
        "{} steps of {} with {} on {}, each of {} of {} examples; {} are held out. Written to {}.",
        outline.n_steps,
        resolved.config.presets.algorithm,
        run.model.name,
        if run.data.is_pairs() { "pairs" } else { "answers judged alone" },
        run.settings.examples_per_step,
        outline.n_learned,
        outline.n_held_out,
        run.folder.root().display()
    );
    let figures = [
        ("steps", u64::from(outline.n_steps)),
        ("examples", outline.n_learned as u64),
        ("held_out", outline.n_held_out as u64),
    ];
    let figures: Map<String, Value> =
        figures.into_iter().map(|(name, n)| (name.to_owned(), n.into())).collect();
    let memory = Some(&outline.memory);
    DryRun { resolved, folder: &run.folder, what, figures, memory }.show(as_json)
}
