//! Where each parameter lies in a weight set.
//!
//! A weight set is one flat buffer; gradients and optimiser moments are buffers of the same layout, so
//! the optimiser, norms and inner products work on the whole at once. Maps that read the same input
//! (queries, keys and values; gate and up) are one matrix here; the [`Piece`]s say which rows of it
//! are which tensors of a checkpoint.

use super::config::{DecoderConfig, PositionSpec};
use crate::NnError;
use crate::backend::{Buf, Mat, NormWeights, Stretch};
use crate::families::Family;
use crate::kernels::NormKind;

/// A parameter of the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    /// Token embeddings: one row for each token.
    Embedding,
    /// Learned positions: one row for each.
    Positions,
    /// Last norm.
    FinalNorm,
    /// Its bias.
    FinalNormBias,
    /// Output map: one row for each token. Absent where tied.
    Head,
    /// A parameter of one layer.
    Layer(usize, LayerSlot),
}

/// A parameter of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LayerSlot {
    /// Norm before attention.
    AttentionNorm,
    /// Its bias.
    AttentionNormBias,
    /// Queries, keys and values.
    Qkv,
    /// Their bias.
    QkvBias,
    /// Norm of query heads.
    QueryNorm,
    /// Norm of key heads.
    KeyNorm,
    /// Attention output.
    Out,
    /// Its bias.
    OutBias,
    /// Norm after attention.
    PostAttentionNorm,
    /// Norm before the feed-forward part.
    FfnNorm,
    /// Its bias.
    FfnNormBias,
    /// Gate and up, or up alone.
    Up,
    /// Their bias.
    UpBias,
    /// Down.
    Down,
    /// Its bias.
    DownBias,
    /// Norm after the feed-forward part.
    PostFfnNorm,
}

impl LayerSlot {
    /// The bias that goes with a map or norm, in models that have biases.
    pub(crate) fn bias(self) -> Option<LayerSlot> {
        match self {
            LayerSlot::AttentionNorm => Some(LayerSlot::AttentionNormBias),
            LayerSlot::Qkv => Some(LayerSlot::QkvBias),
            LayerSlot::Out => Some(LayerSlot::OutBias),
            LayerSlot::FfnNorm => Some(LayerSlot::FfnNormBias),
            LayerSlot::Up => Some(LayerSlot::UpBias),
            LayerSlot::Down => Some(LayerSlot::DownBias),
            _ => None,
        }
    }
}

/// A tensor of a checkpoint as part of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Name of the tensor.
    pub name: String,
    /// Rows of the parameter it fills; `None` for all.
    pub rows: Option<usize>,
    /// Stored with inputs as rows.
    pub is_turned: bool,
}

impl Piece {
    /// A tensor that is the whole parameter.
    pub(crate) fn whole(name: String) -> Piece {
        Piece { name, rows: None, is_turned: false }
    }

    /// A tensor that fills some rows.
    pub(crate) fn rows(name: String, rows: usize) -> Piece {
        Piece { name, rows: Some(rows), is_turned: false }
    }

    /// A whole parameter, stored with inputs as rows.
    pub(crate) fn turned(name: String) -> Piece {
        Piece { name, rows: None, is_turned: true }
    }
}

/// One parameter in the flat buffer.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Which one.
    pub slot: Slot,
    /// First number.
    pub offset: usize,
    /// Rows of the matrix; 1 for vectors.
    pub rows: usize,
    /// Columns.
    pub cols: usize,
    /// True for matrices of linear maps and embeddings, false for norms and biases.
    pub is_matrix: bool,
    /// Its tensors, top rows first.
    pub pieces: Vec<Piece>,
}

impl Param {
    /// Number of numbers.
    pub fn len(&self) -> usize {
        self.rows * self.cols
    }

    /// Never true; a parameter has at least one number.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its place in the weight set `buf`.
    pub fn stretch(&self, buf: Buf) -> Stretch {
        Stretch { buf, offset: self.offset, len: self.len() }
    }

    /// Its place as a matrix.
    pub fn mat(&self, buf: Buf) -> Mat {
        self.stretch(buf).as_mat(self.rows, self.cols)
    }
}

/// Every parameter of a decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamLayout {
    params: Vec<Param>,
    first_of_layer: Vec<usize>,
    len: usize,
}

/// Parameters begin at multiples of this many numbers.
const ALIGN: usize = 16;

impl ParamLayout {
    /// The layout of `config`, with the tensor names of `family`.
    ///
    /// # Errors
    /// [`NnError::TooLarge`] where the model would not fit any address space we know.
    pub fn new(config: &DecoderConfig, family: Family) -> Result<ParamLayout, NnError> {
        let mut layout = ParamLayout { params: Vec::new(), first_of_layer: Vec::new(), len: 0 };
        let hidden = config.hidden_size;
        layout.matrix(config, family, Slot::Embedding, config.vocab_size, hidden);
        if config.position == PositionSpec::Learned {
            layout.matrix(config, family, Slot::Positions, config.max_positions, hidden);
        }
        for index in 0..config.layers.len() {
            layout.first_of_layer.push(layout.params.len());
            for (slot, rows, cols) in layer_shapes(config) {
                let slot = Slot::Layer(index, slot);
                if rows > 0 {
                    layout.matrix(config, family, slot, rows, cols);
                } else {
                    layout.vector(config, family, slot, cols);
                }
            }
        }
        layout.vector(config, family, Slot::FinalNorm, hidden);
        if config.norm == NormKind::Layer {
            layout.vector(config, family, Slot::FinalNormBias, hidden);
        }
        if !config.ties_embeddings {
            layout.matrix(config, family, Slot::Head, config.vocab_size, hidden);
        }
        let limit = 1 << 38;
        if layout.len > limit {
            return Err(NnError::TooLarge {
                what: "lay out the parameters",
                found: layout.len,
                limit,
            });
        }
        Ok(layout)
    }

