//! Named tensors in safetensors files, one or several, or in memory.
//!
//! Files are memory-mapped: a tensor is converted to `f32` as it is copied out, so loading a model
//! needs no second copy of the file. The format's own checks (header size, offsets, shapes against
//! lengths) are the `safetensors` crate's; what they find is reported with the file's name.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use super::disk::read_limited;
use crate::NnError;

/// Limit of an index file.
const INDEX_BYTES: u64 = 64 << 20;

/// Read-only tensors.
pub struct Tensors {
    label: PathBuf,
    files: Vec<Bytes>,
    places: BTreeMap<String, Place>,
}

enum Bytes {
    Mapped(memmap2::Mmap),
    Static(&'static [u8]),
}

impl Bytes {
    fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Static(bytes) => bytes,
        }
    }
}

struct Place {
    file: usize,
    start: usize,
    end: usize,
    dtype: Dtype,
    shape: Vec<usize>,
}

impl Tensors {
    /// The tensors of a model folder: `model.safetensors`, or shards with an index.
    ///
    /// # Errors
    /// [`NnError`] naming the file that is missing or damaged.
    pub fn open_folder(folder: &Path) -> Result<Tensors, NnError> {
        let single = folder.join("model.safetensors");
        if single.exists() {
            return Tensors::open(folder, &[single]);
        }
        let index = folder.join("model.safetensors.index.json");
        if !index.exists() {
            let old = folder.join("pytorch_model.bin").exists();
            let hint = if old {
                "; the folder has pytorch_model.bin only: save it again with `safe_serialization`"
            } else {
                ""
            };
            let message = format!("it holds no model.safetensors and no index of shards{hint}");
            return Err(NnError::Damaged { path: folder.to_owned(), message });
        }
        let shards = shard_names(&index)?;
        let paths: Vec<PathBuf> = shards.iter().map(|name| folder.join(name)).collect();
        Tensors::open(folder, &paths)
    }

    /// The tensors of these files; `label` names them together in errors.
    ///
    /// # Errors
    /// As [`Tensors::open_folder`].
    pub fn open(label: &Path, paths: &[PathBuf]) -> Result<Tensors, NnError> {
        let mut tensors = Tensors::empty(label);
        for path in paths {
            let file = File::open(path).map_err(|e| NnError::io("open", path, e))?;
            // SAFETY: the map is read-only. Should another process truncate the file meanwhile, the
            // system ends this one; that is the usual contract of mapped model files.
            let map = unsafe { memmap2::Mmap::map(&file) };
            let map = map.map_err(|e| NnError::io("map", path, e))?;
            tensors.add(path, Bytes::Mapped(map))?;
        }
        Ok(tensors)
    }

    /// The tensors of a file that is part of the program.
    ///
    /// # Errors
    /// As [`Tensors::open_folder`].
    pub fn from_static(label: &str, bytes: &'static [u8]) -> Result<Tensors, NnError> {
        let mut tensors = Tensors::empty(Path::new(label));
        tensors.add(Path::new(label), Bytes::Static(bytes))?;
        Ok(tensors)
    }

    fn empty(label: &Path) -> Tensors {
        Tensors { label: label.to_owned(), files: Vec::new(), places: BTreeMap::new() }
    }

    fn add(&mut self, path: &Path, bytes: Bytes) -> Result<(), NnError> {
        let damaged = |message: String| NnError::Damaged { path: path.to_owned(), message };
        let base = bytes.as_slice();
        let parsed = SafeTensors::deserialize(base)
            .map_err(|e| damaged(format!("it is not a whole safetensors file ({e})")))?;
        for (name, view) in parsed.iter() {
            let start = view.data().as_ptr().addr() - base.as_ptr().addr();
            let place = Place {
                file: self.files.len(),
                start,
                end: start + view.data().len(),
                dtype: view.dtype(),
                shape: view.shape().to_vec(),
            };
            if self.places.insert(name.to_owned(), place).is_some() {
                return Err(damaged(format!("tensor `{name}` is in another shard as well")));
            }
        }
        self.files.push(bytes);
        Ok(())
    }

    /// What the tensors are called together.
    pub fn label(&self) -> &Path {
        &self.label
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// Shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.places.get(name).map(|place| place.shape.as_slice())
    }

    /// A tensor as `f32`, row-major.
    ///
    /// # Errors
    /// [`NnError::Tensor`] where it is missing or of a type that is no float.
    pub fn read(&self, name: &str) -> Result<Vec<f32>, NnError> {
        let place = self.places.get(name).ok_or_else(|| self.error(name, "it is missing"))?;
        let bytes = &self.files[place.file].as_slice()[place.start..place.end];
        match place.dtype {
            Dtype::F32 => Ok(by_chunks(bytes, f32::from_le_bytes)),
            Dtype::F16 => Ok(by_chunks(bytes, |b| half::f16::from_le_bytes(b).to_f32())),
            Dtype::BF16 => Ok(by_chunks(bytes, |b| half::bf16::from_le_bytes(b).to_f32())),
            Dtype::F64 => Ok(by_chunks(bytes, |b| f64::from_le_bytes(b) as f32)),
            other => {
                let message = format!("found type {other:?}, allowed are F32, F16, BF16 and F64");
                Err(self.error(name, message))
            }
        }
    }

    /// An error about a tensor here.
    pub(super) fn error(&self, tensor: &str, message: impl Into<String>) -> NnError {
        NnError::Tensor {
            path: self.label.clone(),
            tensor: tensor.to_owned(),
            message: message.into(),
        }
    }
}

fn by_chunks<const N: usize>(bytes: &[u8], f: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| f(*chunk)).collect()
}

/// Shards named by an index, sorted. Names must be plain file names.
fn shard_names(index: &Path) -> Result<Vec<String>, NnError> {
    let damaged = |message: String| NnError::Damaged { path: index.to_owned(), message };
    let bytes = read_limited(index, INDEX_BYTES).map_err(|e| NnError::io("read", index, e))?;
    let json: Value = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
    let map = json.get("weight_map").and_then(Value::as_object);
    let map = map.ok_or_else(|| damaged("key `weight_map` is not an object".to_owned()))?;
    let mut names = Vec::new();
    for shard in map.values() {
        let name = shard.as_str().unwrap_or_default();
        if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
            return Err(damaged(format!("{shard} is not the name of a file in the same folder")));
        }
        names.push(name.to_owned());
    }
    names.sort();
    names.dedup();
    Ok(names)
}
