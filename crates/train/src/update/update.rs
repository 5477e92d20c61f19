//! From a rollout batch to new weights: reference scores, mini-batches, micro-batches, optimiser.
//!
//! It runs as one job on the engine's thread and knows no algorithm: the algorithm says what it wants,
//! plans a step, and turns scores into gradients. Log-probs stored while sampling serve as those of
//! the old policy; the engine recomputes them to the last bit, so nothing is scored twice.

use std::collections::BTreeMap;
use std::time::Instant;

use stateset_algo::{
    Algorithm, Diagnostics, Plan, RowCredit, RowData, RowScores, Schedule, StepData,
};
use stateset_core::{PolicyVersion, Purpose, RunSeed, StreamKey};
use stateset_nn::{OptimiserStep, RowGradients, StepReport, TokenRow, Wants};

use super::batch::Batch;
use super::micro::micro_batches;
use crate::engine::EngineState;
use crate::{TrainError, metric};

/// How a batch is used.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateSettings {
    /// Temperature the tokens were sampled at.
    pub temperature: f32,
    /// Passes over the batch.
    pub n_epochs: usize,
    /// Optimiser steps of a pass; groups are dealt out to them.
    pub n_minibatches: usize,
    /// Settings of the optimiser; the learning rate is the peak.
    pub optimiser: OptimiserStep,
    /// Multiplies the learning rate by optimiser step.
    pub schedule: Schedule,
    /// Reward from which on an episode counts as solved in the metrics.
    pub success_reward: f64,
}

/// What an update did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateReport {
    /// Numbers by name, averaged over the optimiser steps where they are of one.
    pub metrics: BTreeMap<String, f64>,
    /// Optimiser steps taken.
    pub n_taken: usize,
    /// Optimiser steps dropped because something was not finite.
    pub n_skipped: usize,
    /// What was not finite, for the last one dropped.
    pub skipped_because: Option<String>,
    /// Tokens the model read on its way forward and backward.
    pub n_tokens: usize,
    /// Time of it.
    pub secs: f64,
}

/// Improves the policy with one batch. `address` keys the order of mini-batches.
///
/// # Errors
/// [`TrainError`] where the algorithm refuses the batch or a unit does not fit the learner.
pub fn update(
    engine: &mut EngineState,
    algorithm: &dyn Algorithm,
    batch: &Batch,
    settings: &UpdateSettings,
    seed: RunSeed,
    step: u32,
) -> Result<UpdateReport, TrainError> {
    let start = Instant::now();
    // Where the algorithm does not want it, it is a measurement.
    let reference = if algorithm.wants().reference || engine.reference.is_some() {
        Some(reference_scores(engine, batch, settings.temperature)?)
    } else {
        None
    };
    let data = batch.step_data(reference.as_deref(), settings.success_reward);
    let credit = algorithm.credit(&data)?;
    let mut report = Summed::default();
    report.diagnostics.rewards = credit.rewards;
    let mut update =
        Update { engine, algorithm, batch, settings, data, credit: credit.rows, report };
    for epoch in 0..settings.n_epochs {
        let key = StreamKey { step, scenario: epoch as u32, ..StreamKey::default() };
        let mut order: Vec<usize> = (0..batch.n_groups()).collect();
        seed.stream(Purpose::Shuffle, key).shuffle(&mut order);
        for groups in deal(&order, settings.n_minibatches) {
            update.optimiser_step(&groups)?;
        }
    }
    let version = PolicyVersion(update.engine.version.0 + update.report.n_taken as u64);
    let report = update.report;
    engine.weights_changed(version);
    Ok(report.finish(start.elapsed().as_secs_f64()))
}

/// Deals groups out to mini-batches whose sizes differ by one at most; none is empty.
fn deal(order: &[usize], n_minibatches: usize) -> Vec<Vec<usize>> {
    let n = n_minibatches.clamp(1, order.len().max(1));
    let bound = |i: usize| i * order.len() / n;
    (0..n).map(|i| order[bound(i)..bound(i + 1)].to_vec()).filter(|part| !part.is_empty()).collect()
}

