//! GPT-2 (Radford et al. 2019): layer norms, learned positions, biases everywhere, maps stored with
//! one row for each *input*.

use super::json::ConfigJson;
use super::registry::activation;
use crate::NnError;
use crate::decoder::{DecoderConfig, LayerSlot, LayerSpec, Piece, PositionSpec, Slot};
use crate::kernels::NormKind;

/// Reads `config.json`.
pub(super) fn config(json: &ConfigJson<'_>) -> Result<DecoderConfig, NnError> {
    let hidden_size = json.size("n_embd")?;
    let n_heads = json.size("n_head")?;
    if !hidden_size.is_multiple_of(n_heads) {
        let message = format!("{n_heads} heads do not divide a hidden size of {hidden_size}");
        return Err(json.error("n_head", message));
    }
    for key in ["scale_attn_by_inverse_layer_idx", "add_cross_attention"] {
        if json.flag(key, false)? {
            return Err(json.error(key, "found true, allowed is false"));
        }
    }
    let head_dim = hidden_size / n_heads;
    let scale = if json.flag("scale_attn_weights", true)? { (head_dim as f64).sqrt() } else { 1.0 };
    let max_positions = match json.size_if_any("n_positions")? {
        Some(positions) => positions,
        None => json.size("n_ctx")?,
    };
    Ok(DecoderConfig {
        vocab_size: json.size("vocab_size")?,
        hidden_size,
        ffn_size: json.size_if_any("n_inner")?.unwrap_or(4 * hidden_size),
        n_heads,
        n_kv_heads: n_heads,
        head_dim,
        max_positions,
        layers: vec![LayerSpec { window: None, rotary: 0 }; json.size("n_layer")?],
        norm: NormKind::Layer,
        norm_eps: json.number("layer_norm_epsilon", 1e-5)?,
        position: PositionSpec::Learned,
        attention_scale: 1.0 / scale,
        attention_softcap: None,
        has_qkv_bias: true,
        has_out_bias: true,
        has_qk_norm: false,
        has_post_norms: false,
        activation: activation(json, "activation_function", "gelu_new")?,
        is_gated: false,
        has_ffn_bias: true,
        embed_scale: 1.0,
        ties_embeddings: json.flag("tie_word_embeddings", true)?,
        logit_softcap: None,
    })
}

/// Tensor names.
pub(super) fn pieces(slot: Slot) -> Vec<Piece> {
    let outer = |name: &str| vec![Piece::whole(format!("transformer.{name}"))];
    let Slot::Layer(index, slot) = slot else {
        return match slot {
            Slot::Embedding => outer("wte.weight"),
            Slot::Positions => outer("wpe.weight"),
            Slot::FinalNorm => outer("ln_f.weight"),
            Slot::FinalNormBias => outer("ln_f.bias"),
            Slot::Head => vec![Piece::whole("lm_head.weight".to_owned())],
            Slot::Layer(..) => unreachable!("handled above"),
        };
    };
    let one = |name: &str| vec![Piece::whole(format!("transformer.h.{index}.{name}"))];
    let turned = |name: &str| vec![Piece::turned(format!("transformer.h.{index}.{name}"))];
    match slot {
        LayerSlot::AttentionNorm => one("ln_1.weight"),
        LayerSlot::AttentionNormBias => one("ln_1.bias"),
        LayerSlot::Qkv => turned("attn.c_attn.weight"),
        LayerSlot::QkvBias => one("attn.c_attn.bias"),
        LayerSlot::Out => turned("attn.c_proj.weight"),
        LayerSlot::OutBias => one("attn.c_proj.bias"),
        LayerSlot::FfnNorm => one("ln_2.weight"),
        LayerSlot::FfnNormBias => one("ln_2.bias"),
        LayerSlot::Up => turned("mlp.c_fc.weight"),
        LayerSlot::UpBias => one("mlp.c_fc.bias"),
        LayerSlot::Down => turned("mlp.c_proj.weight"),
        LayerSlot::DownBias => one("mlp.c_proj.bias"),
        other => unreachable!("GPT-2 has no {other:?}"),
    }
}
