//! One online run: rollouts with simulated customers, judged by customers who were held out.
//!
//! Evaluations before and after play the same 63 customers with the same random numbers, so that they
//! are paired. Their conversations stay in the run folder; checkpoints do not.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};
use stateset_core::Trajectory;
use stateset_train::config::{ConfigSources, Flag, ModelOverlay, Resolved, report, resolve};
use stateset_train::{
    JudgeModel, MetricsRow, ModelSource, OnlineRun, RunFolder, TrainError, metric,
    read_conversations, read_metrics,
};

use super::machine::{cpu_secs, machine, today};
use super::outcome::{Outcome, keys};
use super::row::Row;
use super::settings::folder;

/// What is trained.
pub(crate) const MODEL: &str = "builtin:tiny";
/// Steps in a row over which a critic is judged: those of one step are few.
const LAST: usize = 3;

/// What every online row has in common.
const COMMON: [(&str, &str); 11] = [
    ("agent.model_name", MODEL),
    ("environment.scenario_set", "customer_service"),
    ("evaluation.split", "held_out"),
    ("evaluation.num_episodes", "0"),
    ("evaluation.seed", "42"),
    ("training.prompts_per_step", "8"),
    ("training.num_generations", "8"),
    ("training.eval_before", "true"),
    ("training.run_post_eval", "true"),
    ("training.save_steps", "0"),
    ("training.overwrite_output_dir", "true"),
];

/// Trains `row` with `seed`.
pub(super) fn train(row: &Row, seed: u64) -> Result<Outcome> {
    train_with(row, seed, None, None)
}

/// The same with other weights, or with a judge; their models lie in folders.
pub(super) fn train_with(
    row: &Row,
    seed: u64,
    weights: Option<&Path>,
    judge: Option<&Path>,
) -> Result<Outcome> {
    let (start, cpu_before) = (Instant::now(), cpu_secs());
    let model = ModelSource::open(MODEL, &no_hub)?;
    let open = |path: &Path| ModelSource::open(&path.display().to_string(), &no_hub);
    let mut common = COMMON.map(|(key, value)| (key, value.to_owned())).to_vec();
    common.extend(judge.map(|path| ("reward.judge_model", path.display().to_string())));
    let resolved = resolved(row, seed, &model, &common)?;
    let model = weights.map_or(Ok(model), open)?;
    let mut run = OnlineRun::new(resolved, Some(model))?;
    run.judge = judge.map(open).transpose()?.map(|model| JudgeModel::Local(Box::new(model)));
    let place = run.folder.clone();
    let runtime = tokio::runtime::Runtime::new().context("failed to start a runtime")?;
    runtime.block_on(run.train())?;
    drop(runtime);
    let (wall_secs, cpu_secs) = (start.elapsed().as_secs_f64(), cpu_secs() - cpu_before);
    let before = conversations(&place, RunFolder::BEFORE)?;
    let after = conversations(&place, RunFolder::AFTER)?;
    let steps = read_metrics(&place.metrics())?;
    remove_weights(&place);
    Ok(Outcome {
        row: row.name.to_owned(),
        seed,
        keys: keys(row),
        machine: machine(),
        day: today(),
        wall_secs,
        cpu_secs,
        before: rewards(&before)?,
        after: rewards(&after)?,
        figures: figures(&before, &after, &steps),
        curve: steps.iter().map(|step| of(step, metric::REWARD_MEAN)).collect(),
    })
}

pub(crate) fn no_hub(id: &str) -> Result<PathBuf, TrainError> {
    Err(TrainError::Invalid { what: "find the model", message: format!("{id} is not embedded") })
}

/// The settings of a row; `common` are those beside its own.
pub(super) fn resolved(
    row: &Row,
    seed: u64,
    model: &ModelSource,
    common: &[(&str, String)],
) -> Result<Resolved> {
    let runs = folder().join("runs");
    let place = [
        ("training.output_dir", runs.display().to_string()),
        ("training.run_name", format!("{}-{seed}", row.name)),
        ("training.seed", seed.to_string()),
    ];
    let common = common.iter().cloned().chain(place).map(|(key, value)| (key.to_owned(), value));
    of_keys(model, common.chain(row.keys.clone()))
}

