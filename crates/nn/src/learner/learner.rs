//! Gradients and the optimiser: everything training needs of the engine.
//!
//! A loss is a function from the scores of a micro-batch to its gradients with respect to those
//! scores; the learner carries them back through the model and adds them up until [`Learner::step`].
//! It knows no algorithm.

use super::rows::{RowGradients, RowScores, TokenRow, Wants};
use super::scorer::{Packed, Scorer, logit_spec, unpack};
use crate::NnError;
use crate::backend::{Backend, Buf, Mat, Stretch};
use crate::decoder::{Decoder, GradientSet, PassKind, Slot, WeightSet};
use crate::kernels::{AdamwStep, RowGradient, RowStats};

/// Settings of one optimiser step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptimiserStep {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Decoupled weight decay of matrices; norms, biases and embeddings have none.
    pub weight_decay: f64,
    /// Gradients are scaled down to this norm; infinite for never.
    pub max_grad_norm: f64,
}

/// What became of an optimiser step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// L2 norm of the gradient before clipping.
    pub grad_norm: f64,
    /// The norm was not finite: nothing was changed and the gradient was dropped.
    pub is_skipped: bool,
}

/// The two moments of AdamW.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Mean of gradients.
    First,
    /// Mean of squared gradients.
    Second,
}

/// State of the optimiser as numbers, from checkpoints.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OptimiserState {
    /// Steps taken.
    pub step: u64,
    /// First moments, laid out like the trained set.
    pub m: Vec<f32>,
    /// Second moments.
    pub v: Vec<f32>,
}

/// Trains one weight set.
#[derive(Debug)]
pub struct Learner {
    scorer: Scorer,
    weights: WeightSet,
    trained: Buf,
    gradients: GradientSet,
    len: usize,
    m: Buf,
    v: Buf,
    step: u64,
}

impl Learner {
    /// A learner of `weights` (of its adapters, where it has them) for micro-batches of up to
    /// `max_rows` tokens.
    pub fn new(
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        max_rows: usize,
        recomputes: bool,
    ) -> Learner {
        let kind = PassKind::Training { recomputes };
        let scorer = Scorer::new(device, decoder, kind, max_rows);
        let (trained, len) = trained_set(decoder, weights);
        let gradients = device.alloc(len);
        let gradients = match weights.adapters {
            Some(_) => GradientSet::Adapters(gradients),
            None => GradientSet::Base(gradients),
        };
        let (m, v) = (device.alloc(len), device.alloc(len));
        Learner { scorer, weights, trained, gradients, len, m, v, step: 0 }
    }

    /// Numbers that [`Learner::new`] allocates: (passes, gradients and moments).
    pub fn numbers(
        decoder: &Decoder,
        has_adapters: bool,
        max_rows: usize,
        recomputes: bool,
    ) -> (usize, usize) {
        let kind = PassKind::Training { recomputes };
        let len = match (&decoder.adapters, has_adapters) {
            (Some(layout), true) => layout.len(),
            _ => decoder.params.len(),
        };
        (Scorer::numbers(decoder, kind, max_rows), 3 * len)
    }

    /// Tokens of the largest micro-batch.
    pub fn max_rows(&self) -> usize {
        self.scorer.max_rows()
    }

    /// The set it trains.
    pub fn weights(&self) -> WeightSet {
        self.weights
    }

