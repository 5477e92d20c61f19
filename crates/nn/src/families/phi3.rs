//! Phi 3 and kin (arXiv 2404.14219): Llama with fused maps and, in long versions, longrope.

use super::json::ConfigJson;
use super::llama::outer_pieces;
use super::registry::{llama_like, one_table};
use super::rotary::rotary;
use crate::NnError;
use crate::decoder::{DecoderConfig, LayerSlot, Piece, Slot};

/// Reads `config.json`.
pub(super) fn config(json: &ConfigJson<'_>) -> Result<DecoderConfig, NnError> {
    let mut config = llama_like(json)?;
    config.norm_eps = json.number("rms_norm_eps", 1e-5)?;
    config.position = one_table(rotary(json, config.head_dim, None)?);
    let window = json.size_if_any("sliding_window")?;
    config.layers.iter_mut().for_each(|layer| layer.window = window);
    Ok(config)
}

/// Tensor names.
pub(super) fn pieces(slot: Slot) -> Vec<Piece> {
    let Slot::Layer(index, slot) = slot else { return outer_pieces(slot) };
    let name = match slot {
        LayerSlot::AttentionNorm => "input_layernorm.weight",
        LayerSlot::Qkv => "self_attn.qkv_proj.weight",
        LayerSlot::Out => "self_attn.o_proj.weight",
        LayerSlot::FfnNorm => "post_attention_layernorm.weight",
        LayerSlot::Up => "mlp.gate_up_proj.weight",
        LayerSlot::Down => "mlp.down_proj.weight",
        other => unreachable!("Phi 3 has no {other:?}"),
    };
    vec![Piece::whole(format!("model.layers.{index}.{name}"))]
}
