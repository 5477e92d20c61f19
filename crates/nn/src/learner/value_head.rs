//! A value head: one linear map from a final state to the value of that state.
//!
//! v = w . h + b with h the hidden state after the final norm, as TRL's `AutoModelForCausalLMWithValueHead`
//! and reward models over a causal model have it (arXiv 1707.06347, section 5: policy and value share
//! a network). The state that predicts token t is the one before t, so v is the value of the
//! conversation before that token. Weights begin at 0: every value does, and a fresh critic is no
//! noise in the advantages.

use stateset_core::{Purpose, RunSeed, StreamKey};

use super::learner::OptimiserStep;
use super::state::{Moment, OptimiserState, read};
use crate::NnError;
use crate::backend::{Backend, Buf, Mat, Stretch};
use crate::decoder::Decoder;
use crate::kernels::AdamwStep;

/// How a value head begins and what it teaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueHeadSpec {
    /// Standard deviation of the first weights; 0 for zeros. The bias begins at 0.
    pub init_std: f64,
    /// Draws them.
    pub seed: RunSeed,
    /// Values train the head alone: no gradient of theirs reaches the model below.
    pub stops_gradient: bool,
}

impl Default for ValueHeadSpec {
    /// Zeros, and values teach the whole model.
    fn default() -> ValueHeadSpec {
        ValueHeadSpec { init_std: 0.0, seed: RunSeed(0), stops_gradient: false }
    }
}

/// Weights of a value head on a device: `hidden_size` numbers and the bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueHead {
    weights: Buf,
    hidden_size: usize,
}

impl ValueHead {
    /// A head for the states of `decoder`.
    pub fn new(device: &mut dyn Backend, decoder: &Decoder, spec: ValueHeadSpec) -> ValueHead {
        let hidden_size = decoder.config.hidden_size;
        let weights = device.alloc(hidden_size + 1);
        let head = ValueHead { weights, hidden_size };
        if spec.init_std != 0.0 {
            // Adapters count from 0 on; the head is the last of this purpose.
            let key = StreamKey { scenario: u32::MAX, ..StreamKey::default() };
            let mut stream = spec.seed.stream(Purpose::Weights, key);
            let draw = |_| (stream.normal() * spec.init_std) as f32;
            let numbers: Vec<f32> = (0..hidden_size).map(draw).collect();
            device.write(Stretch::of(weights, hidden_size), &numbers);
        }
        head
    }

    /// Numbers of a head: weights, then bias.
    pub fn n_parameters(self) -> usize {
        self.hidden_size + 1
    }

    /// Weights, then bias.
    pub fn read(self, device: &mut dyn Backend) -> Vec<f32> {
        read(device, Stretch::of(self.weights, self.n_parameters()))
    }

    /// Sets weights and bias.
    ///
    /// # Errors
    /// [`NnError::Setting`] where they belong to another model.
    pub fn write(self, device: &mut dyn Backend, numbers: &[f32]) -> Result<(), NnError> {
        check_len("weights", numbers, self.n_parameters())?;
        device.write(Stretch::of(self.weights, numbers.len()), numbers);
        device.weights_changed(self.weights);
        Ok(())
    }

    /// `values = hidden w + b`; n x 1 and n x hidden_size.
    pub(super) fn forward(self, device: &mut dyn Backend, values: Mat, hidden: Mat) {
        let (weight, bias) = (self.weight(self.weights), self.bias(self.weights));
        device.linear(values, hidden, weight, Some(bias), false);
    }

    fn weight(self, buf: Buf) -> Mat {
        Mat::dense(buf, 1, self.hidden_size)
    }

    fn bias(self, buf: Buf) -> Stretch {
        Stretch { buf, offset: self.hidden_size, len: 1 }
    }
}

/// What training a head needs beside its weights.
#[derive(Debug)]
pub(super) struct HeadTraining {
    pub(super) head: ValueHead,
    pub(super) stops_gradient: bool,
    gradients: Buf,
    m: Buf,
    v: Buf,
    step: u64,
    d_values: Buf,
}

