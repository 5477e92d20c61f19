//! A model folder in Hugging Face's layout, in and out: `config.json` and the tensors.
//!
//! Tokenizer and chat template files are the text side's; trainer state lies beside them and is the
//! trainer's.

use std::path::Path;

use serde_json::Value;

use super::disk::{Disk, read_limited, write_file};
use super::tensors::Tensors;
use super::write::{Entry, StoreType, write_tensors};
use crate::NnError;
use crate::decoder::{DecoderConfig, Param, ParamLayout, Piece, Slot};
use crate::families::Family;

/// Limit of a `config.json`.
const CONFIG_BYTES: u64 = 4 << 20;

/// Buffers that some checkpoints carry and no decoder needs.
const KNOWN_EXTRAS: [&str; 4] =
    ["rotary_emb.inv_freq", ".attn.bias", ".attn.masked_bias", "embed_positions.inv_freq"];

/// A model as it lies on disk or in the program.
pub struct ModelFiles {
    /// `config.json` as it is.
    pub config: Value,
    /// Its family.
    pub family: Family,
    /// What it describes.
    pub decoder: DecoderConfig,
    tensors: Tensors,
}

impl ModelFiles {
    /// Opens a folder; reads the configuration and the tensors' headers.
    ///
    /// # Errors
    /// [`NnError`] naming the file, key or tensor that is missing or wrong.
    pub fn open(folder: &Path) -> Result<ModelFiles, NnError> {
        let path = folder.join("config.json");
        let bytes = read_limited(&path, CONFIG_BYTES).map_err(|e| NnError::io("read", &path, e))?;
        let config = serde_json::from_slice(&bytes)
            .map_err(|e| NnError::Damaged { path, message: e.to_string() })?;
        ModelFiles::new(config, Tensors::open_folder(folder)?)
    }

    /// A model from its parts.
    ///
    /// # Errors
    /// As [`ModelFiles::open`].
    pub fn new(config: Value, tensors: Tensors) -> Result<ModelFiles, NnError> {
        let (family, decoder) = Family::read(&config)?;
        Ok(ModelFiles { config, family, decoder, tensors })
    }

    /// Reads every parameter in the layout's order and hands it to `put` with its first index.
    /// Returns the names of tensors that no parameter wanted.
    ///
    /// # Errors
    /// [`NnError::Tensor`] for the first that is missing or has another shape.
    pub fn read_params(
        &self,
        params: &ParamLayout,
        mut put: impl FnMut(usize, &[f32]),
    ) -> Result<Vec<String>, NnError> {
        let mut used: Vec<&str> = Vec::new();
        for param in params.params() {
            let mut offset = param.offset;
            for piece in &param.pieces {
                let name = self.locate(param, piece)?;
                let (rows, cols) = piece_shape(param, piece);
                self.check_shape(name, param, piece, rows, cols)?;
                let mut numbers = self.tensors.read(name)?;
                if piece.is_turned {
                    numbers = turn(&numbers, cols, rows);
                }
                put(offset, &numbers);
                offset += numbers.len();
                used.push(name);
            }
        }
        let extra = |name: &&str| {
            !used.contains(name) && !KNOWN_EXTRAS.iter().any(|known| name.ends_with(known))
        };
        Ok(self.tensors.names().filter(extra).map(str::to_owned).collect())
    }

    /// The tensor's name in this checkpoint: as the family has it, without the prefix of the whole
    /// model, or, where embedding and head are one, under the other's name.
    fn locate<'a>(&'a self, param: &'a Param, piece: &'a Piece) -> Result<&'a str, NnError> {
        let mut candidates = vec![piece.name.as_str()];
        candidates.extend(piece.name.strip_prefix(self.family.prefix()));
        if param.slot == Slot::Embedding && self.decoder.ties_embeddings {
            candidates.push("lm_head.weight");
        }
        let found = candidates.into_iter().find(|name| self.tensors.shape(name).is_some());
        found.ok_or_else(|| self.tensors.error(&piece.name, "it is missing"))
    }

    fn check_shape(
        &self,
        name: &str,
        param: &Param,
        piece: &Piece,
        rows: usize,
        cols: usize,
    ) -> Result<(), NnError> {
        let expected = stored_shape(param, piece, rows, cols);
        match self.tensors.shape(name) {
            Some(shape) if shape == expected => Ok(()),
            shape => {
                let shape = shape.unwrap_or_default();
                let message =
                    format!("its shape is {shape:?}, the configuration needs {expected:?}");
                Err(self.tensors.error(name, message))
            }
        }
    }
}

/// Writes `config.json` and `model.safetensors` into an existing folder; returns the SHA-256 of the
/// latter. `get` gives numbers of the weight set by first index and length.
///
/// # Errors
/// [`NnError::Io`] naming the file.
pub fn save_model(
    disk: &dyn Disk,
    folder: &Path,
    config: &Value,
    params: &ParamLayout,
    get: &dyn Fn(usize, usize) -> Vec<f32>,
    store: StoreType,
) -> Result<String, NnError> {
    let mut config = config.clone();
    if let Value::Object(config) = &mut config {
        config.remove("torch_dtype");
        let name = if store == StoreType::F32 { "float32" } else { "bfloat16" };
        config.insert("dtype".to_owned(), name.into());
    }
    let path = folder.join("config.json");
    let text = format!("{config:#}\n");
    write_file(disk, &path, text.as_bytes()).map_err(|e| NnError::io("write", &path, e))?;
    let mut entries = Vec::new();
    for param in params.params() {
        let mut offset = param.offset;
        for piece in &param.pieces {
            let (rows, cols) = piece_shape(param, piece);
            let start = offset;
            let turned = piece.is_turned;
            let read = move || {
                let numbers = get(start, rows * cols);
                if turned { turn(&numbers, rows, cols) } else { numbers }
            };
            let shape = stored_shape(param, piece, rows, cols);
            entries.push(Entry { name: piece.name.clone(), shape, read: Box::new(read) });
            offset += rows * cols;
        }
    }
    let path = folder.join("model.safetensors");
    write_tensors(disk, &path, entries, store).map_err(|e| NnError::io("write", &path, e))
}

/// Rows and columns of a piece as the layout has it; a vector counts as one column.
fn piece_shape(param: &Param, piece: &Piece) -> (usize, usize) {
    let (rows, cols) = if param.is_matrix { (param.rows, param.cols) } else { (param.cols, 1) };
    (piece.rows.unwrap_or(rows), cols)
}

fn stored_shape(param: &Param, piece: &Piece, rows: usize, cols: usize) -> Vec<usize> {
    match (param.is_matrix, piece.is_turned) {
        (false, _) => vec![rows],
        (true, false) => vec![rows, cols],
        (true, true) => vec![cols, rows],
    }
}

/// Transposes a dense rows x cols matrix.
fn turn(numbers: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    (0..rows * cols).map(|i| numbers[(i % rows) * cols + i / rows]).collect()
}