    /// Scores without gradients, with any weight set of the same decoder.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    pub fn score(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        rows: &[TokenRow<'_>],
        temperature: f32,
        wants: Wants,
    ) -> Result<Vec<RowScores>, NnError> {
        self.scorer.score(device, decoder, weights, rows, temperature, wants)
    }

    /// Scores one micro-batch, asks `loss` for gradients, and adds up those of the weights.
    ///
    /// # Errors
    /// [`NnError`] for a malformed row or a batch larger than [`Learner::max_rows`].
    pub fn forward_backward(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        rows: &[TokenRow<'_>],
        temperature: f32,
        wants: Wants,
        loss: impl FnOnce(&[RowScores]) -> Vec<RowGradients>,
    ) -> Result<(), NnError> {
        let packed = self.scorer.forward(device, decoder, self.weights, rows)?;
        let read = self.scorer.read(device, decoder, self.weights, &packed, temperature, wants);
        let gradients = flatten(rows, &loss(&unpack(rows, &read, wants)));
        if packed.selected.is_empty() {
            return Ok(());
        }
        let stats: Vec<RowStats> = read.into_iter().map(|(stats, _)| stats).collect();
        self.through_head(device, decoder, &packed, &stats, &gradients, temperature);
        let (weights, work) = (self.weights, &self.scorer.work);
        decoder.backward(device, weights, self.gradients, work, packed.n, &packed.sequences);
        Ok(())
    }

    /// Gradient of the last stream, in `d_x`; adds those of head and final norm.
    fn through_head(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        packed: &Packed,
        stats: &[RowStats],
        gradients: &[RowGradient],
        temperature: f32,
    ) {
        let Some(buffers) = self.scorer.work.gradients else { return };
        let n_selected = packed.selected.len();
        let spec = logit_spec(decoder, temperature);
        let d_hidden = buffers.d_block.rows(0, n_selected);
        let base = self.weights.base;
        let chunks: Vec<_> = self.scorer.chunks(n_selected).collect();
        for &(first, len) in &chunks {
            let all =
                Mat::dense(self.scorer.logits, self.scorer.chunk_rows, decoder.config.vocab_size);
            let mut logits = all.rows(0, len);
            let targets = &packed.targets[first..first + len];
            if chunks.len() > 1 {
                // The buffer holds the last chunk of the first pass: make this one again.
                logits = self.scorer.chunk_logits(device, decoder, self.weights, (first, len));
                device.read_rows(logits, targets, spec, false);
            }
            let (stats, gradients) = (&stats[first..first + len], &gradients[first..first + len]);
            device.rows_backward(logits, targets, stats, gradients, spec);
            let hidden = self.scorer.work.hidden.rows(first, len);
            device.linear_input_gradient(
                d_hidden.rows(first, len),
                logits,
                decoder.head(base),
                false,
            );
            if let GradientSet::Base(set) = self.gradients {
                device.linear_weight_gradient(decoder.head(set), logits, hidden);
            }
        }
        let picked = self.scorer.work.picked.rows(0, n_selected);
        let d_picked = self.scorer.work.normed.rows(0, n_selected);
        let norm = decoder.params.final_norm(base);
        let d_norm = match self.gradients {
            GradientSet::Base(set) => Some(decoder.params.final_norm(set)),
            GradientSet::Adapters(_) => None,
        };
        device.norm_backward(d_picked, d_norm, d_hidden, picked, norm, decoder.norm_spec(1), false);
        let d_x = buffers.d_x.rows(0, packed.n);
        device.fill(Stretch { buf: d_x.buf, offset: d_x.offset, len: d_x.rows * d_x.cols }, 0.0);
        device.scatter_add(d_x, d_picked, self.scorer.work.selected);
    }

    /// Applies the gradients added up since the last step, and forgets them.
    pub fn step(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        settings: OptimiserStep,
    ) -> StepReport {
        let (GradientSet::Base(set) | GradientSet::Adapters(set)) = self.gradients;
        let whole = Stretch::of(set, self.len);
        let grad_norm = device.sum_squares(whole).sqrt();
        let is_skipped = !grad_norm.is_finite();
        if !is_skipped {
            self.step += 1;
            let factor = settings.max_grad_norm / (grad_norm + 1e-6);
            let step = AdamwStep {
                learning_rate: settings.learning_rate,
                beta1: settings.beta1,
                beta2: settings.beta2,
                eps: settings.eps,
                weight_decay: settings.weight_decay,
                step: self.step,
                gradient_factor: factor.min(1.0),
            };
            for (start, end, decays) in self.decay_ranges(decoder) {
                let weight_decay = if decays { settings.weight_decay } else { 0.0 };
                let part = |buf| Stretch { buf, offset: start, len: end - start };
                let step = AdamwStep { weight_decay, ..step };
                device.adamw(part(self.trained), part(set), part(self.m), part(self.v), step);
            }
            device.weights_changed(self.trained);
        }
        device.fill(whole, 0.0);
        StepReport { grad_norm, is_skipped }
    }

    /// Stretches of the trained set that are decayed alike: (first, end, whether).
    fn decay_ranges(&self, decoder: &Decoder) -> Vec<(usize, usize, bool)> {
        if self.weights.adapters.is_some() {
            return vec![(0, self.len, true)];
        }
        let mut ranges: Vec<(usize, usize, bool)> = Vec::new();
        for param in decoder.params.params() {
            let decays =
                param.is_matrix && !matches!(param.slot, Slot::Embedding | Slot::Positions);
            let (start, end) = (param.offset, param.offset + param.len());
            match ranges.last_mut() {
                Some(last) if last.2 == decays => last.1 = end,
                _ => ranges.push((start, end, decays)),
            }
        }
        ranges
    }

    /// Optimiser steps taken.
    pub fn n_steps(&self) -> u64 {
        self.step
    }

    /// The gradient added up so far.
    pub fn gradient(&self, device: &mut dyn Backend) -> Vec<f32> {
        let (GradientSet::Base(set) | GradientSet::Adapters(set)) = self.gradients;
        read(device, set, self.len)
    }

    /// Drops the gradient added up so far.
    pub fn clear_gradient(&mut self, device: &mut dyn Backend) {
        let (GradientSet::Base(set) | GradientSet::Adapters(set)) = self.gradients;
        device.fill(Stretch::of(set, self.len), 0.0);
    }

    /// The trained numbers.
    pub fn trained(&self, device: &mut dyn Backend) -> Vec<f32> {
        read(device, self.trained, self.len)
    }

    /// One moment of the optimiser, in the order of the trained numbers.
    pub fn moment(&self, device: &mut dyn Backend, which: Moment) -> Vec<f32> {
        let buf = match which {
            Moment::First => self.m,
            Moment::Second => self.v,
        };
        read(device, buf, self.len)
    }

    /// Numbers that are trained.
    pub fn n_trained(&self) -> usize {
        self.len
    }

    /// Puts back trained numbers and optimiser state.
    ///
    /// # Errors
    /// [`NnError::Setting`] where they belong to another model.
    pub fn restore(
        &mut self,
        device: &mut dyn Backend,
        trained: &[f32],
        state: &OptimiserState,
    ) -> Result<(), NnError> {
        for (what, found) in [("weights", trained), ("m", &state.m), ("v", &state.v)] {
            if found.len() != self.len {
                let message =
                    format!("{what} has {} numbers, this model needs {}", found.len(), self.len);
                return Err(NnError::Setting { what: "a stored trainer state", message });
            }
        }
        device.write(Stretch::of(self.trained, self.len), trained);
        device.write(Stretch::of(self.m, self.len), &state.m);
        device.write(Stretch::of(self.v, self.len), &state.v);
        device.weights_changed(self.trained);
        self.step = state.step;
        Ok(())
    }
}

fn trained_set(decoder: &Decoder, weights: WeightSet) -> (Buf, usize) {
    match (weights.adapters, &decoder.adapters) {
        (Some(set), Some(layout)) => (set, layout.len()),
        _ => (weights.base, decoder.params.len()),
    }
}

fn read(device: &mut dyn Backend, buf: Buf, len: usize) -> Vec<f32> {
    let mut numbers = vec![0.0; len];
    device.read(Stretch::of(buf, len), &mut numbers);
    numbers
}

fn flatten(rows: &[TokenRow<'_>], gradients: &[RowGradients]) -> Vec<RowGradient> {
    let of = |(row, gradients): (&TokenRow<'_>, &RowGradients)| {
        (0..row.n_wanted()).map(|i| gradients.at(i)).collect::<Vec<_>>()
    };
    rows.iter().zip(gradients).flat_map(of).collect()
}
