//! Llama 1 to 3 (arXiv 2302.13971, 2407.21783), and the tensor names that most families share.

use super::json::ConfigJson;
use super::registry::{llama_like, one_table};
use super::rotary::rotary;
use crate::NnError;
use crate::decoder::{DecoderConfig, LayerSlot, Piece, Slot};

/// Reads `config.json`.
pub(super) fn config(json: &ConfigJson<'_>) -> Result<DecoderConfig, NnError> {
    let mut config = llama_like(json)?;
    config.position = one_table(rotary(json, config.head_dim, None)?);
    config.has_qkv_bias = json.flag("attention_bias", false)?;
    config.has_out_bias = config.has_qkv_bias;
    config.has_ffn_bias = json.flag("mlp_bias", false)?;
    Ok(config)
}

/// Tensor names.
pub(super) fn pieces(config: &DecoderConfig, slot: Slot) -> Vec<Piece> {
    let Slot::Layer(index, slot) = slot else { return outer_pieces(slot) };
    let (queries, keys) = (config.attention_size(), config.n_kv_heads * config.head_dim);
    let one = |name: &str| vec![Piece::whole(format!("model.layers.{index}.{name}"))];
    let some = |names: &[(&str, usize)], kind: &str| -> Vec<Piece> {
        let piece = |(name, rows): &(&str, usize)| {
            Piece::rows(format!("model.layers.{index}.{name}.{kind}"), *rows)
        };
        names.iter().map(piece).collect()
    };
    let qkv =
        [("self_attn.q_proj", queries), ("self_attn.k_proj", keys), ("self_attn.v_proj", keys)];
    let up = [("mlp.gate_proj", config.ffn_size), ("mlp.up_proj", config.ffn_size)];
    match slot {
        LayerSlot::AttentionNorm => one("input_layernorm.weight"),
        LayerSlot::AttentionNormBias => one("input_layernorm.bias"),
        LayerSlot::Qkv => some(&qkv, "weight"),
        LayerSlot::QkvBias => some(&qkv, "bias"),
        LayerSlot::QueryNorm => one("self_attn.q_norm.weight"),
        LayerSlot::KeyNorm => one("self_attn.k_norm.weight"),
        LayerSlot::Out => one("self_attn.o_proj.weight"),
        LayerSlot::OutBias => one("self_attn.o_proj.bias"),
        LayerSlot::PostAttentionNorm => one("post_self_attn_layernorm.weight"),
        LayerSlot::FfnNorm => one("post_attention_layernorm.weight"),
        LayerSlot::FfnNormBias => one("post_attention_layernorm.bias"),
        LayerSlot::Up => some(&up, "weight"),
        LayerSlot::UpBias => some(&up, "bias"),
        LayerSlot::Down => one("mlp.down_proj.weight"),
        LayerSlot::DownBias => one("mlp.down_proj.bias"),
        LayerSlot::PostFfnNorm => one("post_mlp_layernorm.weight"),
    }
}

/// Names outside the layers, the same in all families but GPT-2.
pub(super) fn outer_pieces(slot: Slot) -> Vec<Piece> {
    let name = match slot {
        Slot::Embedding => "model.embed_tokens.weight",
        Slot::Positions => "model.embed_positions.weight",
        Slot::FinalNorm => "model.norm.weight",
        Slot::FinalNormBias => "model.norm.bias",
        Slot::Head => "lm_head.weight",
        Slot::Layer(..) => unreachable!("layers are named by their family"),
    };
    vec![Piece::whole(name.to_owned())]
}
