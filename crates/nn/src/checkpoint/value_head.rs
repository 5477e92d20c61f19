//! Value heads on disk, beside the model whose states they read.
//!
//! The tensors have the names that TRL's models with a value head use. Moments are a file of their
//! own in the optimiser's layout, because a head that serves as a reward model needs none.

use std::cell::RefCell;
use std::path::Path;

use super::disk::Disk;
use super::optimiser::{load_optimiser, save_optimiser};
use super::tensors::Tensors;
use super::write::{Entry, StoreType, write_tensors};
use crate::NnError;
use crate::backend::Backend;
use crate::learner::Learner;

/// File of a value head in a checkpoint.
pub const VALUE_HEAD_FILE: &str = "value_head.safetensors";
/// File of its optimiser state.
pub const VALUE_HEAD_OPTIMISER_FILE: &str = "value_head_optimizer.safetensors";

const WEIGHT: &str = "v_head.summary.weight";
const BIAS: &str = "v_head.summary.bias";

/// Writes a head (`numbers`: weights, then the bias) into a folder; returns the file's SHA-256.
///
/// # Errors
/// [`NnError`] naming the file; also where there are no weights.
pub fn save_value_head(disk: &dyn Disk, folder: &Path, numbers: &[f32]) -> Result<String, NnError> {
    let Some((bias, weights)) = numbers.split_last().filter(|(_, weights)| !weights.is_empty())
    else {
        let message = format!("it has {} numbers, a head has at least 2", numbers.len());
        return Err(NnError::Setting { what: "a value head to save", message });
    };
    let entries = vec![
        Entry {
            name: WEIGHT.to_owned(),
            shape: vec![1, weights.len()],
            read: Box::new(|| weights.to_vec()),
        },
        Entry { name: BIAS.to_owned(), shape: vec![1], read: Box::new(|| vec![*bias]) },
    ];
    let path = folder.join(VALUE_HEAD_FILE);
    write_tensors(disk, &path, entries, StoreType::F32).map_err(|e| NnError::io("write", path, e))
}

/// Reads what [`save_value_head`] wrote, for states of `hidden_size` numbers.
///
/// # Errors
/// [`NnError`] naming the file or the tensor that is missing, damaged or of another model.
pub fn load_value_head(folder: &Path, hidden_size: usize) -> Result<Vec<f32>, NnError> {
    let path = folder.join(VALUE_HEAD_FILE);
    let tensors = Tensors::open(&path, std::slice::from_ref(&path))?;
    let mut numbers = Vec::with_capacity(hidden_size + 1);
    for (name, needed) in [(WEIGHT, &[1, hidden_size][..]), (BIAS, &[1])] {
        if let Some(found) = tensors.shape(name).filter(|found| *found != needed) {
            let message = format!("its shape is {found:?}, the model needs {needed:?}");
            return Err(tensors.error(name, message));
        }
        numbers.extend(tensors.read(name)?);
    }
    Ok(numbers)
}

/// Writes a learner's value head and the head's optimiser state into a folder; returns the SHA-256 of
/// the head's file. Without a head nothing is written.
///
/// # Errors
/// [`NnError`] naming the file.
pub fn save_value_head_of(
    disk: &dyn Disk,
    folder: &Path,
    device: &mut dyn Backend,
    learner: &Learner,
) -> Result<Option<String>, NnError> {
    let Some(head) = learner.value_head() else { return Ok(None) };
    let hash = save_value_head(disk, folder, &head.read(device))?;
    let device = RefCell::new(device);
    let read = |which| learner.value_head_moment(&mut **device.borrow_mut(), which);
    let (step, len) = (learner.value_head_steps(), head.n_parameters());
    save_optimiser(disk, &folder.join(VALUE_HEAD_OPTIMISER_FILE), step, len, &read)?;
    Ok(Some(hash))
}

/// Puts back what [`save_value_head_of`] wrote into a learner that has a value head.
///
/// # Errors
/// [`NnError`] naming the file, or where the head belongs to another model.
pub fn restore_value_head(
    folder: &Path,
    device: &mut dyn Backend,
    learner: &mut Learner,
    hidden_size: usize,
) -> Result<(), NnError> {
    let numbers = load_value_head(folder, hidden_size)?;
    let state = load_optimiser(&folder.join(VALUE_HEAD_OPTIMISER_FILE))?;
    learner.restore_value_head(device, &numbers, &state)
}
