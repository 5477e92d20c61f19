//! What a checkpoint folder holds: a model in Hugging Face's layout, the agent's configuration, and
//! the trainer's state.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stateset_core::PolicyVersion;
use stateset_nn::{
    AdapterFiles, Disk, ModelFiles, StoreType, Stretch, TextFiles, WeightSet, load_optimiser,
    load_snapshot, restore_critic, restore_value_head, save_adapter, save_critic, save_model,
    save_optimiser, save_snapshot, save_value_head_of, write_file,
};

use super::state::TrainerState;
use crate::TrainError;
use crate::engine::{Engine, EngineState, Snapshot};
use crate::model::{AgentConfig, ModelSource};

/// Moments of the optimiser in a checkpoint.
pub(crate) const OPTIMISER: &str = "optimizer.safetensors";
/// Folder of a critic with weights of its own.
const CRITIC: &str = "critic";
/// Folder of a reference policy that moves.
const REFERENCE: &str = "reference";

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
        let (writer, place) = (self.clone(), folder.to_owned());
        engine.run_blocking(move |state| writer.write_companions(state, &place))??;
        self.write_older(engine, folder)?;
        let (name, text) = state.file();
        self.write(folder.join(name), text.as_bytes())?;
        Ok(hash)
    }

    /// Writes the weights of earlier steps that the next steps are still to be sampled from.
    fn write_older(&self, engine: &Engine, folder: &Path) -> Result<(), TrainError> {
        let older = engine.run_blocking(|state| state.older())?;
        for (age, snapshot) in older.iter().rev().enumerate() {
            let (path, version) = (folder.join(stale_name(age + 1)), snapshot.version.0);
            save_snapshot(self.disk.as_ref(), &path, version, &snapshot.numbers)?;
        }
        Ok(())
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

    /// What learns or moves beside the policy: value head, critic, reference.
    fn write_companions(&self, state: &mut EngineState, folder: &Path) -> Result<(), TrainError> {
        let disk = self.disk.as_ref();
        let within = |name: &str| -> Result<PathBuf, TrainError> {
            let place = folder.join(name);
            fs::create_dir_all(&place).map_err(|e| TrainError::io("create", &place, e))?;
            Ok(place)
        };
        if let Some(learner) = &state.learner {
            save_value_head_of(disk, folder, state.device.as_mut(), learner)?;
        }
        if let Some(critic) = &state.critic {
            let (place, config, base) = (within(CRITIC)?, &self.config, &self.base_model);
            let (device, decoder) = (state.device.as_mut(), &state.decoder);
            save_critic(disk, &place, config, base, device, decoder, critic)?;
        }
        if let Some(reference) = state.reference.filter(|_| state.reference_moves) {
            self.write_set(state, reference, &within(REFERENCE)?)?;
        }
        Ok(())
    }

    fn write_weights(&self, state: &mut EngineState, folder: &Path) -> Result<String, TrainError> {
        self.write_set(state, state.policy, folder)
    }

    /// A weight set in Hugging Face's layout; returns the SHA-256 of its file.
    fn write_set(
        &self,
        state: &mut EngineState,
        set: WeightSet,
        folder: &Path,
    ) -> Result<String, TrainError> {
        let disk = self.disk.as_ref();
        let hash = match (set.adapters, &state.decoder.adapters) {
            (Some(set), Some(layout)) => {
                let mut numbers = vec![0.0; layout.len()];
                state.device.read(Stretch::of(set, layout.len()), &mut numbers);
                save_adapter(disk, folder, &self.base_model, layout, &numbers)?
            }
            _ => {
                let base = set.base;
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

/// File of the weights of so many steps ago.
fn stale_name(age: usize) -> String {
    format!("stale-{age}.safetensors")
}

/// Reads the weights of up to `staleness` steps before `step`, oldest first.
fn read_older(folder: &Path, step: u32, staleness: usize) -> Result<Vec<Snapshot>, TrainError> {
    let n = staleness.min(step as usize);
    let read = |age: usize| -> Result<Snapshot, TrainError> {
        let (version, numbers) = load_snapshot(&folder.join(stale_name(age)))?;
        let version = PolicyVersion(version);
        Ok(Snapshot { step: step - age as u32, version, numbers: Arc::new(numbers) })
    };
    (1..=n).rev().map(read).collect()
}

/// Puts weights, moments and counters of a checkpoint back into an engine that holds the model the run
/// began with.
///
/// # Errors
/// [`TrainError`] where a file is damaged or belongs to another model.
pub(super) async fn restore(engine: &Engine, folder: &Path) -> Result<TrainerState, TrainError> {
    let state = TrainerState::read(folder)?;
    let moments = load_optimiser(&folder.join(OPTIMISER))?;
    let (version, step) = (PolicyVersion(state.policy_version), state.step);
    let place = folder.to_owned();
    engine
        .run(move |engine| -> Result<(), TrainError> {
            let trained = trained_numbers(engine, &place)?;
            if let Some(learner) = &mut engine.learner {
                learner.restore(engine.device.as_mut(), &trained, &moments)?;
            }
            restore_companions(engine, &place)?;
            engine.weights_changed(version);
            engine.restore_stale(read_older(&place, step, engine.staleness())?, step);
            Ok(())
        })
        .await??;
    Ok(state)
}

fn restore_companions(engine: &mut EngineState, folder: &Path) -> Result<(), TrainError> {
    let hidden_size = engine.decoder.config.hidden_size;
    if let Some(learner) = engine.learner.as_mut().filter(|l| l.value_head().is_some()) {
        restore_value_head(folder, engine.device.as_mut(), learner, hidden_size)?;
    }
    if let Some(critic) = &mut engine.critic {
        let (device, decoder) = (engine.device.as_mut(), &engine.decoder);
        restore_critic(&folder.join(CRITIC), device, decoder, critic)?;
    }
    if let Some(reference) = engine.reference.filter(|_| engine.reference_moves) {
        let numbers = trained_numbers(engine, &folder.join(REFERENCE))?;
        reference.write(engine.device.as_mut(), &engine.decoder, &numbers)?;
    }
    Ok(())
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
