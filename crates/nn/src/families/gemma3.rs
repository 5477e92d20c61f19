//! Gemma 3, text only (arXiv 2503.19786): five layers with a window to one without, each kind with
//! rotary angles of its own, queries and keys normalised by head.

use super::gemma2::gemma_like;
use super::json::ConfigJson;
use super::registry::layer_windows;
use super::rotary::{from_scaling, rotary};
use crate::NnError;
use crate::decoder::{DecoderConfig, PositionSpec};

/// Table of the layers without a window.
const GLOBAL: usize = 0;
/// Table of the layers with one.
const LOCAL: usize = 1;

/// Reads `config.json`.
pub(super) fn config(json: &ConfigJson<'_>) -> Result<DecoderConfig, NnError> {
    let mut config = gemma_like(json)?;
    config.has_qk_norm = true;
    config.attention_softcap = json.number_if_any("attn_logit_softcapping")?;
    config.logit_softcap = json.number_if_any("final_logit_softcapping")?;
    let window = json.size_if_any("sliding_window")?.or(Some(4096));
    let pattern = match json.size_if_any("sliding_window_pattern")? {
        Some(pattern) => pattern,
        None => json.size_if_any("_sliding_window_pattern")?.unwrap_or(6),
    };
    layer_windows(json, &mut config.layers, window, |i| (i + 1) % pattern != 0)?;
    for layer in &mut config.layers {
        layer.rotary = if layer.window.is_some() { LOCAL } else { GLOBAL };
    }
    let dim = config.head_dim;
    let tables = if json.value("rope_parameters").is_some() {
        let of = |kind| rotary(json, dim, Some(kind));
        vec![of("full_attention")?, of("sliding_attention")?]
    } else {
        let scaling = json.object("rope_scaling")?;
        let global = json.number("rope_theta", 1_000_000.0)?;
        let local = json.number("rope_local_base_freq", 10_000.0)?;
        vec![
            from_scaling(json, scaling.as_ref(), dim, global)?,
            from_scaling(json, None, dim, local)?,
        ]
    };
    config.position = PositionSpec::Rotary(tables);
    Ok(config)
}
