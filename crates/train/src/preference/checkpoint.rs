//! A checkpoint of a run on preferences: the folder of any model, with moments, value head, the scale of
//! its scores and the trainer's state.

use std::path::Path;

use stateset_core::PolicyVersion;
use stateset_nn::{load_optimiser, restore_value_head, save_value_head_of, write_file};

use super::scale::RewardScale;
use super::state::PreferenceState;
use crate::engine::{Engine, EngineState};
use crate::online::{CheckpointWriter, OPTIMISER, trained_numbers};
use crate::{RunError, TrainError};

/// Writes model, moments, head and states; returns the SHA-256 of the weights' file.
pub(super) fn write(
    writer: &CheckpointWriter,
    engine: &Engine,
    folder: &Path,
    state: &PreferenceState,
    scale: Option<RewardScale>,
) -> Result<String, TrainError> {
    let hash = write_model(writer, engine, folder, scale)?;
    let (of_job, place) = (writer.clone(), folder.to_owned());
    engine.run_blocking(move |state| of_job.write_moments(state, &place.join(OPTIMISER)))??;
    let (name, text) = state.file();
    write_text(writer, folder, name, &text)?;
    Ok(hash)
}

/// Writes the model alone, with its head and scale where it has them.
pub(super) fn write_model(
    writer: &CheckpointWriter,
    engine: &Engine,
    folder: &Path,
    scale: Option<RewardScale>,
) -> Result<String, TrainError> {
    let hash = writer.write_model(engine, folder)?;
    let (disk, place) = (writer.disk.clone(), folder.to_owned());
    engine.run_blocking(move |state| -> Result<(), TrainError> {
        let EngineState { device, learner, .. } = state;
        if let Some(learner) = learner {
            save_value_head_of(disk.as_ref(), &place, device.as_mut(), learner)?;
        }
        Ok(())
    })??;
    if let Some(scale) = scale {
        let (name, text) = scale.file();
        write_text(writer, folder, name, &text)?;
    }
    Ok(hash)
}

fn write_text(
    writer: &CheckpointWriter,
    folder: &Path,
    name: &str,
    text: &str,
) -> Result<(), TrainError> {
    let path = folder.join(name);
    write_file(writer.disk.as_ref(), &path, text.as_bytes())
        .map_err(|e| TrainError::io("write", path, e))
}

/// Puts a checkpoint back into an engine that holds the model the run began with.
pub(super) fn restore(engine: &Engine, folder: &Path) -> Result<PreferenceState, TrainError> {
    let state = PreferenceState::read(folder)?;
    let moments = load_optimiser(&folder.join(OPTIMISER))?;
    let version = PolicyVersion(state.policy_version);
    let place = folder.to_owned();
    engine.run_blocking(move |engine| -> Result<(), TrainError> {
        let trained = trained_numbers(engine, &place)?;
        let EngineState { device, decoder, learner, .. } = &mut *engine;
        if let Some(learner) = learner {
            learner.restore(device.as_mut(), &trained, &moments)?;
            if learner.value_head().is_some() {
                let hidden_size = decoder.config.hidden_size;
                restore_value_head(&place, device.as_mut(), learner, hidden_size)?;
            }
        }
        engine.weights_changed(version);
        Ok(())
    })??;
    Ok(state)
}

/// Hash of the weights in a whole checkpoint, from its manifest.
pub(super) fn weights_sha256(folder: &Path) -> Result<String, TrainError> {
    let damaged = |reason: String| RunError::Damaged { path: folder.to_owned(), reason };
    let manifest = crate::Manifest::read(folder).map_err(damaged)?;
    let weights = ["model.safetensors", "adapter_model.safetensors"];
    let found = manifest.files.iter().find(|file| weights.contains(&file.name.as_str()));
    let found = found.ok_or_else(|| damaged("its manifest names no weights".to_owned()))?;
    Ok(found.sha256.clone())
}
