//! One optimiser step on preference data, and measuring without learning. Both run as a job on the
//! engine's thread and know no algorithm.

use stateset_algo::{Algorithm, Diagnostics, Plan, PreferenceStats, RowScores, Unit};
use stateset_core::PolicyVersion;
use stateset_nn::{OptimiserStep, RowGradients, StepReport, TokenRow, Wants};

use super::batch::{Known, PreferenceBatch};
use crate::TrainError;
use crate::engine::EngineState;
use crate::update::packed;

/// How far a step goes.
#[derive(Clone, Copy, Debug)]
pub struct StepRates {
    /// The optimiser, with the learning rate of this step.
    pub optimiser: OptimiserStep,
    /// The learning rate of the head; the optimiser's where absent.
    pub head: Option<f64>,
}

impl From<OptimiserStep> for StepRates {
    fn from(optimiser: OptimiserStep) -> StepRates {
        StepRates { optimiser, head: None }
    }
}

/// What a step did.
#[derive(Clone, Debug)]
pub struct PreferenceStep {
    /// Statistics of the losses.
    pub diagnostics: Diagnostics,
    /// What the optimiser did; `None` where the loss was not finite.
    pub report: Option<StepReport>,
}

/// A held-out pair, or an answer judged alone, in figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measured {
    /// Its part of the loss, times the number of examples.
    pub(super) loss: f64,
    /// Rewards of its answers.
    pub(super) stats: PreferenceStats,
}

/// Takes one optimiser step on a batch.
///
/// # Errors
/// [`TrainError`] where the algorithm refuses the batch or rows that belong together do not fit.
pub fn preference_step(
    engine: &mut EngineState,
    algorithm: &dyn Algorithm,
    batch: &PreferenceBatch,
    rates: impl Into<StepRates>,
) -> Result<PreferenceStep, TrainError> {
    let known = known(engine, algorithm, batch)?;
    let data = batch.step_data(&known);
    let credit = algorithm.credit(&data)?;
    let plan = algorithm.prepare(&data, credit.rows)?;
    let mut diagnostics = plan.diagnostics.clone();
    let mut is_finite = true;
    let wants = engine_wants(algorithm);
    let max_tokens = engine.learner.as_ref().map_or(0, |learner| learner.max_rows());
    let EngineState { device, decoder, learner, .. } = &mut *engine;
    let learner = learner.as_mut().ok_or_else(|| invalid("the engine has no learner"))?;
    for rows in micro_batches(batch, plan.unit, max_tokens)? {
        let token_rows: Vec<TokenRow<'_>> =
            rows.iter().map(|row| batch.rows[*row].token_row()).collect();
        let loss = |scores: &[stateset_nn::RowScores]| {
            let views: Vec<RowScores<'_>> =
                rows.iter().zip(scores).map(|(row, scores)| view(*row, scores)).collect();
            let output = algorithm.loss(&plan, &views);
            is_finite &= output.loss.is_finite();
            diagnostics.add(&output.diagnostics);
            output.gradients.into_iter().map(into_engine).collect()
        };
        learner.forward_backward(device.as_mut(), decoder, &token_rows, 1.0, wants, loss)?;
    }
    if !is_finite {
        learner.clear_gradient(device.as_mut());
        return Ok(PreferenceStep { diagnostics, report: None });
    }
    let StepRates { optimiser, head } = rates.into();
    let head_rate = head.unwrap_or(optimiser.learning_rate);
    let report = learner.step_with_head_rate(device.as_mut(), decoder, optimiser, head_rate);
    let version = PolicyVersion(engine.version.0 + u64::from(!report.is_skipped));
    engine.weights_changed(version);
    Ok(PreferenceStep { diagnostics, report: Some(report) })
}

