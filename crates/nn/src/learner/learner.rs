//! Gradients and the optimiser: everything training needs of the engine.
//!
//! A loss is a function from the scores of a micro-batch to its gradients with respect to those
//! scores; the learner carries them back through the model and adds them up until [`Learner::step`].
//! It knows no algorithm.

use super::rows::{RowGradients, RowScores, TokenRow, Wants};
use super::scorer::{Packed, Scorer, logit_spec};
use super::value_head::{HeadTraining, ValueHead, ValueHeadSpec};
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
    /// L2 norm of the gradient before clipping; that of the value head counts as well, unless it
    /// stops its gradient and is clipped for itself.
    pub grad_norm: f64,
    /// The value head's part of it; 0 without one.
    pub value_head_norm: f64,
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
    pub(super) scorer: Scorer,
    pub(super) weights: WeightSet,
    trained: Stretch,
    gradients: GradientSet,
    len: usize,
    m: Buf,
    v: Buf,
    step: u64,
    value_head: Option<HeadTraining>,
    /// Something has been added to the gradient below the value head since the last step.
    has_gradient: bool,
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
        let scorer = Scorer::new(device, decoder, PassKind::Training { recomputes }, max_rows);
        Learner::with_scorer(device, decoder, weights, scorer)
    }

    /// A learner that computes values only and holds no logits; it needs a value head.
    pub(super) fn without_logits(
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        max_rows: usize,
        recomputes: bool,
    ) -> Learner {
        let kind = PassKind::Training { recomputes };
        let scorer = Scorer::without_logits(device, decoder, kind, max_rows);
        Learner::with_scorer(device, decoder, weights, scorer)
    }

    fn with_scorer(
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        scorer: Scorer,
    ) -> Learner {
        let trained = weights.trained(decoder);
        let len = trained.len;
        let gradients = device.alloc(len);
        let gradients = match weights.adapters {
            Some(_) => GradientSet::Adapters(gradients),
            None => GradientSet::Base(gradients),
        };
        let (m, v) = (device.alloc(len), device.alloc(len));
        let (value_head, has_gradient) = (None, false);
        Learner {
            scorer,
            weights,
            trained,
            gradients,
            len,
            m,
            v,
            step: 0,
            value_head,
            has_gradient,
        }
    }

    /// Gives it a value head of its own, which it trains beside the weights. A head it had before is
    /// forgotten.
    pub fn add_value_head(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        spec: ValueHeadSpec,
    ) -> ValueHead {
        let training = HeadTraining::new(device, decoder, spec, self.max_rows());
        let head = training.head;
        self.scorer.set_value_head(device, head);
        self.value_head = Some(training);
        head
    }

    /// Numbers that [`Learner::add_value_head`] allocates.
    pub fn value_head_numbers(decoder: &Decoder, max_rows: usize) -> usize {
        HeadTraining::numbers(decoder, max_rows)
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
        self.scorer.check_wants(wants)?;
        let packed = self.scorer.forward(device, decoder, self.weights, rows)?;
        let read = self.scorer.read(device, decoder, self.weights, &packed, temperature, wants);
        let gradients = loss(&read.unpack(rows, wants));
        if packed.selected.is_empty() {
            return Ok(());
        }
        let mut n_ready = 0;
        if wants.needs_logits() {
            let stats: Vec<RowStats> = read.tokens.into_iter().map(|(stats, _)| stats).collect();
            let gradients = flatten(rows, &gradients);
            self.through_head(device, decoder, &packed, &stats, &gradients, temperature);
            n_ready = packed.targets.len();
        }
        let reaches_trunk = self.through_values(device, rows, &packed, &gradients, wants, n_ready);
        if reaches_trunk || n_ready > 0 {
            self.through_trunk(device, decoder, &packed);
        }
        Ok(())
    }

    /// Adds the value head's gradients, and to the final states' gradient what the values give to
    /// it; of that the first `n_ready` rows hold something already, the others are set. Returns
    /// whether values gave anything.
    fn through_values(
        &mut self,
        device: &mut dyn Backend,
        rows: &[TokenRow<'_>],
        packed: &Packed,
        gradients: &[RowGradients],
        wants: Wants,
        n_ready: usize,
    ) -> bool {
        let Some(buffers) = self.scorer.work.gradients else { return false };
        let n = packed.selected.len();
        if n_ready < n {
            let rest = buffers.d_block.rows(n_ready, n - n_ready);
            let len = rest.rows * rest.cols;
            device.fill(Stretch { buf: rest.buf, offset: rest.offset, len }, 0.0);
        }
        let Some(head) = self.value_head.as_ref().filter(|_| wants.values) else { return false };
        let d_values = flatten_values(rows, gradients);
        let (hidden, d_hidden) = (self.scorer.work.hidden.rows(0, n), buffers.d_block.rows(0, n));
        head.backward(device, &d_values, hidden, d_hidden);
        !head.stops_gradient
    }

    /// Gradient of the final states from that of log-probs and moments, in `d_block`; adds that of
    /// the output map.
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
        let n_targets = packed.targets.len();
        let spec = logit_spec(decoder, temperature);
        let d_hidden = buffers.d_block.rows(0, n_targets);
        let chunks: Vec<_> = self.scorer.chunks(n_targets).collect();
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
            self.through_output_map(device, decoder, d_hidden, logits, first);
        }
    }

    /// Gradient of the final states from `first` on from that of their logits, written; adds that of
    /// the output map.
    pub(super) fn through_output_map(
        &self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        d_hidden: Mat,
        d_logits: Mat,
        first: usize,
    ) {
        let head = decoder.head(self.weights.base);
        let rows = d_hidden.rows(first, d_logits.rows);
        device.linear_input_gradient(rows, d_logits, head, false);
        if let GradientSet::Base(set) = self.gradients {
            let hidden = self.scorer.work.hidden.rows(first, d_logits.rows);
            device.linear_weight_gradient(decoder.head(set), d_logits, hidden);
        }
    }

    /// From the gradient of the final states, in `d_block`, to those of all weights below.
    pub(super) fn through_trunk(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        packed: &Packed,
    ) {
        let Some(buffers) = self.scorer.work.gradients else { return };
        let (n_selected, base) = (packed.selected.len(), self.weights.base);
        let d_hidden = buffers.d_block.rows(0, n_selected);
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
        let (weights, work) = (self.weights, &self.scorer.work);
        decoder.backward(device, weights, self.gradients, work, packed.n, &packed.sequences);
        self.has_gradient = true;
    }

    /// Applies the gradients added up since the last step, and forgets them. A value head learns at
    /// the same rate.
    pub fn step(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        settings: OptimiserStep,
    ) -> StepReport {
        self.step_with_head_rate(device, decoder, settings, settings.learning_rate)
    }

    /// As [`Learner::step`], with a learning rate of its own for the value head. One that stops its
    /// gradient is clipped by its own norm; where nothing but its values was trained since the last
    /// step, the weights below are left as they are, without decay.
    pub fn step_with_head_rate(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        settings: OptimiserStep,
        head_learning_rate: f64,
    ) -> StepReport {
        let stops = self.value_head.as_ref().is_some_and(|head| head.stops_gradient);
        let below = device.sum_squares(self.gradient_place());
        let head = self.value_head.as_ref().map_or(0.0, |head| head.sum_squares(device));
        let grad_norm = if stops { below.sqrt() } else { (below + head).sqrt() };
        let value_head_norm = head.sqrt();
        let is_skipped = !(grad_norm + value_head_norm).is_finite();
        if !is_skipped {
            let factor = |norm: f64| (settings.max_grad_norm / (norm + 1e-6)).min(1.0);
            if self.has_gradient || !stops {
                self.update_weights(device, decoder, settings, factor(grad_norm));
            }
            if let Some(head) = &mut self.value_head {
                let factor = factor(if stops { value_head_norm } else { grad_norm });
                head.step(device, settings, head_learning_rate, factor);
            }
        }
        self.clear_gradient(device);
        StepReport { grad_norm, value_head_norm, is_skipped }
    }

    fn update_weights(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        settings: OptimiserStep,
        gradient_factor: f64,
    ) {
        self.step += 1;
        let (trained, gradient) = (self.trained.buf, self.gradient_place().buf);
        for (start, end, decays) in self.decay_ranges(decoder) {
            let step = AdamwStep {
                learning_rate: settings.learning_rate,
                beta1: settings.beta1,
                beta2: settings.beta2,
                eps: settings.eps,
                weight_decay: if decays { settings.weight_decay } else { 0.0 },
                step: self.step,
                gradient_factor,
            };
            let part = |buf| Stretch { buf, offset: start, len: end - start };
            device.adamw(part(trained), part(gradient), part(self.m), part(self.v), step);
        }
        device.weights_changed(trained);
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

    fn gradient_place(&self) -> Stretch {
        let (GradientSet::Base(set) | GradientSet::Adapters(set)) = self.gradients;
        Stretch::of(set, self.len)
    }

    /// The gradient added up so far, in the order of the trained numbers; without the value head's.
    pub fn gradient(&self, device: &mut dyn Backend) -> Vec<f32> {
        read(device, self.gradient_place())
    }

    /// The value head's gradient: weights, then bias; empty without a head.
    pub fn value_head_gradient(&self, device: &mut dyn Backend) -> Vec<f32> {
        self.value_head.as_ref().map_or_else(Vec::new, |head| head.gradient(device))
    }

    /// Drops the gradient added up so far.
    pub fn clear_gradient(&mut self, device: &mut dyn Backend) {
        device.fill(self.gradient_place(), 0.0);
        if let Some(head) = &self.value_head {
            head.clear_gradient(device);
        }
        self.has_gradient = false;
    }

    /// The trained numbers.
    pub fn trained(&self, device: &mut dyn Backend) -> Vec<f32> {
        read(device, self.trained)
    }

    /// Sets the trained numbers, to the bit; moments and gradient stay as they are.
    ///
    /// # Errors
    /// [`NnError::Setting`] where they belong to another model.
    pub fn set_trained(
        &mut self,
        device: &mut dyn Backend,
        numbers: &[f32],
    ) -> Result<(), NnError> {
        self.check_len("weights", numbers)?;
        device.write(self.trained, numbers);
        device.weights_changed(self.trained.buf);
        Ok(())
    }

    /// `trained += factor * direction`. Adding the same with the opposite factor does not give the
    /// first bits back: keep [`Learner::trained`] for that.
    ///
    /// # Errors
    /// As [`Learner::set_trained`].
    pub fn add_to_trained(
        &mut self,
        device: &mut dyn Backend,
        direction: &[f32],
        factor: f32,
    ) -> Result<(), NnError> {
        self.check_len("direction", direction)?;
        let scratch = Stretch::of(device.alloc(self.len), self.len);
        device.write(scratch, direction);
        let mat = |x: Stretch| x.as_mat(1, x.len);
        device.add(mat(self.trained), mat(scratch), factor);
        device.free(scratch.buf);
        device.weights_changed(self.trained.buf);
        Ok(())
    }

    fn check_len(&self, what: &str, numbers: &[f32]) -> Result<(), NnError> {
        if numbers.len() == self.len {
            return Ok(());
        }
        let message =
            format!("{what} has {} numbers, this model needs {}", numbers.len(), self.len);
        Err(NnError::Setting { what: "a stored trainer state", message })
    }

    /// The value head, where there is one.
    pub fn value_head(&self) -> Option<ValueHead> {
        self.value_head.as_ref().map(|training| training.head)
    }

    /// One moment of the optimiser, in the order of the trained numbers.
    pub fn moment(&self, device: &mut dyn Backend, which: Moment) -> Vec<f32> {
        let buf = match which {
            Moment::First => self.m,
            Moment::Second => self.v,
        };
        read(device, Stretch::of(buf, self.len))
    }

    /// The same of the value head; empty without one.
    pub fn value_head_moment(&self, device: &mut dyn Backend, which: Moment) -> Vec<f32> {
        self.value_head.as_ref().map_or_else(Vec::new, |head| head.moment(device, which))
    }

    /// Optimiser steps that the value head took.
    pub fn value_head_steps(&self) -> u64 {
        self.value_head.as_ref().map_or(0, HeadTraining::n_steps)
    }

    /// Numbers that are trained, without the value head's.
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
            self.check_len(what, found)?;
        }
        self.set_trained(device, trained)?;
        device.write(Stretch::of(self.m, self.len), &state.m);
        device.write(Stretch::of(self.v, self.len), &state.v);
        self.step = state.step;
        Ok(())
    }

    /// Puts back the value head and its optimiser state.
    ///
    /// # Errors
    /// [`NnError::Setting`] where they belong to another model or there is no head.
    pub fn restore_value_head(
        &mut self,
        device: &mut dyn Backend,
        numbers: &[f32],
        state: &OptimiserState,
    ) -> Result<(), NnError> {
        let Some(head) = &mut self.value_head else {
            let message = "this learner has no value head".to_owned();
            return Err(NnError::Setting { what: "a stored value head", message });
        };
        head.restore(device, numbers, state)
    }
}

fn read(device: &mut dyn Backend, from: Stretch) -> Vec<f32> {
    let mut numbers = vec![0.0; from.len];
    device.read(from, &mut numbers);
    numbers
}

fn flatten(rows: &[TokenRow<'_>], gradients: &[RowGradients]) -> Vec<RowGradient> {
    let of = |(row, gradients): (&TokenRow<'_>, &RowGradients)| {
        (0..row.n_wanted()).map(|i| gradients.at(i)).collect::<Vec<_>>()
    };
    rows.iter().zip(gradients).flat_map(of).collect()
}

/// Gradients of the values in the order of the selected rows: before tokens first, then the ends.
fn flatten_values(rows: &[TokenRow<'_>], gradients: &[RowGradients]) -> Vec<f32> {
    let pairs = || rows.iter().zip(gradients);
    let tokens = pairs().flat_map(|(row, of)| (0..row.n_wanted()).map(|i| of.value_at(i)));
    let ends =
        pairs().filter(|(row, _)| row.wants_end).map(|(row, of)| of.value_at(row.n_wanted()));
    tokens.chain(ends).collect()
}
