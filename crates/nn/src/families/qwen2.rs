//! Qwen 2 and 2.5 (arXiv 2407.10671): Llama with biases on queries, keys and values.

use super::json::ConfigJson;
use super::registry::{layer_windows, llama_like, one_table};
use super::rotary::rotary;
use crate::NnError;
use crate::decoder::DecoderConfig;

/// Reads `config.json`.
pub(super) fn config(json: &ConfigJson<'_>) -> Result<DecoderConfig, NnError> {
    let mut config = llama_like(json)?;
    config.position = one_table(rotary(json, config.head_dim, None)?);
    config.has_qkv_bias = true;
    windows(json, &mut config)?;
    Ok(config)
}

/// With `use_sliding_window`, layers from `max_window_layers` on have a window.
pub(super) fn windows(json: &ConfigJson<'_>, config: &mut DecoderConfig) -> Result<(), NnError> {
    let window = if json.flag("use_sliding_window", false)? {
        json.size_if_any("sliding_window")?
    } else {
        None
    };
    let full = match json.value("max_window_layers").and_then(|value| value.as_u64()) {
        Some(layers) => layers as usize,
        None => 28,
    };
    layer_windows(json, &mut config.layers, window, |i| i >= full)
}