impl HeadTraining {
    pub(super) fn new(
        device: &mut dyn Backend,
        decoder: &Decoder,
        spec: ValueHeadSpec,
        max_rows: usize,
    ) -> HeadTraining {
        let head = ValueHead::new(device, decoder, spec);
        let [gradients, m, v] = [(); 3].map(|()| device.alloc(head.n_parameters()));
        let d_values = device.alloc(max_rows);
        let stops_gradient = spec.stops_gradient;
        HeadTraining { head, stops_gradient, gradients, m, v, step: 0, d_values }
    }

    /// Numbers that a learner with a head of its own holds for it.
    pub(super) fn numbers(decoder: &Decoder, max_rows: usize) -> usize {
        4 * (decoder.config.hidden_size + 1) + 2 * max_rows
    }

    /// Adds the gradients of weights and bias, and that of the states to `d_hidden` where given.
    pub(super) fn backward(
        &self,
        device: &mut dyn Backend,
        d_values: &[f32],
        hidden: Mat,
        d_hidden: Option<Mat>,
    ) {
        device.write(Stretch::of(self.d_values, d_values.len()), d_values);
        let d_values = Mat::dense(self.d_values, d_values.len(), 1);
        device.linear_weight_gradient(self.head.weight(self.gradients), d_values, hidden);
        device.bias_gradient(self.head.bias(self.gradients), d_values);
        if let Some(d_hidden) = d_hidden {
            let weight = self.head.weight(self.head.weights);
            device.linear_input_gradient(d_hidden, d_values, weight, true);
        }
    }

    pub(super) fn sum_squares(&self, device: &mut dyn Backend) -> f64 {
        device.sum_squares(Stretch::of(self.gradients, self.head.n_parameters()))
    }

    /// One AdamW step; the weights decay, the bias does not.
    pub(super) fn step(
        &mut self,
        device: &mut dyn Backend,
        settings: OptimiserStep,
        learning_rate: f64,
        gradient_factor: f64,
    ) {
        self.step += 1;
        let n = self.head.hidden_size;
        for (offset, len, weight_decay) in [(0, n, settings.weight_decay), (n, 1, 0.0)] {
            let step = AdamwStep {
                learning_rate,
                beta1: settings.beta1,
                beta2: settings.beta2,
                eps: settings.eps,
                weight_decay,
                step: self.step,
                gradient_factor,
            };
            let part = |buf| Stretch { buf, offset, len };
            let weights = part(self.head.weights);
            device.adamw(weights, part(self.gradients), part(self.m), part(self.v), step);
        }
        device.weights_changed(self.head.weights);
    }

    pub(super) fn clear_gradient(&self, device: &mut dyn Backend) {
        device.fill(Stretch::of(self.gradients, self.head.n_parameters()), 0.0);
    }

    pub(super) fn gradient(&self, device: &mut dyn Backend) -> Vec<f32> {
        read(device, Stretch::of(self.gradients, self.head.n_parameters()))
    }

    pub(super) fn moment(&self, device: &mut dyn Backend, which: Moment) -> Vec<f32> {
        let buf = match which {
            Moment::First => self.m,
            Moment::Second => self.v,
        };
        read(device, Stretch::of(buf, self.head.n_parameters()))
    }

    pub(super) fn n_steps(&self) -> u64 {
        self.step
    }

    pub(super) fn restore(
        &mut self,
        device: &mut dyn Backend,
        numbers: &[f32],
        state: &OptimiserState,
    ) -> Result<(), NnError> {
        let len = self.head.n_parameters();
        check_len("m", &state.m, len)?;
        check_len("v", &state.v, len)?;
        self.head.write(device, numbers)?;
        device.write(Stretch::of(self.m, len), &state.m);
        device.write(Stretch::of(self.v, len), &state.v);
        self.step = state.step;
        Ok(())
    }
}

fn check_len(name: &str, numbers: &[f32], needed: usize) -> Result<(), NnError> {
    if numbers.len() == needed {
        return Ok(());
    }
    let message = format!("{name} has {} numbers, this model needs {needed}", numbers.len());
    Err(NnError::Setting { what: "a stored value head", message })
}
