//! What a decoder is made of, whatever family it comes from.
//!
//! The families in `crate::families` translate their `config.json` into this; nothing below knows
//! family names. Sizes are in numbers (columns of a row), not bytes.

use crate::kernels::{Activation, AttentionSpec, NormKind};

/// Shape and arithmetic of a decoder-only transformer.
#[derive(Clone, Debug, PartialEq)]
pub struct DecoderConfig {
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward layers.
    pub ffn_size: usize,
    /// Query heads.
    pub n_heads: usize,
    /// Key and value heads.
    pub n_kv_heads: usize,
    /// Dimensions of a head.
    pub head_dim: usize,
    /// Tokens a sequence may have.
    pub max_positions: usize,
    /// One entry for each layer.
    pub layers: Vec<LayerSpec>,
    /// Normalisation everywhere.
    pub norm: NormKind,
    /// Added to variances.
    pub norm_eps: f64,
    /// How tokens know their place.
    pub position: PositionSpec,
    /// Multiplies attention scores.
    pub attention_scale: f64,
    /// Soft cap of attention scores.
    pub attention_softcap: Option<f64>,
    /// Queries, keys and values have a bias.
    pub has_qkv_bias: bool,
    /// The attention output map has a bias.
    pub has_out_bias: bool,
    /// Queries and keys are normalised by head.
    pub has_qk_norm: bool,
    /// Attention and feed-forward outputs are normalised before they are added.
    pub has_post_norms: bool,
    /// Feed-forward activation.
    pub activation: Activation,
    /// The activation multiplies a second map.
    pub is_gated: bool,
    /// Feed-forward maps have biases.
    pub has_ffn_bias: bool,
    /// Multiplies token embeddings.
    pub embed_scale: f64,
    /// The head uses the embedding table.
    pub ties_embeddings: bool,
    /// Soft cap of the logits.
    pub logit_softcap: Option<f64>,
}

/// What differs between layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerSpec {
    /// Tokens a query sees, itself included, where limited.
    pub window: Option<usize>,
    /// Which rotary table it uses; ignored for learned positions.
    pub rotary: usize,
}

/// Position information.
#[derive(Clone, Debug, PartialEq)]
pub enum PositionSpec {
    /// A table of learned vectors is added to the embeddings.
    Learned,
    /// Queries and keys are rotated; one entry for each distinct table.
    Rotary(Vec<RotarySpec>),
}

/// One table of rotary angles.
#[derive(Clone, Debug, PartialEq)]
pub struct RotarySpec {
    /// Angle of each pair of dimensions for one step of position, in radians.
    pub frequencies: Vec<f32>,
    /// Multiplies sines and cosines.
    pub factor: f64,
    /// Frequencies for runs whose sequences may be longer than this many tokens, where the model has
    /// two sets.
    pub long: Option<(usize, Vec<f32>)>,
}

impl DecoderConfig {
    /// Columns of queries, keys and values side by side.
    pub fn qkv_size(&self) -> usize {
        (self.n_heads + 2 * self.n_kv_heads) * self.head_dim
    }

    /// Columns of the attention output.
    pub fn attention_size(&self) -> usize {
        self.n_heads * self.head_dim
    }

    /// Columns of the first feed-forward map.
    pub fn up_size(&self) -> usize {
        if self.is_gated { 2 * self.ffn_size } else { self.ffn_size }
    }

    /// Attention of one layer.
    pub(crate) fn attention(&self, layer: LayerSpec) -> AttentionSpec {
        AttentionSpec {
            heads: self.n_heads,
            kv_heads: self.n_kv_heads,
            head_dim: self.head_dim,
            scale: self.attention_scale as f32,
            softcap: self.attention_softcap.map(|cap| cap as f32),
            window: layer.window,
        }
    }
}

impl RotarySpec {
    /// Cosines and sines of each position below `positions`, one row each: cosines, then sines.
    ///
    /// The product of position and frequency is rounded to `f32` before the cosine is taken, as
    /// `transformers` does; at large positions that rounding is visible.
    pub(crate) fn table(&self, positions: usize) -> Vec<f32> {
        let frequencies = match &self.long {
            Some((limit, long)) if positions > *limit => long,
            _ => &self.frequencies,
        };
        let factor = self.factor as f32;
        let mut table = Vec::with_capacity(positions * frequencies.len() * 2);
        for position in 0..positions {
            let angles = frequencies.iter().map(|f| f64::from(position as f32 * f));
            table.extend(angles.clone().map(|angle| libm::cos(angle) as f32 * factor));
            table.extend(angles.map(|angle| libm::sin(angle) as f32 * factor));
        }
        table
    }
}
