//! The optimiser's moments on disk, beside a model.

use std::path::Path;

use super::disk::Disk;
use super::tensors::Tensors;
use super::write::{Entry, StoreType, write_tensors};
use crate::NnError;
use crate::learner::OptimiserState;

const FIRST: &str = "first_moment";
const SECOND: &str = "second_moment";
/// Steps taken, as two halves that `f32` holds exactly.
const STEP: &str = "step";
const HALF: u64 = 1 << 20;

/// Writes moments and step count as one safetensors file; the numbers are in the order of the trained
/// set.
///
/// # Errors
/// [`NnError::Io`] naming the file.
pub fn save_optimiser(disk: &dyn Disk, path: &Path, state: &OptimiserState) -> Result<(), NnError> {
    let step = vec![(state.step / HALF) as f32, (state.step % HALF) as f32];
    let entry = |name: &str, numbers: Vec<f32>| Entry {
        name: name.to_owned(),
        shape: vec![numbers.len()],
        read: Box::new(move || numbers.clone()),
    };
    let entries =
        vec![entry(FIRST, state.m.clone()), entry(SECOND, state.v.clone()), entry(STEP, step)];
    write_tensors(disk, path, entries, StoreType::F32)
        .map_err(|e| NnError::io("write", path, e))?;
    Ok(())
}

/// Reads what [`save_optimiser`] wrote.
///
/// # Errors
/// [`NnError`] naming the file or the tensor that is missing or damaged.
pub fn load_optimiser(path: &Path) -> Result<OptimiserState, NnError> {
    let tensors = Tensors::open(path, &[path.to_owned()])?;
    let step = tensors.read(STEP)?;
    let [high, low] = step[..] else {
        return Err(tensors.error(STEP, format!("it has {} numbers, needed are 2", step.len())));
    };
    Ok(OptimiserState {
        step: high as u64 * HALF + low as u64,
        m: tensors.read(FIRST)?,
        v: tensors.read(SECOND)?,
    })
}
