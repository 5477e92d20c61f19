//! Mistral 7B and kin (arXiv 2310.06825): Llama with a sliding window.

use super::json::ConfigJson;
use super::registry::{llama_like, one_table};
use super::rotary::rotary;
use crate::NnError;
use crate::decoder::DecoderConfig;

/// Reads `config.json`.
pub(super) fn config(json: &ConfigJson<'_>) -> Result<DecoderConfig, NnError> {
    let mut config = llama_like(json)?;
    config.position = one_table(rotary(json, config.head_dim, None)?);
    let window = json.size_if_any("sliding_window")?;
    config.layers.iter_mut().for_each(|layer| layer.window = window);
    Ok(config)
}
