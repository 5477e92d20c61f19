//! Gradients and the optimiser: everything training needs of the engine.
//!
//! A loss is a function from the scores of a micro-batch to its gradients with respect to those
//! scores; the learner carries them back through the model and adds them up until [`Learner::step`].
//! It knows no algorithm.

use super::backward::flatten;
use super::rows::{RowGradients, RowScores, TokenRow, Wants};
use super::scorer::Scorer;
use super::value_head::{HeadTraining, ValueHead, ValueHeadSpec};
use crate::NnError;
use crate::backend::{Backend, Buf, Stretch};
use crate::decoder::{Decoder, GradientSet, PassKind, Slot, WeightSet};
use crate::kernels::{AdamwStep, RowStats};

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

/// Trains one weight set.
#[derive(Debug)]
pub struct Learner {
    pub(super) scorer: Scorer,
    pub(super) weights: WeightSet,
    pub(super) trained: Stretch,
    pub(super) gradients: GradientSet,
    pub(super) len: usize,
    pub(super) m: Buf,
    pub(super) v: Buf,
    pub(super) step: u64,
    pub(super) value_head: Option<HeadTraining>,
    /// Something has been added to the gradient below the value head since the last step.
    pub(super) has_gradient: bool,
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
        Learner::with_scorer(device, weights, weights.trained(decoder), scorer)
    }

    /// A learner that computes values only and holds no logits; it needs a value head. Where it does
    /// not train the weights below that head, it holds no gradients of theirs and keeps nothing of the
    /// forward pass.
    pub(super) fn without_logits(
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        max_rows: usize,
        recomputes: bool,
        trains_below: bool,
    ) -> Learner {
        let kind = PassKind::of_critic(recomputes, trains_below);
        let scorer = Scorer::without_logits(device, decoder, kind, max_rows);
        if trains_below {
            return Learner::with_scorer(device, weights, weights.trained(decoder), scorer);
        }
        let nothing = Stretch::of(weights.base, 0);
        Learner::with_scorer(device, weights, nothing, scorer)
    }

    fn with_scorer(
        device: &mut dyn Backend,
        weights: WeightSet,
        trained: Stretch,
        scorer: Scorer,
    ) -> Learner {
        let len = trained.len;
        let [gradients, m, v] = [(); 3].map(|()| device.alloc(len));
        let gradients = match weights.adapters {
            Some(_) => GradientSet::Adapters(gradients),
            None => GradientSet::Base(gradients),
        };
        Learner {
            scorer,
            weights,
            trained,
            gradients,
            len,
            m,
            v,
            step: 0,
            value_head: None,
            has_gradient: false,
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
        let (grad_norm, value_head_norm) = self.norms(device);
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

    /// L2 norm of the gradient added up so far, before clipping: what the next step will report.
    pub fn gradient_norm(&self, device: &mut dyn Backend) -> f64 {
        self.norms(device).0
    }

    /// Norms of the gradient that is clipped with the weights, and of the value head's.
    fn norms(&self, device: &mut dyn Backend) -> (f64, f64) {
        let stops = self.value_head.as_ref().is_some_and(|head| head.stops_gradient);
        let below = device.sum_squares(self.gradient_place());
        let head = self.value_head.as_ref().map_or(0.0, |head| head.sum_squares(device));
        let grad_norm = if stops { below.sqrt() } else { (below + head).sqrt() };
        (grad_norm, head.sqrt())
    }

    /// Applies the value head's gradient alone, and forgets all: the weights below stay as they are.
    pub fn step_value_head(
        &mut self,
        device: &mut dyn Backend,
        settings: OptimiserStep,
    ) -> StepReport {
        let norm = self.value_head.as_ref().map_or(0.0, |head| head.sum_squares(device)).sqrt();
        let is_skipped = !norm.is_finite();
        if let Some(head) = self.value_head.as_mut().filter(|_| !is_skipped) {
            let factor = (settings.max_grad_norm / (norm + 1e-6)).min(1.0);
            head.step(device, settings, settings.learning_rate, factor);
        }
        self.clear_gradient(device);
        StepReport { grad_norm: 0.0, value_head_norm: norm, is_skipped }
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
}
