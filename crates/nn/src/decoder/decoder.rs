//! A decoder on a device: configuration, layout, rotary tables, and the forward pass.
//!
//! The pass is written once for training, scoring and sampling; only where attention finds its keys
//! differs ([`AttentionRows`]).

use super::config::{DecoderConfig, LayerSpec, PositionSpec};
use super::layout::{LayerSlot, ParamLayout, Slot};
use super::lora::AdapterLayout;
use super::weights::WeightSet;
use super::workspace::Workspace;
use crate::NnError;
use crate::backend::{
    Backend, Buf, Cache, CachedRows, Heads, Mat, NormSpec, SequenceRows, Stretch,
};
use crate::families::Family;

/// Where attention finds keys and values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AttentionRows<'a> {
    /// Whole sequences, each from its first token on.
    Whole(&'a [SequenceRows]),
    /// Rows that continue sequences in a cache; each row's key goes to its slot first.
    Cached { cache: Cache, rows: &'a [CachedRows], slots: &'a [u32] },
}

/// A decoder-only transformer.
#[derive(Debug)]
pub struct Decoder {
    /// What it is made of.
    pub config: DecoderConfig,
    /// Where its parameters lie.
    pub params: ParamLayout,
    /// Where its adapters lie, if it has any.
    pub adapters: Option<AdapterLayout>,
    /// The family it comes from.
    pub family: Family,
    /// Tokens a sequence may have in this run.
    pub context: usize,
    tables: Vec<Mat>,
}

impl Decoder {
    /// Prepares a decoder whose sequences have at most `context` tokens.
    ///
    /// # Errors
    /// [`NnError::TooLarge`] where `context` exceeds what the model was made for.
    pub fn new(
        device: &mut dyn Backend,
        family: Family,
        config: DecoderConfig,
        adapters: Option<AdapterLayout>,
        context: usize,
    ) -> Result<Decoder, NnError> {
        let limit = config.max_positions;
        if context > limit {
            return Err(NnError::TooLarge {
                what: "set the context length",
                found: context,
                limit,
            });
        }
        let params = ParamLayout::new(&config, family)?;
        let tables = match &config.position {
            PositionSpec::Learned => Vec::new(),
            PositionSpec::Rotary(specs) => {
                specs.iter().map(|spec| upload(device, &spec.table(context), context)).collect()
            }
        };
        Ok(Decoder { config, params, adapters, family, context, tables })
    }

    pub(crate) fn norm_spec(&self, groups: usize) -> NormSpec {
        NormSpec { kind: self.config.norm, eps: self.config.norm_eps as f32, groups }
    }

    /// The output map: one row for each token.
    pub(crate) fn head(&self, buf: Buf) -> Mat {
        let slot = if self.config.ties_embeddings { Slot::Embedding } else { Slot::Head };
        self.params.get(slot).mat(buf)
    }

    pub(crate) fn table(&self, layer: LayerSpec) -> Option<Mat> {
        self.tables.get(layer.rotary).copied()
    }

    /// Runs all layers; returns the residual stream after the last one (`n` rows).
    pub(crate) fn forward(
        &self,
        device: &mut dyn Backend,
        weights: WeightSet,
        work: &Workspace,
        n: usize,
        attention: AttentionRows<'_>,
    ) -> Mat {
        self.embed(device, weights.base, work, n);
        let mut pass = Pass { decoder: self, device, weights, work, n, attention };
        for index in 0..self.config.layers.len() {
            pass.layer(index);
        }
        work.stream(self.config.layers.len()).rows(0, n)
    }

    fn embed(&self, device: &mut dyn Backend, base: Buf, work: &Workspace, n: usize) {
        let x = work.stream(0).rows(0, n);
        let table = self.params.get(Slot::Embedding).mat(base);
        device.embed(x, table, work.tokens, self.config.embed_scale as f32, false);
        if self.config.position == PositionSpec::Learned {
            let table = self.params.get(Slot::Positions).mat(base);
            device.embed(x, table, work.positions, 1.0, true);
        }
    }

    /// Final norm of `x` into `out`.
    pub(crate) fn finish(&self, device: &mut dyn Backend, base: Buf, out: Mat, x: Mat) {
        device.norm(out, x, self.params.final_norm(base), self.norm_spec(1));
    }
}

fn upload(device: &mut dyn Backend, numbers: &[f32], rows: usize) -> Mat {
    let buf = device.alloc(numbers.len());
    device.write(Stretch::of(buf, numbers.len()), numbers);
    Mat::dense(buf, rows, numbers.len() / rows)
}

/// One run through the layers.
pub(crate) struct Pass<'a> {
    pub(crate) decoder: &'a Decoder,
    pub(crate) device: &'a mut dyn Backend,
    pub(crate) weights: WeightSet,
    pub(crate) work: &'a Workspace,
    pub(crate) n: usize,
    pub(crate) attention: AttentionRows<'a>,
}

