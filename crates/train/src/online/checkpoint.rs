//! What a checkpoint folder holds: a model in Hugging Face's layout, the agent's configuration, and
//! the trainer's state.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stateset_core::PolicyVersion;
use stateset_nn::{
    AdapterFiles, Disk, ModelFiles, StoreType, Stretch, TextFiles, load_optimiser, save_adapter,
    save_model, save_optimiser, write_file,
};

use super::state::TrainerState;
use crate::TrainError;
use crate::engine::{Engine, EngineState};
use crate::model::{AgentConfig, ModelSource};

/// Moments of the optimiser in a checkpoint.
pub(crate) const OPTIMISER: &str = "optimizer.safetensors";

/// What stays the same in every checkpoint of a run.
#[derive(Clone)]
pub struct CheckpointWriter {
    /// `config.json` of the model.
    pub config: serde_json::Value,
    /// Tokenizer and template.
    pub text: TextFiles,
    /// The agent around the model.
    pub agent: AgentConfig,
    /// The model that adapters belong to.
    pub base_model: String,
    /// Where files go.
    pub disk: Arc<dyn Disk>,
}

impl CheckpointWriter {
    /// What checkpoints of `model` have in common.
    pub fn of(model: &ModelSource, agent: AgentConfig, disk: Arc<dyn Disk>) -> CheckpointWriter {
        let base = model.adapter.as_ref().and_then(|adapter| adapter.base_model.clone());
        CheckpointWriter {
            config: model.files.config.clone(),
            text: model.text.clone(),
            agent,
            base_model: base.unwrap_or_else(|| model.name.clone()),
            disk,
        }
    }

    /// Writes model, tokenizer and agent into an existing folder; returns the SHA-256 of the weights'
    /// file. Waits for the engine, so it must not be called from an asynchronous task.
    ///
    /// # Errors
    /// [`TrainError`] naming the file.
    pub fn write_model(&self, engine: &Engine, folder: &Path) -> Result<String, TrainError> {
        let (writer, place) = (self.clone(), folder.to_owned());
        let hash = engine.run_blocking(move |state| writer.write_weights(state, &place))??;
        for (name, bytes) in self.text.beside_config() {
            self.write(folder.join(name), bytes)?;
        }
        let (name, text) = self.agent.file();
        self.write(folder.join(name), text.as_bytes())?;
        Ok(hash)
    }

    /// Writes model and trainer state; returns the SHA-256 of the weights' file.
    ///
    /// # Errors
    /// [`TrainError`] naming the file.
    pub(super) fn write_all(
        &self,
        engine: &Engine,
        folder: &Path,
        state: &TrainerState,
    ) -> Result<String, TrainError> {
        let hash = self.write_model(engine, folder)?;
        let (writer, place) = (self.clone(), folder.join(OPTIMISER));
        engine.run_blocking(move |state| writer.write_moments(state, &place))??;
        let (name, text) = state.file();
        self.write(folder.join(name), text.as_bytes())?;
        Ok(hash)
    }

    fn write(&self, path: PathBuf, bytes: &[u8]) -> Result<(), TrainError> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| TrainError::io("create", parent, e))?;
        }
        write_file(self.disk.as_ref(), &path, bytes).map_err(|e| TrainError::io("write", path, e))
    }

    /// Writes the optimiser's state to `path`.
    pub(crate) fn write_moments(
        &self,
        state: &mut EngineState,
        path: &Path,
    ) -> Result<(), TrainError> {
        let Some(learner) = &state.learner else { return Ok(()) };
        let device = RefCell::new(state.device.as_mut());
        let read = |which| learner.moment(&mut **device.borrow_mut(), which);
        let (step, len) = (learner.n_steps(), learner.n_trained());
        Ok(save_optimiser(self.disk.as_ref(), path, step, len, &read)?)
    }

    fn write_weights(&self, state: &mut EngineState, folder: &Path) -> Result<String, TrainError> {
        let disk = self.disk.as_ref();
        let hash = match (state.policy.adapters, &state.decoder.adapters) {
            (Some(set), Some(layout)) => {
                let mut numbers = vec![0.0; layout.len()];
                state.device.read(Stretch::of(set, layout.len()), &mut numbers);
                save_adapter(disk, folder, &self.base_model, layout, &numbers)?
            }
            _ => {
                let base = state.policy.base;
                let device = RefCell::new(state.device.as_mut());
                let get = |offset: usize, len: usize| {
                    let mut numbers = vec![0.0; len];
                    device.borrow_mut().read(Stretch { buf: base, offset, len }, &mut numbers);
                    numbers
                };
                let params = &state.decoder.params;
                save_model(disk, folder, &self.config, params, &get, StoreType::F32)?
            }
        };
        Ok(hash)
    }
}

/// Puts weights, moments and counters of a checkpoint back into an engine that holds the model the run
/// began with.
///
/// # Errors
/// [`TrainError`] where a file is damaged or belongs to another model.
pub(super) async fn restore(engine: &Engine, folder: &Path) -> Result<TrainerState, TrainError> {
    let state = TrainerState::read(folder)?;
    let moments = load_optimiser(&folder.join(OPTIMISER))?;
    let version = PolicyVersion(state.policy_version);
    let place = folder.to_owned();
    engine
        .run(move |engine| -> Result<(), TrainError> {
            let trained = trained_numbers(engine, &place)?;
            if let Some(learner) = &mut engine.learner {
                learner.restore(engine.device.as_mut(), &trained, &moments)?;
            }
            engine.weights_changed(version);
            Ok(())
        })
        .await??;
    Ok(state)
}

/// The trained numbers of a checkpoint, in the order of the trained set.
pub(crate) fn trained_numbers(engine: &EngineState, folder: &Path) -> Result<Vec<f32>, TrainError> {
    if engine.policy.adapters.is_some() {
        return Ok(AdapterFiles::open(folder)?.read(&engine.decoder.params)?.1);
    }
    let mut numbers = vec![0.0; engine.decoder.params.len()];
    let put = |offset: usize, values: &[f32]| {
        numbers[offset..offset + values.len()].copy_from_slice(values);
    };
    ModelFiles::open(folder)?.read_params(&engine.decoder.params, put)?;
    Ok(numbers)
}
