//! Products with the Fisher matrix of a policy, for trust regions (TRPO, arXiv 1502.05477, appendix C).
//!
//! The mean KL divergence from the policy to a neighbour is, to second order, half the quadratic form
//! of F = mean over tokens of J^T (diag(p) - p p^T) J, with J the Jacobian of z (logits at the
//! temperature) with respect to the trained numbers. J v is a central difference of z along v, which
//! needs two forward passes and no second derivative of any kernel; the way back through J^T is
//! exact. F is the Gauss-Newton form: positive semi-definite whatever the difference's error.

use super::learner::Learner;
use super::rows::TokenRow;
use crate::NnError;
use crate::backend::Backend;
use crate::decoder::Decoder;

/// Logits of two sides that are held on the host at once, unless one row alone has more.
const HELD_LOGITS: usize = 1 << 24;

impl Learner {
    /// F v over the wanted tokens of `rows` (their mean), at the temperature that they are sampled
    /// at. `vector` and the result are in the order of the trained numbers. The weights are back to
    /// the bit afterwards; the gradient added up before is dropped.
    ///
    /// `epsilon` is the length (L2 norm over all trained numbers) of the step to each side. Too long
    /// a step bends, too short a one drowns in the rounding of z; 1e-2 to 1e-1 serves models whose
    /// weights have the usual size.
    ///
    /// # Errors
    /// As [`Learner::forward_backward`]; also for a vector of another length, and an epsilon that is
    /// not a positive number.
    pub fn fisher_vector_product(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        rows: &[TokenRow<'_>],
        temperature: f32,
        vector: &[f32],
        epsilon: f64,
    ) -> Result<Vec<f32>, NnError> {
        if !(epsilon.is_finite() && epsilon > 0.0) {
            let message = format!("found an epsilon of {epsilon}, allowed is more than 0");
            return Err(NnError::Setting { what: "a Fisher-vector product", message });
        }
        let norm = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let n: usize = rows.iter().map(TokenRow::n_wanted).sum();
        if norm == 0.0 || n == 0 {
            return Ok(vec![0.0; self.n_trained()]);
        }
        let at = self.trained(device);
        self.clear_gradient(device);
        let vocab_size = decoder.config.vocab_size;
        // From a difference over 2 epsilon to J v, over the mean.
        let factor = norm / (2.0 * epsilon) / n as f64;
        let step = (epsilon / norm) as f32;
        let mut outcome = Ok(());
        for part in self.held_rows(rows, vocab_size) {
            outcome = self
                .slope_along(device, decoder, (part, temperature), (&at, vector, step))
                .and_then(|slopes| {
                    self.set_trained(device, &at)?;
                    self.forward_backward_logits(device, decoder, part, temperature, |first, z| {
                        let slopes = &slopes[first * vocab_size..][..z.len()];
                        covariance_products(z, slopes, vocab_size, factor)
                    })
                });
            if outcome.is_err() {
                break;
            }
        }
        self.set_trained(device, &at)?;
        let product = self.gradient(device);
        self.clear_gradient(device);
        outcome.map(|()| product)
    }

    /// z(at + step v) - z(at - step v) of the wanted tokens. Leaves the weights displaced.
    fn slope_along(
        &mut self,
        device: &mut dyn Backend,
        decoder: &Decoder,
        (rows, temperature): (&[TokenRow<'_>], f32),
        (at, vector, step): (&[f32], &[f32], f32),
    ) -> Result<Vec<f32>, NnError> {
        let weights = self.weights();
        let mut slopes: Vec<f32> = Vec::new();
        self.add_to_trained(device, vector, step)?;
        self.wanted_logits(device, decoder, weights, rows, temperature, |_, z| {
            slopes.extend_from_slice(z);
        })?;
        self.set_trained(device, at)?;
        self.add_to_trained(device, vector, -step)?;
        self.wanted_logits(device, decoder, weights, rows, temperature, |first, z| {
            let start = first * decoder.config.vocab_size;
            slopes[start..start + z.len()].iter_mut().zip(z).for_each(|(s, z)| *s -= z);
        })?;
        Ok(slopes)
    }

    /// Cuts rows into parts that fit one pass and whose logits the host may hold.
    fn held_rows<'r, 'a>(
        &self,
        rows: &'r [TokenRow<'a>],
        vocab_size: usize,
    ) -> Vec<&'r [TokenRow<'a>]> {
        let most = (HELD_LOGITS / vocab_size).max(1);
        let mut parts = Vec::new();
        for pass in self.scorer.passes(rows) {
            let mut first = pass.start;
            let mut held = 0;
            for i in pass.clone() {
                let n = rows[i].n_wanted();
                if held + n > most && i > first {
                    parts.push(&rows[first..i]);
                    (first, held) = (i, 0);
                }
                held += n;
            }
            parts.push(&rows[first..pass.end]);
        }
        parts
    }
}

/// `factor (diag(p) - p p^T) s` for each row of z and s, with p = softmax(z).
fn covariance_products(z: &[f32], slopes: &[f32], vocab_size: usize, factor: f64) -> Vec<f32> {
    let mut products = Vec::with_capacity(z.len());
    for (z, slopes) in z.chunks_exact(vocab_size).zip(slopes.chunks_exact(vocab_size)) {
        let largest = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let e: Vec<f64> = z.iter().map(|z| f64::from(z - largest).exp()).collect();
        let sum: f64 = e.iter().sum();
        let pairs = || e.iter().zip(slopes).map(|(e, s)| (e / sum, f64::from(*s)));
        let mean: f64 = pairs().map(|(p, s)| p * s).sum();
        products.extend(pairs().map(|(p, s)| (factor * p * (s - mean)) as f32));
    }
    products
}