    /// All parameters, in order of their place.
    pub fn params(&self) -> &[Param] {
        &self.params
    }

    /// Length of a weight set, padding included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never true.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of parameters in the usual sense (numbers that are trained).
    pub fn n_parameters(&self) -> usize {
        self.params.iter().map(Param::len).sum()
    }

    /// The parameter in `slot`, where the model has it.
    pub fn find(&self, slot: Slot) -> Option<&Param> {
        let from = match slot {
            Slot::Layer(index, _) => *self.first_of_layer.get(index)?,
            _ => 0,
        };
        self.params[from..].iter().find(|param| param.slot == slot)
    }

    /// The parameter in `slot`.
    ///
    /// # Panics
    /// Where the model does not have it; the decoder asks by its configuration only.
    pub(crate) fn get(&self, slot: Slot) -> &Param {
        match self.find(slot) {
            Some(param) => param,
            None => panic!("the model has no parameter {slot:?}"),
        }
    }

    /// A map of one layer in the set `buf`.
    pub(crate) fn map(&self, buf: Buf, layer: usize, slot: LayerSlot) -> Mat {
        self.get(Slot::Layer(layer, slot)).mat(buf)
    }

    /// The bias of a map of one layer, where the model has it.
    pub(crate) fn map_bias(&self, buf: Buf, layer: usize, slot: LayerSlot) -> Option<Stretch> {
        self.find(Slot::Layer(layer, slot.bias()?)).map(|param| param.stretch(buf))
    }

    /// A norm of one layer in the set `buf`.
    pub(crate) fn norm(&self, buf: Buf, layer: usize, slot: LayerSlot) -> NormWeights {
        NormWeights {
            weight: self.get(Slot::Layer(layer, slot)).stretch(buf),
            bias: self.map_bias(buf, layer, slot),
        }
    }

    /// The last norm in the set `buf`.
    pub(crate) fn final_norm(&self, buf: Buf) -> NormWeights {
        NormWeights {
            weight: self.get(Slot::FinalNorm).stretch(buf),
            bias: self.find(Slot::FinalNormBias).map(|param| param.stretch(buf)),
        }
    }

    fn matrix(
        &mut self,
        config: &DecoderConfig,
        family: Family,
        slot: Slot,
        rows: usize,
        cols: usize,
    ) {
        self.push(config, family, slot, (rows, cols), true);
    }

    fn vector(&mut self, config: &DecoderConfig, family: Family, slot: Slot, len: usize) {
        self.push(config, family, slot, (1, len), false);
    }

    fn push(
        &mut self,
        config: &DecoderConfig,
        family: Family,
        slot: Slot,
        (rows, cols): (usize, usize),
        is_matrix: bool,
    ) {
        let pieces = family.pieces(config, slot);
        let offset = self.len;
        self.params.push(Param { slot, offset, rows, cols, is_matrix, pieces });
        self.len = offset.saturating_add(rows.saturating_mul(cols)).next_multiple_of(ALIGN);
    }
}

/// Parameters of a layer with rows and columns; 0 rows for vectors.
fn layer_shapes(config: &DecoderConfig) -> Vec<(LayerSlot, usize, usize)> {
    let (hidden, qkv, up) = (config.hidden_size, config.qkv_size(), config.up_size());
    let is_layer_norm = config.norm == NormKind::Layer;
    let all = [
        (true, LayerSlot::AttentionNorm, 0, hidden),
        (is_layer_norm, LayerSlot::AttentionNormBias, 0, hidden),
        (true, LayerSlot::Qkv, qkv, hidden),
        (config.has_qkv_bias, LayerSlot::QkvBias, 0, qkv),
        (config.has_qk_norm, LayerSlot::QueryNorm, 0, config.head_dim),
        (config.has_qk_norm, LayerSlot::KeyNorm, 0, config.head_dim),
        (true, LayerSlot::Out, hidden, config.attention_size()),
        (config.has_out_bias, LayerSlot::OutBias, 0, hidden),
        (config.has_post_norms, LayerSlot::PostAttentionNorm, 0, hidden),
        (true, LayerSlot::FfnNorm, 0, hidden),
        (is_layer_norm, LayerSlot::FfnNormBias, 0, hidden),
        (true, LayerSlot::Up, up, hidden),
        (config.has_ffn_bias, LayerSlot::UpBias, 0, up),
        (true, LayerSlot::Down, hidden, config.ffn_size),
        (config.has_ffn_bias, LayerSlot::DownBias, 0, hidden),
        (config.has_post_norms, LayerSlot::PostFfnNorm, 0, hidden),
    ];
    all.into_iter().filter(|(present, ..)| *present).map(|(_, slot, r, c)| (slot, r, c)).collect()
}
