//! A flat set of numbers on disk: weights of an earlier step, beside a model.
//!
//! Unlike a model's file it has no names of parameters: it is read back into the program that wrote it,
//! in the order of the trained set.

use std::path::Path;

use super::disk::Disk;
use super::tensors::Tensors;
use super::write::{Entry, StoreType, write_tensors};
use crate::NnError;

const NUMBERS: &str = "trained";
/// Its version, as two halves that `f32` holds exactly.
const VERSION: &str = "version";
const HALF: u64 = 1 << 20;

/// Writes the numbers of a trained set and a version, at most 2^44, as one safetensors file.
///
/// # Errors
/// [`NnError::Io`] naming the file.
pub fn save_snapshot(
    disk: &dyn Disk,
    path: &Path,
    version: u64,
    numbers: &[f32],
) -> Result<(), NnError> {
    let halves = vec![(version / HALF) as f32, (version % HALF) as f32];
    let entries = vec![
        Entry {
            name: NUMBERS.to_owned(),
            shape: vec![numbers.len()],
            read: Box::new(|| numbers.to_vec()),
        },
        Entry { name: VERSION.to_owned(), shape: vec![2], read: Box::new(move || halves.clone()) },
    ];
    write_tensors(disk, path, entries, StoreType::F32)
        .map_err(|e| NnError::io("write", path, e))?;
    Ok(())
}

/// Reads what [`save_snapshot`] wrote: version and numbers.
///
/// # Errors
/// [`NnError`] naming the file or the tensor that is missing or damaged.
pub fn load_snapshot(path: &Path) -> Result<(u64, Vec<f32>), NnError> {
    let tensors = Tensors::open(path, &[path.to_owned()])?;
    let version = tensors.read(VERSION)?;
    let [high, low] = version[..] else {
        let message = format!("it has {} numbers, needed are 2", version.len());
        return Err(tensors.error(VERSION, message));
    };
    Ok((high as u64 * HALF + low as u64, tensors.read(NUMBERS)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::RealDisk;

    #[test]
    fn a_snapshot_comes_back_to_the_bit() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("a.safetensors");
        let numbers = [1.0, -0.0, f32::MIN_POSITIVE, 1.0 / 3.0];
        for version in [0, 7, HALF - 1, HALF, 5 * HALF + 3] {
            save_snapshot(&RealDisk, &path, version, &numbers).unwrap();
            let (found, read) = load_snapshot(&path).unwrap();
            assert_eq!(found, version);
            assert!(read.iter().map(|x| x.to_bits()).eq(numbers.map(f32::to_bits)));
        }
        std::fs::write(&path, "nothing").unwrap();
        assert!(load_snapshot(&path).is_err());
    }
}