fn reference_scores(
    engine: &mut EngineState,
    batch: &Batch,
    temperature: f32,
) -> Result<Vec<Vec<f32>>, TrainError> {
    let invalid = |message: &str| TrainError::Invalid {
        what: "compare with the reference policy",
        message: message.to_owned(),
    };
    let reference = engine.reference.ok_or_else(|| invalid("none was frozen"))?;
    let learner = engine.learner.as_mut().ok_or_else(|| invalid("there is no learner"))?;
    let rows: Vec<TokenRow<'_>> = batch.rows.iter().map(|row| row.token_row()).collect();
    let (device, decoder) = (engine.device.as_mut(), &engine.decoder);
    let scores = learner.score(device, decoder, reference, &rows, temperature, Wants::default())?;
    Ok(scores.into_iter().map(|row| row.logprobs).collect())
}

struct Update<'a> {
    engine: &'a mut EngineState,
    algorithm: &'a dyn Algorithm,
    batch: &'a Batch,
    settings: &'a UpdateSettings,
    /// Arrays of the whole batch.
    data: StepData<'a>,
    /// Credit of each of its rows.
    credit: Vec<RowCredit>,
    report: Summed,
}

impl<'a> Update<'a> {
    fn optimiser_step(&mut self, groups: &[usize]) -> Result<(), TrainError> {
        let (data, chosen) = self.step_data(groups);
        if chosen.is_empty() {
            return Ok(());
        }
        let algorithm = self.algorithm;
        let credit = chosen.iter().map(|row| self.credit[*row].clone()).collect();
        let plan = algorithm.prepare(&data, credit)?;
        let mut diagnostics = plan.diagnostics.clone();
        let max_tokens = self.engine.learner.as_ref().map_or(0, |learner| learner.max_rows());
        let cut = micro_batches(self.batch, &chosen, plan.unit, max_tokens);
        let cut = cut.map_err(|needed| TrainError::Invalid {
            what: "cut the batch into micro-batches",
            message: format!(
                "rows that belong together have {needed} tokens, a micro-batch has room for \
                 {max_tokens}; raise training.max_tokens_per_microbatch or shorten episodes"
            ),
        })?;
        let mut is_finite = true;
        for rows in cut {
            let part = self.micro_batch(&plan, &chosen, &rows)?;
            is_finite &= part.loss().is_finite();
            diagnostics.add(&part);
            let lens = rows.iter().map(|row| self.batch.rows[*row].tokens.len());
            self.report.n_tokens += lens.sum::<usize>();
        }
        self.apply(diagnostics, is_finite);
        Ok(())
    }

    /// Arrays of the step, and the batch row behind each of its rows.
    fn step_data(&self, groups: &[usize]) -> (StepData<'a>, Vec<usize>) {
        let whole = &self.data;
        let mut data = StepData { trajectories: Vec::new(), rows: Vec::new(), ..whole.clone() };
        let mut place = BTreeMap::new();
        for &group in groups {
            let members = whole.trajectories.iter().enumerate().filter(|(_, t)| t.group == group);
            for (index, trajectory) in members {
                place.insert(index, data.trajectories.len());
                data.trajectories.push(trajectory.clone());
            }
        }
        let mut chosen = Vec::new();
        for (index, row) in whole.rows.iter().enumerate() {
            let Some(&trajectory) = place.get(&row.trajectory) else { continue };
            data.rows.push(RowData { trajectory, ..*row });
            chosen.push(index);
        }
        (data, chosen)
    }

