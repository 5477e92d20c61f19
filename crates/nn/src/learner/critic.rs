//! A critic: a model of its own whose only output is the value of a state.
//!
//! It runs the policy's decoder with another weight set and a value head, computes no logits, and is
//! trained by an optimiser of its own. Scored at the ends of rows it is a reward model: with
//! loss -log sigmoid(v_chosen - v_rejected) that of Bradley and Terry (arXiv 2203.02155, eq. 1).

use super::learner::{Learner, OptimiserStep, StepReport};
use super::rows::{RowGradients, RowScores, TokenRow, Wants};
use super::scorer::Scorer;
use super::value_head::ValueHeadSpec;
use crate::NnError;
use crate::backend::{Backend, Stretch};
use crate::decoder::{Decoder, PassKind, WeightSet};

/// A value function with weights of its own.
#[derive(Debug)]
pub struct Critic {
    learner: Learner,
}

impl Critic {
    /// A critic that trains `weights` (their adapters, where they have them) and must be their only
    /// trainer; see [`Critic::from_policy`] and [`Critic::with_adapters`] for weights of its own.
    ///
    /// With a head that stops its gradient nothing but the head is trained: `weights` may then be
    /// anybody's, and no memory is taken for gradients or moments of theirs.
    pub fn new(
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        max_rows: usize,
        recomputes: bool,
        head: ValueHeadSpec,
    ) -> Critic {
        let trains_below = !head.stops_gradient;
        let mut learner =
            Learner::without_logits(device, decoder, weights, max_rows, recomputes, trains_below);
        learner.add_value_head(device, decoder, head);
        Critic { learner }
    }

    /// A critic that begins as a copy of the policy: of its adapters, on the shared base, where it
    /// has them, else of the whole model.
    pub fn from_policy(
        device: &mut dyn Backend,
        decoder: &Decoder,
        policy: WeightSet,
        max_rows: usize,
        recomputes: bool,
        head: ValueHeadSpec,
    ) -> Critic {
        let weights = policy.copied(device, decoder);
        Critic::new(device, decoder, weights, max_rows, recomputes, head)
    }

    /// A critic with adapters of its own on the policy's frozen base, of the layout that the decoder
    /// has; `adapters` are their first numbers, as [`crate::AdapterLayout::initial`] gives them.
    ///
    /// # Errors
    /// [`NnError::Setting`] where the decoder has no adapters or others.
    pub fn with_adapters(
        device: &mut dyn Backend,
        decoder: &Decoder,
        policy: WeightSet,
        adapters: &[f32],
        max_rows: usize,
        recomputes: bool,
        head: ValueHeadSpec,
    ) -> Result<Critic, NnError> {
        let needed = decoder.adapters.as_ref().map_or(0, |layout| layout.len());
        if needed == 0 || adapters.len() != needed {
            let message = format!(
                "found {} numbers of adapters, this decoder needs {needed}",
                adapters.len()
            );
            return Err(NnError::Setting { what: "a critic with adapters", message });
        }
        let buf = device.alloc(needed);
        device.write(Stretch::of(buf, needed), adapters);
        let weights = WeightSet { adapters: Some(buf), ..policy };
        Ok(Critic::new(device, decoder, weights, max_rows, recomputes, head))
    }

    /// Numbers that a critic takes: (weights, where they are its own; passes; gradients and moments).
    pub fn numbers(
        decoder: &Decoder,
        has_adapters: bool,
        max_rows: usize,
        recomputes: bool,
        head: ValueHeadSpec,
    ) -> (usize, usize, usize) {
        let kind = PassKind::of_critic(recomputes, !head.stops_gradient);
        let len = match (&decoder.adapters, has_adapters) {
            (Some(layout), true) => layout.len(),
            _ => decoder.params.len(),
        };
        let passes = Scorer::numbers_without_logits(decoder, kind, max_rows);
        let trained = if head.stops_gradient { 0 } else { len };
        (len, passes, 3 * trained + Learner::value_head_numbers(decoder, max_rows))
    }

    /// Values of each row's states, [`TokenRow::n_states`] of them.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    pub fn values(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        rows: &[TokenRow<'_>],
    ) -> Result<Vec<Vec<f32>>, NnError> {
        let weights = self.learner.weights();
        let scores = self.learner.score(device, decoder, weights, rows, 1.0, Wants::VALUES)?;
        Ok(scores.into_iter().map(|row| row.values).collect())
    }

    /// Computes the values of one micro-batch, asks `loss` for their gradients, and adds up those of
    /// the weights. Of scores and gradients only the values count.
    ///
    /// # Errors
    /// As [`Learner::forward_backward`].
    pub fn forward_backward(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        rows: &[TokenRow<'_>],
        loss: impl FnOnce(&[RowScores]) -> Vec<RowGradients>,
    ) -> Result<(), NnError> {
        self.learner.forward_backward(device, decoder, rows, 1.0, Wants::VALUES, loss)
    }

    /// Applies the gradients added up since the last step.
    pub fn step(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        settings: OptimiserStep,
    ) -> StepReport {
        self.learner.step(device, decoder, settings)
    }

    /// The learner inside: its weights, gradient, optimiser state and value head.
    pub fn learner(&self) -> &Learner {
        &self.learner
    }

    /// The same, to change: restoring a checkpoint, dropping a gradient.
    pub fn learner_mut(&mut self) -> &mut Learner {
        &mut self.learner
    }
}
