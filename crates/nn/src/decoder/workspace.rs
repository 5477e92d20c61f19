//! The buffers of a pass, allocated once for the most rows a pass may have.
//!
//! Their sizes depend on the model and that one number, so what a step needs is known before it runs
//! and nothing grows afterwards. [`Workspace::numbers`] counts with the same code that allocates.

use super::config::DecoderConfig;
use crate::backend::{Backend, Buf, Ids, Mat};

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassKind {
    /// Scores or samples only: the layers share their buffers.
    Forward,
    /// Gradients follow: every layer keeps what its backward pass reads.
    Training {
        /// Keep each layer's input only and run the layer again on the way back.
        recomputes: bool,
    },
}

impl PassKind {
    /// The pass of a critic: without gradients where only its head is trained.
    pub(crate) fn of_critic(recomputes: bool, trains_below: bool) -> PassKind {
        if trains_below { PassKind::Training { recomputes } } else { PassKind::Forward }
    }
}

/// Buffers of one layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LayerBuffers {
    /// Queries, keys and values before they are normalised by head; where the model does so.
    pub(crate) raw_qkv: Option<Mat>,
    pub(crate) qkv: Mat,
    pub(crate) attention: Mat,
    /// Attention output before its norm; where the model has one.
    pub(crate) out: Option<Mat>,
    pub(crate) middle: Mat,
    pub(crate) up: Mat,
    /// Feed-forward output before its norm; where the model has one.
    pub(crate) down: Option<Mat>,
}

/// Buffers of gradients that flow through a layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GradientBuffers {
    /// Gradient of the residual stream.
    pub(crate) d_x: Mat,
    /// Gradient of a block's output or input.
    pub(crate) d_block: Mat,
    pub(crate) d_qkv: Mat,
    pub(crate) d_raw_qkv: Option<Mat>,
    pub(crate) d_attention: Mat,
    pub(crate) d_up: Mat,
    pub(crate) d_act: Mat,
    pub(crate) d_adapter: Option<Mat>,
}

/// Every buffer of a pass.
#[derive(Debug)]
pub struct Workspace {
    pub(crate) max_rows: usize,
    pub(crate) tokens: Ids,
    pub(crate) positions: Ids,
    pub(crate) selected: Ids,
    /// Residual stream before each layer and after the last; where layers share, two in turn.
    pub(crate) streams: Vec<Mat>,
    pub(crate) layers: Vec<LayerBuffers>,
    pub(crate) normed: Mat,
    pub(crate) act: Mat,
    pub(crate) adapter: Option<Mat>,
    pub(crate) picked: Mat,
    pub(crate) hidden: Mat,
    pub(crate) gradients: Option<GradientBuffers>,
    pub(crate) recomputes: bool,
}

impl Workspace {
    /// Allocates for passes of up to `max_rows` tokens. `rank` is that of the adapters, if any.
    pub fn new(
        device: &mut dyn Backend,
        config: &DecoderConfig,
        kind: PassKind,
        max_rows: usize,
        rank: Option<usize>,
    ) -> Workspace {
        let ids = [(); 3].map(|()| device.alloc_ids(max_rows));
        build(config, kind, max_rows, rank, ids, &mut |len| device.alloc(len))
    }

    /// Numbers that [`Workspace::new`] would allocate.
    pub fn numbers(
        config: &DecoderConfig,
        kind: PassKind,
        max_rows: usize,
        rank: Option<usize>,
    ) -> usize {
        let mut total = 0;
        build(config, kind, max_rows, rank, [Ids(0); 3], &mut |len| {
            total += len;
            Buf(0)
        });
        total
    }
}

fn build(
    config: &DecoderConfig,
    kind: PassKind,
    max_rows: usize,
    rank: Option<usize>,
    [tokens, positions, selected]: [Ids; 3],
    alloc: &mut dyn FnMut(usize) -> Buf,
) -> Workspace {
    let mut mat = |cols: usize| Mat::dense(alloc(max_rows * cols), max_rows, cols);
    let (hidden, n_layers) = (config.hidden_size, config.layers.len());
    let recomputes = kind == PassKind::Training { recomputes: true };
    let trains = kind != PassKind::Forward;
    let shares = recomputes || !trains;
    let n_streams = if trains { n_layers + 1 } else { 2 };
    let gradients = trains.then(|| GradientBuffers {
        d_x: mat(hidden),
        d_block: mat(hidden),
        d_qkv: mat(config.qkv_size()),
        d_raw_qkv: config.has_qk_norm.then(|| mat(config.qkv_size())),
        d_attention: mat(config.attention_size()),
        d_up: mat(config.up_size()),
        d_act: mat(config.ffn_size),
        d_adapter: rank.map(&mut mat),
    });
    Workspace {
        max_rows,
        tokens,
        positions,
        selected,
        streams: (0..n_streams).map(|_| mat(hidden)).collect(),
        layers: (0..if shares { 1 } else { n_layers }).map(|_| layer(config, &mut mat)).collect(),
        normed: mat(hidden),
        act: mat(config.ffn_size),
        adapter: rank.map(&mut mat),
        picked: mat(hidden),
        hidden: mat(hidden),
        gradients,
        recomputes,
    }
}

fn layer(config: &DecoderConfig, mat: &mut impl FnMut(usize) -> Mat) -> LayerBuffers {
    let hidden = config.hidden_size;
    LayerBuffers {
        raw_qkv: config.has_qk_norm.then(|| mat(config.qkv_size())),
        qkv: mat(config.qkv_size()),
        attention: mat(config.attention_size()),
        out: config.has_post_norms.then(|| mat(hidden)),
        middle: mat(hidden),
        up: mat(config.up_size()),
        down: config.has_post_norms.then(|| mat(hidden)),
    }
}

impl Workspace {
    pub(crate) fn layer(&self, index: usize) -> &LayerBuffers {
        &self.layers[index % self.layers.len()]
    }

    pub(crate) fn stream(&self, index: usize) -> Mat {
        self.streams[index % self.streams.len()]
    }
}