/// The settings that these keys come to over those of the model.
pub(crate) fn of_keys(
    model: &ModelSource,
    keys: impl IntoIterator<Item = (String, String)>,
) -> Result<Resolved> {
    let flag = |(path, value): (String, String)| Flag { flag: path.clone(), path, value };
    let sources = ConfigSources {
        overlay: model
            .overlay
            .map(|toml| ModelOverlay { model: MODEL.to_owned(), toml: toml.to_owned() }),
        flags: keys.into_iter().map(flag).collect(),
        ..ConfigSources::default()
    };
    resolve(&sources).map_err(|problems| anyhow!("{}", report(&problems)))
}

fn conversations(place: &RunFolder, name: &str) -> Result<Vec<Trajectory>> {
    let found = read_conversations(place, name)?;
    found.with_context(|| format!("the run wrote no evaluation {name}"))
}

/// Reward of every held-out customer.
fn rewards(played: &[Trajectory]) -> Result<Vec<f64>> {
    let found: Vec<f64> = played.iter().filter_map(Trajectory::reward).collect();
    ensure!(found.len() == played.len(), "some held-out customers could not be scored");
    Ok(found)
}

/// Weights are large and can be had again; conversations and metrics stay.
pub(crate) fn remove_weights(place: &RunFolder) {
    for folder in [place.checkpoints(), place.final_checkpoint()] {
        // What is not there need not be removed.
        let _ = fs::remove_dir_all(folder);
    }
}

fn figures(
    before: &[Trajectory],
    after: &[Trajectory],
    steps: &[MetricsRow],
) -> BTreeMap<String, f64> {
    let last = &steps[steps.len().saturating_sub(LAST)..];
    let mut figures = BTreeMap::new();
    let mut put = |name: &str, value: f64| {
        if value.is_finite() {
            figures.insert(name.to_owned(), value);
        }
    };
    put("goal_before", goals(before));
    put("goal_after", goals(after));
    put("turns_before", turns(before));
    put("turns_after", turns(after));
    put("clip_share", mean(steps, |s| of(s, metric::CLIP_LOW) + of(s, metric::CLIP_HIGH)));
    let explained = |s: &MetricsRow| of(s, "value/explained_variance");
    put(
        "explained_variance",
        steps.windows(LAST).map(|w| mean(w, explained)).fold(f64::NAN, f64::max),
    );
    put("explained_variance_last", mean(last, explained));
    put("reference_kl", mean(last, |s| of(s, metric::REFERENCE_KL)));
    put("drift_kl", mean(steps, |s| of(s, metric::DRIFT_KL)));
    put("entropy_first", mean(&steps[..steps.len().min(1)], |s| of(s, metric::ENTROPY)));
    put("entropy_last", mean(last, |s| of(s, metric::ENTROPY)));
    put("gradient_norm", mean(steps, |s| of(s, metric::GRADIENT_NORM)));
    put("skipped_steps", mean(steps, |s| of(s, "gradient/skipped_steps")) * steps.len() as f64);
    put("n_steps", steps.len() as f64);
    figures
}

fn of(step: &MetricsRow, name: &str) -> f64 {
    step.metrics.get(name).copied().unwrap_or(f64::NAN)
}

fn mean(steps: &[MetricsRow], value: impl Fn(&MetricsRow) -> f64) -> f64 {
    steps.iter().map(value).sum::<f64>() / steps.len() as f64
}

/// Share of customers who got what they came for.
fn goals(played: &[Trajectory]) -> f64 {
    let reached = |t: &Trajectory| {
        let state = t.final_state.as_ref();
        state.and_then(|state| state.metadata.get("goal_reached")?.as_bool())
    };
    let known: Vec<bool> = played.iter().filter_map(reached).collect();
    known.iter().filter(|reached| **reached).count() as f64 / known.len() as f64
}

fn turns(played: &[Trajectory]) -> f64 {
    let n: usize = played.iter().map(|t| t.assistant_texts().count()).sum();
    n as f64 / played.len() as f64
}
