//! The border between the model and the machine: every operation the decoder, the sampler and the
//! optimiser need, on handles.
//!
//! Code above this border never sees a tensor's numbers, only [`Buf`] and [`Mat`]; what it reads back
//! (scores, sampled tokens, metrics) it asks for explicitly. An implementation may therefore queue
//! work on a device. Two exist: [`crate::Cpu`] (fast) and [`crate::Plain`] (the definition in plain
//! loops, which runs every model test too).
//!
//! Shapes are rows x columns, row-major. Weights of a linear map have one row for each output, as
//! Hugging Face stores them.

use crate::kernels::{Activation, AdamwStep, AttentionSpec, NormKind, RowGradient, RowStats};
use crate::token_mask::TokenMask;

/// Handle of a buffer of `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Buf(pub(crate) u32);

/// Handle of a buffer of indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ids(pub(crate) u32);

/// Handle of a cache of keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cache(pub(crate) u32);

/// A matrix inside a buffer: element (i, j) is at `offset + i * stride + j`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mat {
    /// Where it lives.
    pub buf: Buf,
    /// First element.
    pub offset: usize,
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Distance between rows.
    pub stride: usize,
}

impl Mat {
    /// A dense matrix at the start of `buf`.
    pub fn dense(buf: Buf, rows: usize, cols: usize) -> Mat {
        Mat { buf, offset: 0, rows, cols, stride: cols }
    }

    /// The rows from `first` on, `rows` of them.
    pub fn rows(self, first: usize, rows: usize) -> Mat {
        debug_assert!(first + rows <= self.rows);
        Mat { offset: self.offset + first * self.stride, rows, ..self }
    }

    /// The columns from `first` on, `cols` of them.
    pub fn columns(self, first: usize, cols: usize) -> Mat {
        debug_assert!(first + cols <= self.cols);
        Mat { offset: self.offset + first, cols, ..self }
    }

    /// Row `i` as a vector.
    pub fn row(self, i: usize) -> Stretch {
        Stretch { buf: self.buf, offset: self.offset + i * self.stride, len: self.cols }
    }
}

/// Numbers side by side in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where they live.
    pub buf: Buf,
    /// First element.
    pub offset: usize,
    /// How many.
    pub len: usize,
}

impl Stretch {
    /// The first `len` numbers of a buffer.
    pub fn of(buf: Buf, len: usize) -> Stretch {
        Stretch { buf, offset: 0, len }
    }

    /// The same numbers as a dense matrix.
    pub fn as_mat(self, rows: usize, cols: usize) -> Mat {
        debug_assert_eq!(rows * cols, self.len);
        Mat { buf: self.buf, offset: self.offset, rows, cols, stride: cols }
    }
}

/// Rows of one sequence inside a packed batch; its first token has position 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceRows {
    /// First row.
    pub first: usize,
    /// Number of rows.
    pub len: usize,
}

/// Rows of one sequence whose earlier tokens lie in a cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedRows {
    /// First row.
    pub first: usize,
    /// Number of rows.
    pub len: usize,
    /// Position of the first row's token.
    pub position: usize,
    /// Pages that hold the sequence's tokens, in order, including those of these rows.
    pub pages: Vec<u32>,
}

/// Size of a cache of keys and values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheSize {
    /// Layers of the model.
    pub layers: usize,
    /// Key heads of a layer.
    pub kv_heads: usize,
    /// Dimensions of a head.
    pub head_dim: usize,
    /// Pages of [`PAGE_TOKENS`] tokens.
    pub pages: usize,
}

/// Tokens of a cache page.
pub const PAGE_TOKENS: usize = 16;

/// Parameters of a normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormSpec {
    /// Which one.
    pub kind: NormKind,
    /// Added to the variance.
    pub eps: f32,
    /// Vectors in a row that are normalised each for itself: 1, or the heads of a query.
    pub groups: usize,
}

/// Weight and bias of a normalisation, or the places of their gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NormWeights {
    /// One number for each column of a group.
    pub weight: Stretch,
    /// The same, for layer normalisation.
    pub bias: Option<Stretch>,
}

/// How logits become probabilities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogitSpec {
    /// Soft cap of the model, if it has one.
    pub softcap: Option<f32>,
    /// Divides the logits.
    pub temperature: f32,
}

