//! One optimiser step of supervised learning: the mean negative log-prob of the targets.

use stateset_core::{PolicyVersion, Purpose, RunSeed, StreamKey};
use stateset_nn::{OptimiserStep, RowGradients, RowScores, TokenRow, Wants};

use super::rows::SftRow;
use crate::TrainError;
use crate::engine::EngineState;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SftReport {
    /// Mean negative log-prob of the targets before the step, in nats.
    pub loss: f64,
    /// Targets.
    pub n_targets: usize,
    /// Tokens read.
    pub n_tokens: usize,
    /// Norm of the gradient before clipping.
    pub grad_norm: f64,
    /// Something was not finite and no weight was changed.
    pub is_skipped: bool,
}

/// Deals rows out to optimiser steps.
#[derive(Clone, Debug)]
pub struct SftOrder {
    seed: RunSeed,
    lens: Vec<usize>,
    tokens_per_step: usize,
}

impl SftOrder {
    /// An order over `rows` with about `tokens_per_step` tokens a step.
    pub fn new(rows: &[SftRow], tokens_per_step: usize, seed: RunSeed) -> SftOrder {
        let lens = rows.iter().map(|row| row.tokens.len()).collect();
        SftOrder { seed, lens, tokens_per_step }
    }

    /// Rows of each step of one pass over the data, in an order of its own.
    pub fn epoch(&self, epoch: u32) -> Vec<Vec<usize>> {
        let key = StreamKey { step: epoch, ..StreamKey::default() };
        let mut order: Vec<usize> = (0..self.lens.len()).collect();
        self.seed.stream(Purpose::Shuffle, key).shuffle(&mut order);
        let mut steps: Vec<Vec<usize>> = Vec::new();
        let mut room = 0;
        for row in order {
            match steps.last_mut() {
                Some(last) if self.lens[row] <= room => last.push(row),
                _ => {
                    steps.push(vec![row]);
                    room = self.tokens_per_step;
                }
            }
            room = room.saturating_sub(self.lens[row]);
        }
        steps
    }
}

/// Takes one step on `rows`.
///
/// # Errors
/// [`TrainError`] where a row does not fit the learner.
pub fn sft_step(
    engine: &mut EngineState,
    rows: &[&SftRow],
    optimiser: OptimiserStep,
) -> Result<SftReport, TrainError> {
    let n_targets: usize = rows.iter().map(|row| row.n_targets()).sum();
    let EngineState { device, decoder, learner, .. } = &mut *engine;
    let Some(learner) = learner else {
        let message = "the engine has no learner".to_owned();
        return Err(TrainError::Invalid { what: "learn from data", message });
    };
    let mut sum = 0.0;
    for batch in in_batches(rows, learner.max_rows()) {
        let token_rows: Vec<TokenRow<'_>> = batch.iter().map(|row| row.token_row()).collect();
        let loss = |scores: &[RowScores]| -> Vec<RowGradients> {
            let of = |score: &RowScores| {
                sum -= score.logprobs.iter().map(|lp| f64::from(*lp)).sum::<f64>();
                let gradient = -1.0 / n_targets.max(1) as f32;
                let logprobs = vec![gradient; score.logprobs.len()];
                RowGradients { logprobs, ..RowGradients::default() }
            };
            scores.iter().map(of).collect()
        };
        let device = device.as_mut();
        learner.forward_backward(device, decoder, &token_rows, 1.0, Wants::default(), loss)?;
    }
    let loss = sum / n_targets.max(1) as f64;
    let n_tokens = rows.iter().map(|row| row.tokens.len()).sum();
    let mut report =
        SftReport { loss, n_targets, n_tokens, grad_norm: 0.0, is_skipped: !loss.is_finite() };
    if report.is_skipped {
        learner.clear_gradient(device.as_mut());
        return Ok(report);
    }
    let step = learner.step(device.as_mut(), decoder, optimiser);
    (report.grad_norm, report.is_skipped) = (step.grad_norm, step.is_skipped);
    let version = PolicyVersion(engine.version.0 + u64::from(!step.is_skipped));
    engine.weights_changed(version);
    Ok(report)
}

/// Mean negative log-prob of the targets of `rows`, without learning.
///
/// # Errors
/// [`TrainError`] where a row does not fit the learner.
pub fn sft_loss(engine: &mut EngineState, rows: &[SftRow]) -> Result<f64, TrainError> {
    let EngineState { device, decoder, learner, policy, .. } = &mut *engine;
    let Some(learner) = learner else {
        let message = "the engine has no learner".to_owned();
        return Err(TrainError::Invalid { what: "measure the loss", message });
    };
    let token_rows: Vec<TokenRow<'_>> = rows.iter().map(SftRow::token_row).collect();
    let wants = Wants::default();
    let scores = learner.score(device.as_mut(), decoder, *policy, &token_rows, 1.0, wants)?;
    let logprobs = scores.iter().flat_map(|score| &score.logprobs);
    let n_targets: usize = rows.iter().map(SftRow::n_targets).sum();
    Ok(-logprobs.map(|lp| f64::from(*lp)).sum::<f64>() / n_targets.max(1) as f64)
}

/// Consecutive rows of at most `max_rows` tokens together; a longer row stands alone.
fn in_batches<'a, 'r>(rows: &'a [&'r SftRow], max_rows: usize) -> Vec<&'a [&'r SftRow]> {
    let mut batches = Vec::new();
    let (mut first, mut n) = (0, 0);
    for (i, row) in rows.iter().enumerate() {
        if i > first && n + row.tokens.len() > max_rows {
            batches.push(&rows[first..i]);
            (first, n) = (i, 0);
        }
        n += row.tokens.len();
    }
    if first < rows.len() {
        batches.push(&rows[first..]);
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(len: usize) -> SftRow {
        SftRow { tokens: vec![1; len], mask: vec![true; len] }
    }

    #[test]
    fn an_epoch_holds_every_row_once() {
        let rows: Vec<SftRow> = (1..40).map(row).collect();
        let order = SftOrder::new(&rows, 60, RunSeed(1));
        let steps = order.epoch(0);
        assert_ne!(steps, order.epoch(1));
        assert_eq!(steps, order.epoch(0));
        for step in &steps {
            let tokens: usize = step.iter().map(|i| rows[*i].tokens.len()).sum();
            assert!(tokens <= 60);
        }
        let mut all: Vec<usize> = steps.concat();
        all.sort_unstable();
        assert_eq!(all, (0..39).collect::<Vec<_>>());
    }

    #[test]
    fn batches_hold_what_fits() {
        let rows = [row(3), row(4), row(9), row(1)];
        let rows: Vec<&SftRow> = rows.iter().collect();
        let lens: Vec<usize> = in_batches(&rows, 7).iter().map(|batch| batch.len()).collect();
        assert_eq!(lens, [2, 1, 1]);
        assert!(in_batches(&[], 7).is_empty());
    }
}
