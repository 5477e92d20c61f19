//! The backward pass of the decoder: from the gradient of the last residual stream to the gradients
//! of every trained parameter.
//!
//! What is cheap to make again (norms, activations) is made again; what is not was kept by the
//! forward pass, or, with recomputation, the layer is run once more.

use super::config::{DecoderConfig, PositionSpec};
use super::decoder::{AttentionRows, Decoder, Pass, dense, head_norms, post_norm, value_columns};
use super::layout::{LayerSlot, Slot};
use super::weights::WeightSet;
use super::workspace::{GradientBuffers, Workspace};
use crate::backend::{Backend, Buf, Mat, SequenceRows};

/// Where gradients go. With adapters only those are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GradientSet {
    /// Laid out like the base weights.
    Base(Buf),
    /// Laid out like the adapters.
    Adapters(Buf),
}

impl GradientSet {
    fn base(self) -> Option<Buf> {
        match self {
            GradientSet::Base(buf) => Some(buf),
            GradientSet::Adapters(_) => None,
        }
    }
}

impl Decoder {
    /// Adds the gradients of all parameters below the final norm. On entry `d_x` holds the gradient
    /// of the stream after the last layer; `work` holds the forward pass of the same rows.
    pub(crate) fn backward(
        &self,
        device: &mut dyn Backend,
        weights: WeightSet,
        gradients: GradientSet,
        work: &Workspace,
        n: usize,
        rows: &[SequenceRows],
    ) {
        let Some(buffers) = work.gradients else {
            panic!("this workspace was made for forward passes only");
        };
        let attention = AttentionRows::Whole(rows);
        let pass = Pass { decoder: self, device, weights, work, n, attention };
        let mut back = Backward { pass, gradients, buffers, rows };
        for index in (0..self.config.layers.len()).rev() {
            if work.recomputes {
                back.pass.layer(index);
            }
            back.feed_forward(index);
            back.attend(index);
        }
        back.embed();
    }
}

struct Backward<'a> {
    pass: Pass<'a>,
    gradients: GradientSet,
    buffers: GradientBuffers,
    rows: &'a [SequenceRows],
}