impl Pass<'_> {
    /// From the stream before layer `index` to the stream after it.
    pub(crate) fn layer(&mut self, index: usize) {
        self.attend(index);
        self.feed_forward(index);
    }

    fn attend(&mut self, index: usize) {
        let (work, n) = (self.work, self.n);
        let (x, buffers) = (work.stream(index).rows(0, n), work.layer(index));
        let normed = work.normed.rows(0, n);
        self.norm(normed, x, index, LayerSlot::AttentionNorm);
        let raw = buffers.raw_qkv.unwrap_or(buffers.qkv).rows(0, n);
        self.linear(raw, normed, index, LayerSlot::Qkv, false);
        let qkv = buffers.qkv.rows(0, n);
        if buffers.raw_qkv.is_some() {
            self.norm_heads(qkv, raw, index);
        }
        self.rotate(qkv, index, false);
        let out = buffers.attention.rows(0, n);
        self.mix(out, qkv, index);
        let (middle, before_norm) = (buffers.middle.rows(0, n), buffers.out);
        self.add_block(middle, x, out, before_norm, index, LayerSlot::Out);
    }

    fn feed_forward(&mut self, index: usize) {
        let (work, n) = (self.work, self.n);
        let buffers = work.layer(index);
        let (middle, normed) = (buffers.middle.rows(0, n), work.normed.rows(0, n));
        self.norm(normed, middle, index, LayerSlot::FfnNorm);
        let (up, act) = (buffers.up.rows(0, n), work.act.rows(0, n));
        self.linear(up, normed, index, LayerSlot::Up, false);
        let config = &self.decoder.config;
        self.device.activate(act, up, config.activation, config.is_gated);
        let next = work.stream(index + 1).rows(0, n);
        self.add_block(next, middle, act, buffers.down, index, LayerSlot::Down);
    }

    /// `to = x + map(input)`, the map's output normalised first where the model does so.
    fn add_block(
        &mut self,
        to: Mat,
        x: Mat,
        input: Mat,
        before_norm: Option<Mat>,
        index: usize,
        map: LayerSlot,
    ) {
        self.device.copy(to, x);
        let Some(before) = before_norm else {
            return self.linear(to, input, index, map, true);
        };
        let (before, normed) = (before.rows(0, self.n), self.work.normed.rows(0, self.n));
        self.linear(before, input, index, map, false);
        self.norm(normed, before, index, post_norm(map));
        self.device.add(to, normed, 1.0);
    }

    pub(crate) fn norm(&mut self, out: Mat, x: Mat, index: usize, slot: LayerSlot) {
        let weights = self.decoder.params.norm(self.weights.base, index, slot);
        self.device.norm(out, x, weights, self.decoder.norm_spec(1));
    }

    /// Normalises query and key heads; values are copied.
    fn norm_heads(&mut self, qkv: Mat, raw: Mat, index: usize) {
        let config = &self.decoder.config;
        for (first, heads, slot) in head_norms(config) {
            let weights = self.decoder.params.norm(self.weights.base, index, slot);
            let cols = heads * config.head_dim;
            let spec = self.decoder.norm_spec(heads);
            self.device.norm(qkv.columns(first, cols), raw.columns(first, cols), weights, spec);
        }
        let (first, cols) = value_columns(config);
        self.device.copy(qkv.columns(first, cols), raw.columns(first, cols));
    }

    pub(crate) fn rotate(&mut self, qkv: Mat, index: usize, inverse: bool) {
        let config = &self.decoder.config;
        if let Some(table) = self.decoder.table(config.layers[index]) {
            let heads = Heads { count: config.n_heads + config.n_kv_heads, dim: config.head_dim };
            self.device.rotate(qkv, heads, table, self.work.positions, inverse);
        }
    }

    fn mix(&mut self, out: Mat, qkv: Mat, index: usize) {
        let config = &self.decoder.config;
        let spec = config.attention(config.layers[index]);
        match self.attention {
            AttentionRows::Whole(rows) => self.device.attention(out, qkv, rows, spec),
            AttentionRows::Cached { cache, rows, slots } => {
                self.device.cache_store(cache, index, qkv, slots, config.n_heads);
                self.device.cache_attention(out, qkv, cache, index, rows, spec);
            }
        }
    }

    /// A linear map with its bias and adapters.
    pub(crate) fn linear(
        &mut self,
        out: Mat,
        x: Mat,
        index: usize,
        slot: LayerSlot,
        accumulate: bool,
    ) {
        let (params, base) = (&self.decoder.params, self.weights.base);
        let (map, bias) = (params.map(base, index, slot), params.map_bias(base, index, slot));
        self.device.linear(out, x, map, bias, accumulate);
        let (Some(layout), Some(set), Some(inner)) =
            (&self.decoder.adapters, self.weights.adapters, self.work.adapter)
        else {
            return;
        };
        for adapter in layout.of(index, slot) {
            let inner = inner.rows(0, self.n);
            self.device.linear(inner, x, layout.a(adapter, set), None, false);
            self.device.scale(dense(inner), layout.spec.scale() as f32);
            let part = out.columns(adapter.first_row, adapter.rows);
            self.device.linear(part, inner, layout.b(adapter, set), None, true);
        }
    }
}

/// The norm after a map, in models that have one.
pub(crate) fn post_norm(map: LayerSlot) -> LayerSlot {
    if map == LayerSlot::Out { LayerSlot::PostAttentionNorm } else { LayerSlot::PostFfnNorm }
}

/// First column, number of heads and norm of queries and of keys.
pub(crate) fn head_norms(config: &DecoderConfig) -> [(usize, usize, LayerSlot); 2] {
    [
        (0, config.n_heads, LayerSlot::QueryNorm),
        (config.attention_size(), config.n_kv_heads, LayerSlot::KeyNorm),
    ]
}

/// First column and number of columns of the values.
pub(crate) fn value_columns(config: &DecoderConfig) -> (usize, usize) {
    let keys = config.n_kv_heads * config.head_dim;
    (config.attention_size() + keys, keys)
}

/// The numbers of a matrix without gaps.
pub(crate) fn dense(x: Mat) -> Stretch {
    debug_assert_eq!(x.cols, x.stride);
    Stretch { buf: x.buf, offset: x.offset, len: x.rows * x.cols }
}