/// Measures every pair, or answer judged alone, of a batch, in order of their groups.
///
/// # Errors
/// As [`preference_step`].
pub(super) fn measure(
    engine: &mut EngineState,
    algorithm: &dyn Algorithm,
    batch: &PreferenceBatch,
) -> Result<Vec<Measured>, TrainError> {
    let known = known(engine, algorithm, batch)?;
    let data = batch.step_data(&known);
    let credit = algorithm.credit(&data)?;
    let plan = algorithm.prepare(&data, credit.rows)?;
    let learned: Vec<usize> =
        (0..batch.rows.len()).filter(|row| !batch.is_mismatched(*row)).collect();
    let scores = scores(engine, batch, &learned, false, engine_wants(algorithm))?;
    let all: Vec<RowScores<'_>> =
        learned.iter().zip(&scores).map(|(row, scores)| view(*row, scores)).collect();
    let of_group = |rows: &[RowScores<'_>]| measured(algorithm, &plan, rows, batch.n_examples());
    Ok(all.chunk_by(|a, b| batch.group(a.row) == batch.group(b.row)).map(of_group).collect())
}

/// Scores of the states after the last tokens of all answers, by a model with a value head.
///
/// # Errors
/// [`TrainError`] where a row does not fit.
pub(super) fn end_scores(
    engine: &mut EngineState,
    batch: &PreferenceBatch,
) -> Result<Vec<f64>, TrainError> {
    let rows: Vec<usize> = (0..batch.rows.len()).collect();
    let scores = scores(engine, batch, &rows, false, Wants::VALUES)?;
    Ok(scores.iter().filter_map(|row| row.values.last()).map(|v| f64::from(*v)).collect())
}

fn measured(
    algorithm: &dyn Algorithm,
    plan: &Plan<'_>,
    rows: &[RowScores<'_>],
    n_examples: usize,
) -> Measured {
    let output = algorithm.loss(plan, rows);
    Measured { loss: output.loss * n_examples as f64, stats: output.diagnostics.preferences }
}

/// Scores that stay the same while the step is taken.
fn known(
    engine: &mut EngineState,
    algorithm: &dyn Algorithm,
    batch: &PreferenceBatch,
) -> Result<Known, TrainError> {
    let wants = algorithm.wants();
    let logprobs = |all: Vec<stateset_nn::RowScores>| -> Vec<Vec<f32>> {
        all.into_iter().map(|row| row.logprobs).collect()
    };
    let mut known = Known::default();
    if wants.reference {
        let rows: Vec<usize> = (0..batch.rows.len()).collect();
        known.reference = Some(logprobs(scores(engine, batch, &rows, true, Wants::default())?));
    }
    if wants.current_of_mismatched {
        let rows: Vec<usize> =
            (0..batch.rows.len()).filter(|row| batch.is_mismatched(*row)).collect();
        let found = logprobs(scores(engine, batch, &rows, false, Wants::default())?);
        known.current = vec![Vec::new(); batch.rows.len()];
        for (row, logprobs) in rows.into_iter().zip(found) {
            known.current[row] = logprobs;
        }
    }
    Ok(known)
}

fn scores(
    engine: &mut EngineState,
    batch: &PreferenceBatch,
    rows: &[usize],
    by_reference: bool,
    wants: Wants,
) -> Result<Vec<stateset_nn::RowScores>, TrainError> {
    let EngineState { device, decoder, learner, policy, reference, .. } = &mut *engine;
    let learner = learner.as_mut().ok_or_else(|| invalid("the engine has no learner"))?;
    let weights = match by_reference {
        true => reference.ok_or_else(|| invalid("no reference policy was frozen"))?,
        false => *policy,
    };
    let rows: Vec<TokenRow<'_>> = rows.iter().map(|row| batch.rows[*row].token_row()).collect();
    Ok(learner.score(device.as_mut(), decoder, weights, &rows, 1.0, wants)?)
}

/// What a pass has to compute for an algorithm.
fn engine_wants(algorithm: &dyn Algorithm) -> Wants {
    let wants = algorithm.wants();
    if wants.values_only {
        return Wants::VALUES;
    }
    Wants { moments: wants.log_sum_p2, ..Wants::default() }
}

/// Rows that are learned from, in micro-batches of at most `max_tokens`; what belongs together stays
/// together.
fn micro_batches(
    batch: &PreferenceBatch,
    unit: Unit,
    max_tokens: usize,
) -> Result<Vec<Vec<usize>>, TrainError> {
    let key = |row: usize| match unit {
        Unit::Row => row,
        Unit::Trajectory => batch.rows[row].answer,
        Unit::Pair | Unit::Group => batch.group(row),
        Unit::Step => 0,
    };
    let learned: Vec<usize> =
        (0..batch.rows.len()).filter(|row| !batch.is_mismatched(*row)).collect();
    packed(&learned, key, |row| batch.rows[row].n_read(), max_tokens).map_err(|needed| {
        invalid(&format!(
            "answers that belong together have {needed} tokens, a micro-batch has room for \
             {max_tokens}; raise training.max_tokens_per_microbatch or shorten the rows"
        ))
    })
}

fn view(row: usize, scores: &stateset_nn::RowScores) -> RowScores<'_> {
    let some = |list: &'_ [f32]| !list.is_empty();
    RowScores {
        row,
        logprobs: &scores.logprobs,
        entropies: &scores.entropies,
        values: Some(scores.values.as_slice()).filter(|list| some(list)),
        log_sum_p2: Some(scores.log_sum_p2.as_slice()).filter(|list| some(list)),
    }
}

fn into_engine(gradients: stateset_algo::RowGradients) -> RowGradients {
    RowGradients {
        logprobs: gradients.logprobs,
        entropies: gradients.entropies,
        log_sum_p2: gradients.log_sum_p2,
        values: gradients.values,
    }
}

fn invalid(message: &str) -> TrainError {
    TrainError::Invalid { what: "learn from preferences", message: message.to_owned() }
}