    fn micro_batch(
        &mut self,
        plan: &Plan<'_>,
        chosen: &[usize],
        rows: &[usize],
    ) -> Result<Diagnostics, TrainError> {
        let EngineState { device, decoder, learner, .. } = &mut *self.engine;
        let Some(learner) = learner else { return Ok(Diagnostics::default()) };
        let token_rows: Vec<TokenRow<'_>> =
            rows.iter().map(|row| self.batch.rows[*row].token_row()).collect();
        let mut diagnostics = Diagnostics::default();
        let algorithm = self.algorithm;
        let loss = |scores: &[stateset_nn::RowScores]| {
            let of = |(row, scores): (&usize, &stateset_nn::RowScores)| {
                (chosen.iter().position(|c| c == row), scores.clone())
            };
            let scores: Vec<_> = rows.iter().zip(scores).map(of).collect();
            let views: Vec<RowScores<'_>> = scores
                .iter()
                .map(|(row, scores)| RowScores {
                    row: row.unwrap_or(usize::MAX),
                    logprobs: &scores.logprobs,
                    entropies: &scores.entropies,
                    ..RowScores::default()
                })
                .collect();
            let output = algorithm.loss(plan, &views);
            diagnostics = output.diagnostics;
            output.gradients.into_iter().map(into_engine).collect()
        };
        let wants = Wants { moments: true, ..Wants::default() };
        let temperature = self.settings.temperature;
        learner.forward_backward(
            device.as_mut(),
            decoder,
            &token_rows,
            temperature,
            wants,
            loss,
        )?;
        Ok(diagnostics)
    }

    fn apply(&mut self, diagnostics: Diagnostics, is_finite: bool) {
        let EngineState { device, decoder, learner, .. } = &mut *self.engine;
        let Some(learner) = learner else { return };
        if !is_finite {
            learner.clear_gradient(device.as_mut());
            return self.report.skip("the loss was not finite");
        }
        let n_before = learner.n_steps();
        let multiplier = self.settings.schedule.multiplier(n_before);
        let learning_rate = self.settings.optimiser.learning_rate * multiplier;
        let step = OptimiserStep { learning_rate, ..self.settings.optimiser };
        let report = learner.step(device.as_mut(), decoder, step);
        if report.is_skipped {
            return self.report.skip("the gradient was not finite");
        }
        self.report.take(&diagnostics, report, learning_rate);
    }
}

fn into_engine(gradients: stateset_algo::RowGradients) -> RowGradients {
    RowGradients {
        logprobs: gradients.logprobs,
        entropies: gradients.entropies,
        ..RowGradients::default()
    }
}

/// Reports of the optimiser steps, added up.
#[derive(Default)]
struct Summed {
    diagnostics: Diagnostics,
    sums: BTreeMap<&'static str, f64>,
    grad_norm_max: f64,
    n_taken: usize,
    n_skipped: usize,
    skipped_because: Option<String>,
    n_tokens: usize,
}

impl Summed {
    fn take(&mut self, diagnostics: &Diagnostics, report: StepReport, learning_rate: f64) {
        self.diagnostics.add(diagnostics);
        self.n_taken += 1;
        *self.sums.entry(metric::GRADIENT_NORM).or_default() += report.grad_norm;
        *self.sums.entry(metric::LEARNING_RATE).or_default() += learning_rate;
        self.grad_norm_max = self.grad_norm_max.max(report.grad_norm);
    }

    fn skip(&mut self, why: &str) {
        self.n_skipped += 1;
        self.skipped_because = Some(why.to_owned());
    }

    fn finish(self, secs: f64) -> UpdateReport {
        let n = self.n_taken.max(1) as f64;
        let mut metrics: BTreeMap<String, f64> = self
            .diagnostics
            .finish()
            .into_iter()
            .map(|(name, value)| {
                // Losses add up over optimiser steps; all other numbers are means already.
                let value = if name.starts_with("loss") { value / n } else { value };
                (name.to_owned(), value)
            })
            .collect();
        metrics.extend(self.sums.into_iter().map(|(name, sum)| (name.to_owned(), sum / n)));
        metrics.insert("gradient/norm_max".to_owned(), self.grad_norm_max);
        metrics.insert("gradient/skipped_steps".to_owned(), self.n_skipped as f64);
        UpdateReport {
            metrics,
            n_taken: self.n_taken,
            n_skipped: self.n_skipped,
            skipped_because: self.skipped_because,
            n_tokens: self.n_tokens,
            secs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_dealt_out_evenly() {
        let order = [4, 2, 0, 1, 3];
        assert_eq!(deal(&order, 2), [vec![4, 2], vec![0, 1, 3]]);
        assert_eq!(deal(&order, 1), [order.to_vec()]);
        assert_eq!(deal(&order, 9).len(), 5);
        assert!(deal(&[], 3).is_empty());
    }
}