impl Backward<'_> {
    fn config(&self) -> &DecoderConfig {
        &self.pass.decoder.config
    }

    fn cut(&self, x: Mat) -> Mat {
        x.rows(0, self.pass.n)
    }

    fn feed_forward(&mut self, index: usize) {
        let (work, buffers) = (self.pass.work, self.pass.work.layer(index));
        let (d_x, d_block) = (self.cut(self.buffers.d_x), self.cut(self.buffers.d_block));
        let (up, act) = (self.cut(buffers.up), self.cut(work.act));
        let (activation, gated) = (self.config().activation, self.config().is_gated);
        let d_out = self.before_norm(buffers.down, index, LayerSlot::Down);
        self.pass.device.activate(act, up, activation, gated);
        let d_act = self.cut(self.buffers.d_act);
        self.linear(d_act, d_out, act, index, LayerSlot::Down);
        let d_up = self.cut(self.buffers.d_up);
        self.pass.device.activate_backward(d_up, d_act, up, activation, gated);
        let (middle, normed) = (self.cut(buffers.middle), self.cut(work.normed));
        self.pass.norm(normed, middle, index, LayerSlot::FfnNorm);
        self.linear(d_block, d_up, normed, index, LayerSlot::Up);
        self.norm(d_x, d_block, middle, (index, LayerSlot::FfnNorm), 1, true);
    }

    fn attend(&mut self, index: usize) {
        let (work, buffers) = (self.pass.work, self.pass.work.layer(index));
        let (d_x, d_block) = (self.cut(self.buffers.d_x), self.cut(self.buffers.d_block));
        let attention = self.cut(buffers.attention);
        let d_out = self.before_norm(buffers.out, index, LayerSlot::Out);
        let d_attention = self.cut(self.buffers.d_attention);
        self.linear(d_attention, d_out, attention, index, LayerSlot::Out);
        let (qkv, d_qkv) = (self.cut(buffers.qkv), self.cut(self.buffers.d_qkv));
        let spec = self.config().attention(self.config().layers[index]);
        let rows = self.rows;
        self.pass.device.attention_backward(d_qkv, d_attention, attention, qkv, rows, spec);
        self.pass.rotate(d_qkv, index, true);
        let d_raw = match (buffers.raw_qkv, self.buffers.d_raw_qkv) {
            (Some(raw), Some(d_raw)) => {
                let (raw, d_raw) = (self.cut(raw), self.cut(d_raw));
                self.norm_heads(d_raw, d_qkv, raw, index);
                d_raw
            }
            _ => d_qkv,
        };
        let (x, normed) = (self.cut(work.stream(index)), self.cut(work.normed));
        self.pass.norm(normed, x, index, LayerSlot::AttentionNorm);
        self.linear(d_block, d_raw, normed, index, LayerSlot::Qkv);
        self.norm(d_x, d_block, x, (index, LayerSlot::AttentionNorm), 1, true);
    }

    /// Gradient of a map's output: that of the stream, or, where the output is normalised first,
    /// what comes through that norm (in `d_block`).
    fn before_norm(&mut self, before: Option<Mat>, index: usize, map: LayerSlot) -> Mat {
        let (d_x, d_block) = (self.cut(self.buffers.d_x), self.cut(self.buffers.d_block));
        let Some(before) = before else { return d_x };
        self.norm(d_block, d_x, self.cut(before), (index, post_norm(map)), 1, false);
        d_block
    }

    fn norm(
        &mut self,
        d_x: Mat,
        d_out: Mat,
        x: Mat,
        (index, slot): (usize, LayerSlot),
        groups: usize,
        accumulate: bool,
    ) {
        let of = |buf| self.pass.decoder.params.norm(buf, index, slot);
        let (weights, d_weights) = (of(self.pass.weights.base), self.gradients.base().map(of));
        let spec = self.pass.decoder.norm_spec(groups);
        self.pass.device.norm_backward(d_x, d_weights, d_out, x, weights, spec, accumulate);
    }

    fn norm_heads(&mut self, d_raw: Mat, d_qkv: Mat, raw: Mat, index: usize) {
        let head_dim = self.config().head_dim;
        for (first, heads, slot) in head_norms(self.config()) {
            let part = |x: Mat| x.columns(first, heads * head_dim);
            self.norm(part(d_raw), part(d_qkv), part(raw), (index, slot), heads, false);
        }
        let (first, cols) = value_columns(self.config());
        self.pass.device.copy(d_raw.columns(first, cols), d_qkv.columns(first, cols));
    }

    /// Gradient of a linear map's input, written to `d_input`; adds those of its weights.
    fn linear(&mut self, d_input: Mat, d_out: Mat, input: Mat, index: usize, slot: LayerSlot) {
        let params = &self.pass.decoder.params;
        let map = params.map(self.pass.weights.base, index, slot);
        let device = &mut *self.pass.device;
        device.linear_input_gradient(d_input, d_out, map, false);
        match self.gradients {
            GradientSet::Base(buf) => {
                device.linear_weight_gradient(params.map(buf, index, slot), d_out, input);
                if let Some(bias) = params.map_bias(buf, index, slot) {
                    device.bias_gradient(bias, d_out);
                }
            }
            GradientSet::Adapters(buf) => self.adapters(buf, d_input, d_out, input, index, slot),
        }
    }

    fn adapters(
        &mut self,
        gradients: Buf,
        d_input: Mat,
        d_out: Mat,
        input: Mat,
        index: usize,
        slot: LayerSlot,
    ) {
        let (Some(layout), Some(set)) = (&self.pass.decoder.adapters, self.pass.weights.adapters)
        else {
            return;
        };
        let (Some(inner), Some(d_inner)) = (self.pass.work.adapter, self.buffers.d_adapter) else {
            return;
        };
        let (inner, d_inner) = (self.cut(inner), self.cut(d_inner));
        let scale = layout.spec.scale() as f32;
        let device = &mut *self.pass.device;
        for adapter in layout.of(index, slot) {
            let (a, b) = (layout.a(adapter, set), layout.b(adapter, set));
            let d_part = d_out.columns(adapter.first_row, adapter.rows);
            device.linear(inner, input, a, None, false);
            device.scale(dense(inner), scale);
            device.linear_weight_gradient(layout.b(adapter, gradients), d_part, inner);
            device.linear_input_gradient(d_inner, d_part, b, false);
            device.scale(dense(d_inner), scale);
            device.linear_weight_gradient(layout.a(adapter, gradients), d_inner, input);
            device.linear_input_gradient(d_input, d_inner, a, true);
        }
    }

    fn embed(&mut self) {
        let GradientSet::Base(buf) = self.gradients else { return };
        let (decoder, d_x) = (self.pass.decoder, self.cut(self.buffers.d_x));
        let table = decoder.params.get(Slot::Embedding).mat(buf);
        let scale = decoder.config.embed_scale as f32;
        self.pass.device.embed_backward(table, d_x, self.pass.work.tokens, scale);
        if decoder.config.position == PositionSpec::Learned {
            let table = decoder.params.get(Slot::Positions).mat(buf);
            self.pass.device.embed_backward(table, d_x, self.pass.work.positions, 1.0);
        }
    }
}
