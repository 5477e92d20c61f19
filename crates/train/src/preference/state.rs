//! What a run must remember to go on exactly where it stopped.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::events::EvaluationRecord;
use crate::{EarlyStoppingState, TrainError};

/// Layout written here.
const SCHEMA_VERSION: u32 = 1;
const FILE: &str = "trainer_state.json";

/// The trainer's state beside weights and moments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PreferenceState {
    /// Layout of the file.
    pub schema_version: u32,
    /// Names settings and data.
    pub fingerprint: String,
    /// Steps done.
    pub step: u32,
    /// Optimiser steps behind the weights.
    pub policy_version: u64,
    /// Examples learned from, counted once for each time.
    pub n_examples: u64,
    /// Tokens read in training.
    pub n_trained_tokens: u64,
    /// Time of the training phases.
    pub train_secs: f64,
    /// Time of the whole run.
    pub wall_secs: f64,
    /// Best accuracy of an evaluation.
    pub best_accuracy: Option<f64>,
    /// Steps in a row that changed nothing.
    pub n_failed_steps: usize,
    /// A callback has ended the run here.
    pub is_stopped: bool,
    /// How far early stopping has got.
    #[serde(default)]
    pub early_stopping: EarlyStoppingState,
    /// The evaluation before the first step.
    pub before: Option<EvaluationRecord>,
}

impl PreferenceState {
    /// Of a run that begins.
    pub(super) fn new(fingerprint: String) -> PreferenceState {
        PreferenceState {
            schema_version: SCHEMA_VERSION,
            fingerprint,
            step: 0,
            policy_version: 0,
            n_examples: 0,
            n_trained_tokens: 0,
            train_secs: 0.0,
            wall_secs: 0.0,
            best_accuracy: None,
            n_failed_steps: 0,
            is_stopped: false,
            early_stopping: EarlyStoppingState::default(),
            before: None,
        }
    }

    /// Name of the file in a checkpoint, and its text.
    pub(super) fn file(&self) -> (&'static str, String) {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        (FILE, format!("{text}\n"))
    }

    /// The state in a checkpoint.
    pub(super) fn read(folder: &Path) -> Result<PreferenceState, TrainError> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|e| TrainError::io("read", &path, e))?;
        let invalid = |message: String| TrainError::Invalid {
            what: "read the trainer's state",
            message: format!("{}: {message}", path.display()),
        };
        let state: PreferenceState =
            serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        if state.schema_version > SCHEMA_VERSION {
            let found = state.schema_version;
            return Err(invalid(format!("its schema {found} is newer than this program")));
        }
        Ok(state)
    }
}
