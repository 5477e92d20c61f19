//! Logits on the host, and backward passes from any gradient of theirs.
//!
//! Losses over whole distributions (distillation, exact KL, the Fisher matrix) need more than a token's
//! log-prob. What the host sees is z: logits after the model's soft cap and divided by the
//! temperature, so softmax(z) is the distribution that is sampled from. Gradients are given with
//! respect to z as well; the way back through temperature and cap is made here. A chunk of rows is on
//! the host at a time, so memory does not grow with the batch.

use super::learner::Learner;
use super::rows::{TokenRow, Wants};
use super::scorer::{Scorer, logit_spec};
use crate::NnError;
use crate::backend::{Backend, LogitSpec, Mat, Stretch};
use crate::decoder::{Decoder, WeightSet};

impl Scorer {
    /// Calls `f` with z of the wanted tokens of all rows, a chunk at a time: the number of wanted
    /// tokens before the chunk, and its z, n x vocab_size, row-major.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    pub fn wanted_logits(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        rows: &[TokenRow<'_>],
        temperature: f32,
        mut f: impl FnMut(usize, &[f32]),
    ) -> Result<(), NnError> {
        self.check_wants(Wants::default())?;
        let spec = logit_spec(decoder, temperature);
        let mut before = 0;
        for part in self.passes(rows) {
            let packed = self.forward(device, decoder, weights, &rows[part])?;
            for (first, len) in self.chunks(packed.targets.len()) {
                let logits = self.chunk_logits(device, decoder, weights, (first, len));
                let z = read_z(device, logits, &packed.targets[first..first + len], spec);
                f(before + first, &z);
            }
            before += packed.targets.len();
        }
        Ok(())
    }
}

impl Learner {
    /// As [`Scorer::wanted_logits`], with any weight set of the same decoder.
    ///
    /// # Errors
    /// As [`Scorer::score`].
    pub fn wanted_logits(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        weights: WeightSet,
        rows: &[TokenRow<'_>],
        temperature: f32,
        f: impl FnMut(usize, &[f32]),
    ) -> Result<(), NnError> {
        self.scorer.wanted_logits(device, decoder, weights, rows, temperature, f)
    }

    /// One micro-batch: calls `loss` with chunks of z as [`Scorer::wanted_logits`] does, takes the
    /// loss's gradient with respect to them (of the same length), and adds up that of the weights.
    ///
    /// # Errors
    /// As [`Learner::forward_backward`]; also where a gradient has another length than its z.
    pub fn forward_backward_logits(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        rows: &[TokenRow<'_>],
        temperature: f32,
        mut loss: impl FnMut(usize, &[f32]) -> Vec<f32>,
    ) -> Result<(), NnError> {
        self.scorer.check_wants(Wants::default())?;
        // Ends have no logits, and without values no gradient.
        let rows: Vec<TokenRow<'_>> =
            rows.iter().map(|row| TokenRow { wants_end: false, ..*row }).collect();
        let packed = self.scorer.forward(device, decoder, self.weights, &rows)?;
        let Some(buffers) = self.scorer.work.gradients else { return Ok(()) };
        let n = packed.targets.len();
        if n == 0 {
            return Ok(());
        }
        let spec = logit_spec(decoder, temperature);
        let d_hidden = buffers.d_block.rows(0, n);
        for (first, len) in self.scorer.chunks(n) {
            let logits = self.scorer.chunk_logits(device, decoder, self.weights, (first, len));
            let z = read_z(device, logits, &packed.targets[first..first + len], spec);
            let mut d = loss(first, &z);
            if d.len() != z.len() {
                let message = format!("found {} numbers, needed are {}", d.len(), z.len());
                return Err(NnError::Setting { what: "a gradient of logits", message });
            }
            to_logits(&mut d, &z, spec);
            device.write(Stretch::of(logits.buf, d.len()), &d);
            self.through_output_map(device, decoder, d_hidden, logits, first);
        }
        self.through_trunk(device, decoder, &packed);
        Ok(())
    }
}

/// Turns logits into z in place and reads them.
fn read_z(device: &mut dyn Backend, logits: Mat, targets: &[u32], spec: LogitSpec) -> Vec<f32> {
    device.read_rows(logits, targets, spec, false);
    let mut z = vec![0.0; logits.rows * logits.cols];
    device.read(Stretch::of(logits.buf, z.len()), &mut z);
    z
}

/// From the gradient of z to that of the logits: z = cap tanh(logit / cap) / temperature.
fn to_logits(d: &mut [f32], z: &[f32], spec: LogitSpec) {
    let inverse = 1.0 / spec.temperature;
    for (d, z) in d.iter_mut().zip(z) {
        *d *= inverse;
        if let Some(cap) = spec.softcap {
            let t = z * spec.temperature / cap;
            *d *= 1.0 - t * t;
        }
    }
}
