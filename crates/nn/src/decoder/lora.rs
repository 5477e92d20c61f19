//! Low-rank adapters on the linear maps of a decoder (LoRA, arXiv 2106.09685).
//!
//! A target map y = W x becomes y = W x + s B (A x), with A of `rank` rows and s = alpha / rank (or
//! alpha / sqrt(rank), arXiv 2312.03732). Adapters live in a flat buffer of their own, are merged
//! nowhere but on export, and with B = 0 they change no bit of the output. There is no dropout: a
//! policy that is scored must be the policy that sampled.

use stateset_core::{Purpose, RunSeed, StreamKey};

use super::layout::{LayerSlot, ParamLayout, Slot};
use crate::NnError;
use crate::backend::{Buf, Mat};

/// Which maps get adapters and how large they are.
#[derive(Clone, Debug, PartialEq)]
pub struct LoraSpec {
    /// Rows of A.
    pub rank: usize,
    /// Numerator of the scale.
    pub alpha: f64,
    /// Divide alpha by the root of the rank instead of the rank.
    pub is_rank_stabilised: bool,
    /// Last parts of tensor names, such as `q_proj`; empty for every linear map of the layers.
    pub targets: Vec<String>,
}

impl LoraSpec {
    /// Factor of the adapter's output.
    pub fn scale(&self) -> f64 {
        let rank = self.rank as f64;
        self.alpha / if self.is_rank_stabilised { rank.sqrt() } else { rank }
    }
}

/// One adapter: where it lies and which rows of which map it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Adapter {
    /// Layer of the map.
    pub layer: usize,
    /// The map.
    pub slot: LayerSlot,
    /// First row of the map that it adds to.
    pub first_row: usize,
    /// Rows it adds to.
    pub rows: usize,
    /// Columns of the map.
    pub cols: usize,
    /// Name of the module in a checkpoint, such as `model.layers.0.self_attn.q_proj`.
    pub module: String,
    a: usize,
    b: usize,
}

/// Every adapter of a decoder.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterLayout {
    /// What was asked for.
    pub spec: LoraSpec,
    adapters: Vec<Adapter>,
    by_layer: Vec<Vec<usize>>,
    len: usize,
}

impl AdapterLayout {
    /// Adapters for the maps that `spec` names.
    ///
    /// # Errors
    /// [`NnError::Setting`] for a rank of 0 or a target that no map has, with the names there are.
    pub fn new(params: &ParamLayout, spec: LoraSpec) -> Result<AdapterLayout, NnError> {
        if spec.rank == 0 || spec.rank > 4096 {
            let message = format!("found a rank of {}, allowed are 1 to 4096", spec.rank);
            return Err(NnError::Setting { what: "the adapters", message });
        }
        let mut layout = AdapterLayout { spec, adapters: Vec::new(), by_layer: Vec::new(), len: 0 };
        let mut known: Vec<String> = Vec::new();
        for param in params.params() {
            let Slot::Layer(layer, slot) = param.slot else { continue };
            if !param.is_matrix {
                continue;
            }
            let mut first_row = 0;
            for piece in &param.pieces {
                let rows = piece.rows.unwrap_or(param.rows);
                let module = piece.name.trim_end_matches(".weight").to_owned();
                let short = module.rsplit('.').next().unwrap_or_default().to_owned();
                if layout.spec.targets.is_empty() || layout.spec.targets.contains(&short) {
                    layout.push(layer, slot, (first_row, rows, param.cols), module);
                }
                if !known.contains(&short) {
                    known.push(short);
                }
                first_row += rows;
            }
        }
        if let Some(unknown) = layout.spec.targets.iter().find(|target| !known.contains(target)) {
            let message = format!(
                "target {unknown:?} is no map of this model; there are {}",
                known.join(", ")
            );
            return Err(NnError::Setting { what: "the adapters", message });
        }
        Ok(layout)
    }

    fn push(
        &mut self,
        layer: usize,
        slot: LayerSlot,
        (first_row, rows, cols): (usize, usize, usize),
        module: String,
    ) {
        let rank = self.spec.rank;
        let a = self.len;
        let b = (a + rank * cols).next_multiple_of(16);
        self.len = (b + rows * rank).next_multiple_of(16);
        self.by_layer.resize(self.by_layer.len().max(layer + 1), Vec::new());
        self.by_layer[layer].push(self.adapters.len());
        self.adapters.push(Adapter { layer, slot, first_row, rows, cols, module, a, b });
    }

    /// All adapters, in order of their place.
    pub fn adapters(&self) -> &[Adapter] {
        &self.adapters
    }

    /// Length of an adapter set, padding included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True where no map has an adapter.
    pub fn is_empty(&self) -> bool {
        self.adapters.is_empty()
    }

    /// Trained numbers.
    pub fn n_parameters(&self) -> usize {
        let one = |adapter: &Adapter| self.spec.rank * (adapter.rows + adapter.cols);
        self.adapters.iter().map(one).sum()
    }

    /// Adapters of one map.
    pub(crate) fn of(&self, layer: usize, slot: LayerSlot) -> impl Iterator<Item = &Adapter> {
        let indices = self.by_layer.get(layer).map_or(&[][..], Vec::as_slice);
        indices.iter().map(|&i| &self.adapters[i]).filter(move |adapter| adapter.slot == slot)
    }

    /// A of `adapter` in the set `buf`: rank x cols.
    pub(crate) fn a(&self, adapter: &Adapter, buf: Buf) -> Mat {
        let (rows, cols) = (self.spec.rank, adapter.cols);
        Mat { buf, offset: adapter.a, rows, cols, stride: cols }
    }

    /// B of `adapter` in the set `buf`: rows x rank.
    pub(crate) fn b(&self, adapter: &Adapter, buf: Buf) -> Mat {
        let (rows, cols) = (adapter.rows, self.spec.rank);
        Mat { buf, offset: adapter.b, rows, cols, stride: cols }
    }

    /// First index of A and of B in an adapter set.
    pub(crate) fn offsets(&self, adapter: &Adapter) -> [usize; 2] {
        [adapter.a, adapter.b]
    }

    /// Starting values: A uniform within `1 / sqrt(cols)`, as PEFT draws it, B zero.
    pub fn initial(&self, seed: RunSeed) -> Vec<f32> {
        let mut values = vec![0.0; self.len];
        for (i, adapter) in self.adapters.iter().enumerate() {
            let key = StreamKey { scenario: i as u32, ..StreamKey::default() };
            let mut stream = seed.stream(Purpose::Weights, key);
            let bound = 1.0 / (adapter.cols as f64).sqrt();
            for value in &mut values[adapter.a..adapter.a + self.spec.rank * adapter.cols] {
                *value = stream.uniform(-bound, bound) as f32;
            }
        }
        values
    }
}
