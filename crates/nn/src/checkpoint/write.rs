//! Writes a safetensors file tensor by tensor, so that a model is saved without a second copy of it.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};
use sha2::{Digest, Sha256};

use super::disk::Disk;

/// Numbers that are turned into bytes at a time.
const CHUNK_NUMBERS: usize = 1 << 18;

/// How numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreType {
    /// As they are.
    F32,
    /// Rounded to bfloat16, to the nearest, ties to even.
    Bf16,
}

impl StoreType {
    fn dtype(self) -> Dtype {
        match self {
            StoreType::F32 => Dtype::F32,
            StoreType::Bf16 => Dtype::BF16,
        }
    }

    fn width(self) -> usize {
        match self {
            StoreType::F32 => 4,
            StoreType::Bf16 => 2,
        }
    }

    fn bytes(self, numbers: &[f32]) -> Vec<u8> {
        match self {
            StoreType::F32 => numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
            StoreType::Bf16 => {
                numbers.iter().flat_map(|&x| half::bf16::from_f32(x).to_le_bytes()).collect()
            }
        }
    }
}

/// A tensor to be written.
pub(super) struct Entry<'a> {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    /// Gives its numbers, row-major.
    pub(super) read: Box<dyn FnMut() -> Vec<f32> + 'a>,
}

/// Writes the file and returns its SHA-256 in hexadecimal.
pub(super) fn write_tensors(
    disk: &dyn Disk,
    path: &Path,
    mut entries: Vec<Entry<'_>>,
    store: StoreType,
) -> io::Result<String> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let mut offset = 0;
    let infos = entries.iter().map(|entry| {
        let start = offset;
        offset += entry.shape.iter().product::<usize>() * store.width();
        let info = TensorInfo {
            dtype: store.dtype(),
            shape: entry.shape.clone(),
            data_offsets: (start, offset),
        };
        (entry.name.clone(), info)
    });
    let infos: Vec<_> = infos.collect();
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let metadata = Metadata::new(Some(format), infos).map_err(io::Error::other)?;
    let mut header = serde_json::to_vec(&metadata)?;
    header.resize(header.len().next_multiple_of(8), b' ');
    let mut out = Hashing { file: disk.create(path)?, hash: Sha256::new() };
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(&header)?;
    for entry in &mut entries {
        for part in (entry.read)().chunks(CHUNK_NUMBERS) {
            out.write_all(&store.bytes(part))?;
        }
    }
    out.file.sync()?;
    Ok(out.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

struct Hashing {
    file: Box<dyn super::disk::SyncWrite>,
    hash: Sha256,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.hash.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
