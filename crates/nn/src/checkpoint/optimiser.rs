//! The optimiser's moments on disk, beside a model.

use std::path::Path;

use super::disk::Disk;
use super::tensors::Tensors;
use super::write::{Entry, StoreType, write_tensors};
use crate::NnError;
use crate::learner::{Moment, OptimiserState};

const FIRST: &str = "first_moment";
const SECOND: &str = "second_moment";
/// Steps taken, as two halves that `f32` holds exactly.
const STEP: &str = "step";
const HALF: u64 = 1 << 20;

/// Writes moments and step count as one safetensors file; the numbers are in the order of the trained
/// set. `read` gives the `len` numbers of a moment; one of them is held at a time.
///
/// # Errors
/// [`NnError::Io`] naming the file.
pub fn save_optimiser(
    disk: &dyn Disk,
    path: &Path,
    step: u64,
    len: usize,
    read: &dyn Fn(Moment) -> Vec<f32>,
) -> Result<(), NnError> {
    let halves = vec![(step / HALF) as f32, (step % HALF) as f32];
    let moment = |name: &str, which: Moment| Entry {
        name: name.to_owned(),
        shape: vec![len],
        read: Box::new(move || read(which)),
    };
    let step =
        Entry { name: STEP.to_owned(), shape: vec![2], read: Box::new(move || halves.clone()) };
    let entries = vec![moment(FIRST, Moment::First), moment(SECOND, Moment::Second), step];
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
