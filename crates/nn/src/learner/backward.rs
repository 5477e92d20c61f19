//! From gradients of scores to gradients of weights: output map, value head, final norm, layers.
//!
//! Logits are read in chunks, so the way back through the output map makes each chunk's again where
//! there is more than one. Log-probs write the gradient of the final states, values add to it.

use super::learner::Learner;
use super::rows::{RowGradients, TokenRow, Wants};
use super::scorer::{Packed, logit_spec};
use crate::backend::{Backend, Mat};
use crate::decoder::{Decoder, GradientSet, dense};
use crate::kernels::{RowGradient, RowStats};

impl Learner {
    /// Adds the value head's gradients, and to the final states' gradient what the values give to
    /// it; of that the first `n_ready` rows hold something already, the others are set. Returns
    /// whether values gave anything.
    pub(super) fn through_values(
        &mut self,
        device: &mut dyn Backend,
        rows: &[TokenRow<'_>],
        packed: &Packed,
        gradients: &[RowGradients],
        wants: Wants,
        n_ready: usize,
    ) -> bool {
        let n = packed.selected.len();
        let d_hidden = self.scorer.work.gradients.map(|buffers| buffers.d_block.rows(0, n));
        if let Some(d_hidden) = d_hidden.filter(|_| n_ready < n) {
            device.fill(dense(d_hidden.rows(n_ready, n - n_ready)), 0.0);
        }
        let Some(head) = self.value_head.as_ref().filter(|_| wants.values) else { return false };
        let d_values = flatten_values(rows, gradients);
        let d_hidden = d_hidden.filter(|_| !head.stops_gradient);
        head.backward(device, &d_values, self.scorer.work.hidden.rows(0, n), d_hidden);
        d_hidden.is_some()
    }

    /// Gradient of the final states from that of log-probs and moments, in `d_block`; adds that of
    /// the output map.
    pub(super) fn through_head(
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
        device.fill(dense(d_x), 0.0);
        device.scatter_add(d_x, d_picked, self.scorer.work.selected);
        let (weights, work) = (self.weights, &self.scorer.work);
        decoder.backward(device, weights, self.gradients, work, packed.n, &packed.sequences);
        self.has_gradient = true;
    }
}

pub(super) fn flatten(rows: &[TokenRow<'_>], gradients: &[RowGradients]) -> Vec<RowGradient> {
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
