//! Gemma 2 (arXiv 2408.00118): norms before and after each block, soft caps, every second layer with
//! a window, embeddings scaled by the root of their width.

use super::json::ConfigJson;
use super::registry::{activation, layer_windows, llama_like, one_table};
use super::{llama, rotary};
use crate::NnError;
use crate::decoder::{DecoderConfig, LayerSlot, Piece, Slot};
use crate::kernels::NormKind;

/// Reads `config.json`.
pub(super) fn config(json: &ConfigJson<'_>) -> Result<DecoderConfig, NnError> {
    let mut config = gemma_like(json)?;
    config.position = one_table(rotary::rotary(json, config.head_dim, None)?);
    config.attention_softcap = Some(json.number("attn_logit_softcapping", 50.0)?);
    config.logit_softcap = Some(json.number("final_logit_softcapping", 30.0)?);
    let window = json.size_if_any("sliding_window")?.or(Some(4096));
    layer_windows(json, &mut config.layers, window, |i| i % 2 == 0)?;
    Ok(config)
}

/// What Gemma 2 and 3 share.
pub(super) fn gemma_like(json: &ConfigJson<'_>) -> Result<DecoderConfig, NnError> {
    let mut config = llama_like(json)?;
    if json.size_if_any("head_dim")?.is_none() {
        config.head_dim = 256;
    }
    let key =
        if json.value("hidden_activation").is_some() { "hidden_activation" } else { "hidden_act" };
    config.activation = activation(json, key, "gelu_pytorch_tanh")?;
    config.norm = NormKind::RmsPlusOne;
    config.has_post_norms = true;
    config.has_qkv_bias = json.flag("attention_bias", false)?;
    config.has_out_bias = config.has_qkv_bias;
    config.attention_scale = 1.0 / json.number("query_pre_attn_scalar", 256.0)?.sqrt();
    config.embed_scale = f64::from((config.hidden_size as f32).sqrt());
    config.ties_embeddings = json.flag("tie_word_embeddings", true)?;
    Ok(config)
}

/// Tensor names; the norms around the blocks have names of their own.
pub(super) fn pieces(config: &DecoderConfig, slot: Slot) -> Vec<Piece> {
    let Slot::Layer(index, inner) = slot else { return llama::pieces(config, slot) };
    let name = match inner {
        LayerSlot::PostAttentionNorm => "post_attention_layernorm",
        LayerSlot::FfnNorm => "pre_feedforward_layernorm",
        LayerSlot::PostFfnNorm => "post_feedforward_layernorm",
        _ => return llama::pieces(config, slot),
    };
    vec![Piece::whole(format!("model.layers.{index}.{name}.weight"))]
}
