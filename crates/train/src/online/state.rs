//! What a run must remember to go on exactly where it stopped.

use std::path::Path;

use serde::{Deserialize, Serialize};
use stateset_algo::Controls;

use super::health_record::HealthRecord;
use crate::{EarlyStoppingState, TrainError};

/// Layout written here.
const SCHEMA_VERSION: u32 = 1;
const FILE: &str = "trainer_state.json";

/// The trainer's state beside weights and moments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrainerState {
    /// Layout of the file.
    pub schema_version: u32,
    /// Steps done.
    pub step: u32,
    /// Optimiser steps behind the weights.
    pub policy_version: u64,
    /// Episodes played.
    pub n_episodes: u64,
    /// Tokens sampled.
    pub n_sampled_tokens: u64,
    /// Those of them whose time is known; what a journal brought back is not.
    pub n_timed_tokens: u64,
    /// Tokens that had a part in a loss.
    pub n_trained_tokens: u64,
    /// Time of the sampling phases.
    pub rollout_secs: f64,
    /// Time of the training phases.
    pub train_secs: f64,
    /// Time of the whole run.
    pub wall_secs: f64,
    /// Best mean reward of an evaluation on the way.
    pub best_reward: Option<f64>,
    /// Updates in a row of which every optimiser step was dropped.
    pub n_failed_updates: usize,
    /// Coefficients that moved since the run began.
    #[serde(default)]
    pub controls: ControlsRecord,
    /// What early stopping has seen.
    pub early_stopping: EarlyStoppingState,
    /// Step of the best evaluation.
    #[serde(default)]
    pub best_step: Option<u32>,
    /// Early stopping has ended the run here, so its best model is the one to keep.
    #[serde(default)]
    pub ended_early: bool,
    /// What watching over the run remembers.
    #[serde(default)]
    pub health: HealthRecord,
    /// What the reward's changing weights rest on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weighing: Option<serde_json::Value>,
    /// A callback or early stopping has ended the run here.
    pub is_stopped: bool,
}

/// [`Controls`] on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ControlsRecord {
    kl_coef: Option<f64>,
    entropy_coef: Option<f64>,
    entropy: Option<f64>,
}

impl From<Controls> for ControlsRecord {
    fn from(controls: Controls) -> Self {
        let Controls { kl_coef, entropy_coef, entropy } = controls;
        ControlsRecord { kl_coef, entropy_coef, entropy }
    }
}

impl From<ControlsRecord> for Controls {
    fn from(record: ControlsRecord) -> Self {
        let ControlsRecord { kl_coef, entropy_coef, entropy } = record;
        Controls { kl_coef, entropy_coef, entropy }
    }
}

impl Default for TrainerState {
    fn default() -> Self {
        TrainerState {
            schema_version: SCHEMA_VERSION,
            step: 0,
            policy_version: 0,
            n_episodes: 0,
            n_sampled_tokens: 0,
            n_timed_tokens: 0,
            n_trained_tokens: 0,
            rollout_secs: 0.0,
            train_secs: 0.0,
            wall_secs: 0.0,
            best_reward: None,
            n_failed_updates: 0,
            controls: ControlsRecord::default(),
            early_stopping: EarlyStoppingState::default(),
            best_step: None,
            ended_early: false,
            health: HealthRecord::default(),
            weighing: None,
            is_stopped: false,
        }
    }
}

impl TrainerState {
    /// Name of the file in a checkpoint, and its text.
    pub(super) fn file(&self) -> (&'static str, String) {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        (FILE, format!("{text}\n"))
    }

    /// The state in a checkpoint.
    pub(super) fn read(folder: &Path) -> Result<TrainerState, TrainError> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|e| TrainError::io("read", &path, e))?;
        let invalid = |message: String| TrainError::Invalid {
            what: "read the trainer's state",
            message: format!("{}: {message}", path.display()),
        };
        let state: TrainerState =
            serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        if state.schema_version > SCHEMA_VERSION {
            let found = state.schema_version;
            return Err(invalid(format!("its schema {found} is newer than this program")));
        }
        Ok(state)
    }
}