/// How the next token of one row is drawn.
#[derive(Clone, Debug)]
pub struct DrawRow {
    /// Divides the logits; ignored where greedy.
    pub temperature: f64,
    /// Keep the k most likely; 0 keeps all.
    pub top_k: usize,
    /// Keep the most likely up to this probability; 1 keeps all.
    pub top_p: f64,
    /// Drop what is less likely than this share of the most likely; 0 keeps all.
    pub min_p: f64,
    /// Penalty on tokens already present; 1 is off.
    pub repetition_penalty: f64,
    /// Take the most likely.
    pub greedy: bool,
    /// Tokens already present, where there is a penalty.
    pub seen: Vec<u32>,
    /// Added to these logits, before the repetition penalty; a token may be named several times.
    pub bias: Vec<(u32, f32)>,
    /// Taken from these logits, after the repetition penalty.
    pub penalties: Vec<(u32, f32)>,
    /// Tokens that may be drawn, at least one of the row; all where absent.
    pub mask: Option<TokenMask>,
    /// Likeliest tokens to be told.
    pub n_top: usize,
    /// A random number in (0, 1).
    pub unit: f64,
}

impl DrawRow {
    /// A plain draw at temperature 1.
    pub fn plain(unit: f64) -> DrawRow {
        DrawRow {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            greedy: false,
            seen: Vec::new(),
            bias: Vec::new(),
            penalties: Vec::new(),
            mask: None,
            n_top: 0,
            unit,
        }
    }
}

/// A drawn token.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// The token.
    pub token: u32,
    /// Its log-prob at the temperature (1 where greedy), over the whole vocabulary, without bias,
    /// penalties and mask.
    pub logprob: f32,
    /// The likeliest tokens of the distribution that `logprob` is of, likeliest first; of equals the
    /// lower number.
    pub top: Vec<(u32, f32)>,
}

/// The operations. Sizes that do not fit are bugs of the caller and panic.
pub trait Backend: Send {
    /// What it runs on, for people.
    fn name(&self) -> String;

    /// A buffer of zeros.
    fn alloc(&mut self, len: usize) -> Buf;
    /// Gives a buffer back.
    fn free(&mut self, buf: Buf);
    /// Copies numbers from the host.
    fn write(&mut self, to: Stretch, from: &[f32]);
    /// Copies numbers to the host.
    fn read(&mut self, from: Stretch, to: &mut [f32]);
    /// Copies inside the device; the shapes are equal.
    fn copy(&mut self, to: Mat, from: Mat);
    /// Sets every number.
    fn fill(&mut self, to: Stretch, value: f32);
    /// A buffer of indices.
    fn alloc_ids(&mut self, len: usize) -> Ids;
    /// Copies indices from the host to the start of the buffer.
    fn write_ids(&mut self, to: Ids, from: &[u32]);
    /// Says that weights in `buf` have changed, so that copies in other layouts are made anew.
    fn weights_changed(&mut self, buf: Buf);

    /// `out[i] = scale * table[ids[i]]`, or `+=`.
    fn embed(&mut self, out: Mat, table: Mat, ids: Ids, scale: f32, accumulate: bool);
    /// `d_table[ids[i]] += scale * d_out[i]`, in order of i.
    fn embed_backward(&mut self, d_table: Mat, d_out: Mat, ids: Ids, scale: f32);
    /// `out[i] = x[ids[i]]`.
    fn gather(&mut self, out: Mat, x: Mat, ids: Ids);
    /// `x[ids[i]] += d[i]`; no index occurs twice.
    fn scatter_add(&mut self, x: Mat, d: Mat, ids: Ids);
    /// `y += factor * x`.
    fn add(&mut self, y: Mat, x: Mat, factor: f32);

    /// Normalises every group of every row.
    fn norm(&mut self, out: Mat, x: Mat, weights: NormWeights, spec: NormSpec);
    /// Gradients of [`Backend::norm`]: `d_x` is written or added to; those of the weights are added
    /// to where wanted.
    #[expect(clippy::too_many_arguments, reason = "the inputs and outputs of one operation")]
    fn norm_backward(
        &mut self,
        d_x: Mat,
        d_weights: Option<NormWeights>,
        d_out: Mat,
        x: Mat,
        weights: NormWeights,
        spec: NormSpec,
        accumulate: bool,
    );

