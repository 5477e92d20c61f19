//! What a learner holds, as numbers on the host: weights, gradient and optimiser state, out and in.

use super::learner::Learner;
use super::value_head::{HeadTraining, ValueHead};
use crate::NnError;
use crate::backend::{Backend, Stretch};
use crate::decoder::GradientSet;

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

impl Learner {
    pub(super) fn gradient_place(&self) -> Stretch {
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

pub(super) fn read(device: &mut dyn Backend, from: Stretch) -> Vec<f32> {
    let mut numbers = vec![0.0; from.len];
    device.read(from, &mut numbers);
    numbers
}
