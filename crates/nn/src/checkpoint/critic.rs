//! A critic as a folder: a model or adapters in the usual layout, its value head beside them, and the
//! moments of both.
//!
//! The folder without the moments is a reward model: [`crate::ModelFiles`] opens its weights and
//! [`super::load_value_head`] its head. A critic that trains its head alone has no weights to save: its
//! folder holds the head.

use std::cell::RefCell;
use std::path::Path;

use serde_json::Value;

use super::adapter::{AdapterFiles, save_adapter};
use super::disk::Disk;
use super::model::{ModelFiles, save_model};
use super::optimiser::{load_optimiser, save_optimiser};
use super::value_head::{restore_value_head, save_value_head_of};
use super::write::StoreType;
use crate::NnError;
use crate::backend::{Backend, Stretch};
use crate::decoder::Decoder;
use crate::learner::Critic;

/// File of the moments below the head.
const OPTIMISER_FILE: &str = "optimizer.safetensors";

/// Writes a critic into an existing folder; returns the SHA-256 of its weights' file, or of its head's
/// where it trains nothing else. `config` is the
/// model's `config.json`, `base_model` what adapters belong to.
///
/// # Errors
/// [`NnError`] naming the file.
pub fn save_critic(
    disk: &dyn Disk,
    folder: &Path,
    config: &Value,
    base_model: &str,
    device: &mut dyn Backend,
    decoder: &Decoder,
    critic: &Critic,
) -> Result<String, NnError> {
    let learner = critic.learner();
    let hash_of_head = save_value_head_of(disk, folder, device, learner)?;
    if learner.n_trained() == 0 {
        return Ok(hash_of_head.unwrap_or_default());
    }
    let device = RefCell::new(device);
    let read = |which| learner.moment(&mut **device.borrow_mut(), which);
    let (step, len) = (learner.n_steps(), learner.n_trained());
    save_optimiser(disk, &folder.join(OPTIMISER_FILE), step, len, &read)?;
    let weights = learner.weights();
    match (weights.adapters, &decoder.adapters) {
        (Some(_), Some(layout)) => {
            let numbers = learner.trained(&mut **device.borrow_mut());
            save_adapter(disk, folder, base_model, layout, &numbers)
        }
        _ => {
            let get = |offset: usize, len: usize| {
                let mut numbers = vec![0.0; len];
                let from = Stretch { buf: weights.base, offset, len };
                device.borrow_mut().read(from, &mut numbers);
                numbers
            };
            save_model(disk, folder, config, &decoder.params, &get, StoreType::F32)
        }
    }
}

/// Puts weights, moments and head of a folder back into a critic of the same layout.
///
/// # Errors
/// [`NnError`] naming the file that is missing, damaged or of another model.
pub fn restore_critic(
    folder: &Path,
    device: &mut dyn Backend,
    decoder: &Decoder,
    critic: &mut Critic,
) -> Result<(), NnError> {
    let learner = critic.learner_mut();
    let hidden_size = decoder.config.hidden_size;
    restore_value_head(folder, device, learner, hidden_size)?;
    if learner.n_trained() == 0 {
        return Ok(());
    }
    let numbers = if learner.weights().adapters.is_some() {
        AdapterFiles::open(folder)?.read(&decoder.params)?.1
    } else {
        let mut numbers = vec![0.0; decoder.params.len()];
        let put = |offset: usize, values: &[f32]| {
            numbers[offset..offset + values.len()].copy_from_slice(values);
        };
        ModelFiles::open(folder)?.read_params(&decoder.params, put)?;
        numbers
    };
    let state = load_optimiser(&folder.join(OPTIMISER_FILE))?;
    learner.restore(device, &numbers, &state)
}