    /// `out = x weight^T (+ bias)`, or `+=`.
    fn linear(&mut self, out: Mat, x: Mat, weight: Mat, bias: Option<Stretch>, accumulate: bool);
    /// `d_x = d_out weight`, or `+=`.
    fn linear_input_gradient(&mut self, d_x: Mat, d_out: Mat, weight: Mat, accumulate: bool);
    /// `d_weight += d_out^T x`.
    fn linear_weight_gradient(&mut self, d_weight: Mat, d_out: Mat, x: Mat);
    /// `d_bias += column sums of d_out`.
    fn bias_gradient(&mut self, d_bias: Stretch, d_out: Mat);

    /// Turns each of the first `heads` heads of a row by the angles of the row's position.
    /// `table` has one row for each position: cosines, then sines.
    fn rotate(&mut self, x: Mat, heads: Heads, table: Mat, positions: Ids, inverse: bool);
    /// `out = f(gate) * up` for rows `gate | up`, or `f(x)` where not gated.
    fn activate(&mut self, out: Mat, x: Mat, f: Activation, gated: bool);
    /// Gradient of [`Backend::activate`], written.
    fn activate_backward(&mut self, d_x: Mat, d_out: Mat, x: Mat, f: Activation, gated: bool);

    /// Causal attention inside each sequence; rows of `qkv` are queries, keys, values.
    fn attention(&mut self, out: Mat, qkv: Mat, rows: &[SequenceRows], spec: AttentionSpec);
    /// Gradient of [`Backend::attention`], written.
    fn attention_backward(
        &mut self,
        d_qkv: Mat,
        d_out: Mat,
        out: Mat,
        qkv: Mat,
        rows: &[SequenceRows],
        spec: AttentionSpec,
    );

    /// A cache of keys and values.
    fn new_cache(&mut self, size: CacheSize) -> Cache;
    /// Stores the keys and values of `qkv`'s rows: row i goes to slot `slots[i]`
    /// (page * 16 + place).
    fn cache_store(&mut self, cache: Cache, layer: usize, qkv: Mat, slots: &[u32], heads: usize);
    /// Copies the first `tokens` tokens of a page to another, in every layer.
    fn cache_copy(&mut self, cache: Cache, from: u32, to: u32, tokens: usize);
    /// Causal attention of rows over their sequences' cached tokens.
    fn cache_attention(
        &mut self,
        out: Mat,
        qkv: Mat,
        cache: Cache,
        layer: usize,
        rows: &[CachedRows],
        spec: AttentionSpec,
    );

    /// Divides logits by the temperature in place and reads each row's statistics and the log-prob
    /// of its token. Entropy and squared sum are only there where wanted.
    fn read_rows(
        &mut self,
        logits: Mat,
        tokens: &[u32],
        spec: LogitSpec,
        wants_moments: bool,
    ) -> Vec<(RowStats, f32)>;
    /// Turns logits, as [`Backend::read_rows`] left them, into their gradient.
    fn rows_backward(
        &mut self,
        logits: Mat,
        tokens: &[u32],
        stats: &[RowStats],
        gradients: &[RowGradient],
        spec: LogitSpec,
    );
    /// Draws the next token of each row. The logits are used up.
    fn draw(&mut self, logits: Mat, softcap: Option<f32>, rows: &[DrawRow]) -> Vec<Drawn>;

    /// One AdamW step; the four stretches are equally long.
    fn adamw(
        &mut self,
        weight: Stretch,
        gradient: Stretch,
        m: Stretch,
        v: Stretch,
        step: AdamwStep,
    );
    /// Sum of squares, added up in double precision in a fixed order.
    fn sum_squares(&mut self, x: Stretch) -> f64;
    /// Sum of products, added up in double precision in a fixed order.
    fn dot(&mut self, a: Stretch, b: Stretch) -> f64;
    /// Multiplies in place.
    fn scale(&mut self, x: Stretch, factor: f32);
}

/// Which columns of a row are heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// How many, from the first column on.
    pub count: usize,
    /// Dimensions of each.
    pub dim: usize,
}
