//! What the embedded model was made from and what came out, kept beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

const FILE: &str = "recipe.json";

/// The recipe and its figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// What all of it starts from.
    pub(crate) seed: u64,
    /// Conversations of the corpus.
    pub(crate) n_conversations: usize,
    /// Their tokens.
    pub(crate) n_tokens: usize,
    /// Optimiser steps.
    pub(crate) steps: usize,
    /// Most tokens of a step.
    pub(crate) tokens_per_step: usize,
    /// Peak learning rate.
    pub(crate) learning_rate: f64,
    /// Nats per token of conversations that were not learned.
    pub(crate) loss_held_out_all_tokens: f64,
    /// The same over the agent's tokens.
    pub(crate) loss_held_out_agents_tokens: f64,
    /// Kernels that computed it.
    pub(crate) kernel_path: String,
    /// SHA-256 of `model.safetensors`.
    pub(crate) model_sha256: String,
    /// Steps that the check takes.
    pub(crate) checked_steps: usize,
    /// SHA-256 of the weights after them, by kernels.
    pub(crate) checked_sha256: BTreeMap<String, String>,
    /// Time it took.
    pub(crate) minutes: f64,
}

impl Recipe {
    /// Reads the recipe of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Recipe> {
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("failed to read {}", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Writes it.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE);
        let text = format!("{}\n", serde_json::to_string_pretty(self)?);
        fs::write(&path, text).with_context(|| format!("failed to write {}", path.display()))
    }
}
