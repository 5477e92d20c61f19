//! Qwen 3, dense (arXiv 2505.09388): queries and keys normalised by head, no biases.

use super::json::ConfigJson;
use super::registry::{llama_like, one_table};
use super::rotary::rotary;
use crate::NnError;
use crate::decoder::DecoderConfig;

/// Reads `config.json`.
pub(super) fn config(json: &ConfigJson<'_>) -> Result<DecoderConfig, NnError> {
    let mut config = llama_like(json)?;
    if json.size_if_any("head_dim")?.is_none() {
        config.head_dim = 128;
        config.attention_scale = 1.0 / 128f64.sqrt();
    }
    config.position = one_table(rotary(json, config.head_dim, None)?);
    config.has_qkv_bias = json.flag("attention_bias", false)?;
    config.has_out_bias = config.has_qkv_bias;
    config.has_qk_norm = true;
    super::qwen2::windows(json, &mut config)?;
    Ok(config)
}
