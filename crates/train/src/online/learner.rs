//! The engine with what improves, saves and restores its policy.

use std::path::Path;
use std::sync::Arc;

use stateset_algo::{Algorithm, Controls};
use stateset_core::{PolicyVersion, RunSeed};

use super::checkpoint::{self, CheckpointWriter};
use super::state::TrainerState;
use crate::engine::Engine;
use crate::store::{Checkpoint, CheckpointStore, Manifest, open_checkpoint};
use crate::update::{Batch, UpdateLimits, UpdatePlace, UpdateReport, UpdateSettings, update};
use crate::{RunError, TrainError};

/// Improves the policy that an engine serves.
pub(super) struct PolicyLearner {
    pub(super) engine: Engine,
    pub(super) algorithm: Arc<dyn Algorithm>,
    pub(super) settings: UpdateSettings,
    /// What is too bad to learn from.
    pub(super) limits: UpdateLimits,
    pub(super) writer: CheckpointWriter,
    pub(super) store: CheckpointStore,
    pub(super) seed: RunSeed,
}

/// A checkpoint that has been saved, and the hash of its weights.
pub(super) struct Saved {
    pub(super) checkpoint: Checkpoint,
    pub(super) sha256: String,
}

impl PolicyLearner {
    /// Improves the policy with the rollouts of `step`. Where others are being sampled meanwhile, the
    /// update begins once they all wait for their worlds and judges.
    pub(super) async fn improve(
        &self,
        batch: Batch,
        step: u32,
        controls: Controls,
    ) -> Result<UpdateReport, TrainError> {
        let (algorithm, settings) = (self.algorithm.clone(), self.settings.clone());
        let place = UpdatePlace { seed: self.seed, step, controls, limits: self.limits };
        let job =
            move |engine: &mut _| update(engine, algorithm.as_ref(), &batch, &settings, place);
        self.engine.run_when_idle(job).await?
    }

    /// Lets the engine sample from the weights after `step` steps; gives their version.
    pub(super) async fn sample_from(&self, step: u32) -> Result<PolicyVersion, TrainError> {
        self.engine.run(move |engine| engine.sample_from(step)).await?
    }

    /// Lets the engine sample from the newest weights.
    pub(super) async fn sample_newest(&self) -> Result<(), TrainError> {
        self.engine.run(|engine| engine.sample_newest()).await
    }

    /// Lets the engine keep the weights as those after `step` steps, where it keeps older ones.
    pub(super) async fn remember(&self, step: u32) -> Result<(), TrainError> {
        self.engine.run(move |engine| engine.remember(step)).await
    }

    /// Saves weights and state as the checkpoint of the state's step.
    pub(super) async fn save(
        self,
        state: TrainerState,
        is_best: bool,
    ) -> Result<(PolicyLearner, Saved), TrainError> {
        let work = move || self.save_blocking(&state, is_best);
        tokio::task::spawn_blocking(work).await.map_err(|error| TrainError::Invalid {
            what: "save a checkpoint",
            message: error.to_string(),
        })?
    }

    fn save_blocking(
        mut self,
        state: &TrainerState,
        is_best: bool,
    ) -> Result<(PolicyLearner, Saved), TrainError> {
        let mut sha256 = String::new();
        let (writer, engine) = (&self.writer, &self.engine);
        let write = |folder: &Path| -> Result<(), TrainError> {
            sha256 = writer.write_all(engine, folder, state)?;
            Ok(())
        };
        let checkpoint = self.store.save(state.step, is_best, write)?;
        Ok((self, Saved { checkpoint, sha256 }))
    }

    /// Goes back to the newest whole checkpoint; `None` where there is none. The second part are
    /// sentences about checkpoints that were found damaged.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub(super) async fn resume(
        &self,
    ) -> Result<(Option<(Saved, TrainerState)>, Vec<String>), TrainError> {
        let newest = self.store.open_newest()?;
        let warn = |damaged: &crate::DamagedCheckpoint| {
            format!("passed over {}: {}", damaged.name, damaged.reason)
        };
        let warnings = newest.damaged.iter().map(warn).collect();
        let Some(found) = newest.checkpoint else { return Ok((None, warnings)) };
        Ok((Some(self.restore(found).await?), warnings))
    }

    /// Goes back to the checkpoint in `folder`.
    ///
    /// # Errors
    /// Where it is not as it was written.
    pub(super) async fn open(&self, folder: &Path) -> Result<(Saved, TrainerState), TrainError> {
        self.restore(open_checkpoint(folder)?).await
    }

    /// Goes back to the weights of the best checkpoint, which is that of `step`; `None` where it is not
    /// whole, or another one.
    ///
    /// # Errors
    /// Where it is whole and cannot be read.
    pub(super) async fn open_best(
        &self,
        folder: &Path,
        step: u32,
    ) -> Result<Option<Saved>, TrainError> {
        match open_checkpoint(folder) {
            Ok(found) if found.step == step => Ok(Some(self.restore(found).await?.0)),
            _ => Ok(None),
        }
    }

    async fn restore(&self, found: Checkpoint) -> Result<(Saved, TrainerState), TrainError> {
        let state = checkpoint::restore(&self.engine, &found.path).await?;
        let sha256 = weights_sha256(&found.path)?;
        Ok((Saved { checkpoint: found, sha256 }, state))
    }

    /// Makes `checkpoint` the final model of the run.
    pub(super) fn finish(&mut self, checkpoint: &Checkpoint) -> Result<(), RunError> {
        self.store.save_final(checkpoint)
    }
}

/// Hash of the weights in a whole checkpoint, from its manifest.
fn weights_sha256(folder: &Path) -> Result<String, TrainError> {
    let damaged = |reason: String| RunError::Damaged { path: folder.to_owned(), reason };
    let manifest = Manifest::read(folder).map_err(damaged)?;
    let weights = ["model.safetensors", "adapter_model.safetensors"];
    let found = manifest.files.iter().find(|file| weights.contains(&file.name.as_str()));
    let found = found.ok_or_else(|| damaged("its manifest names no weights".to_owned()))?;
    Ok(found.sha256.clone())
}
