//! The list of families and what is common to most of them.

use serde_json::Value;

use super::json::ConfigJson;
use super::{gemma2, gemma3, gpt2, llama, mistral, phi3, qwen2, qwen3};
use crate::NnError;
use crate::decoder::{DecoderConfig, LayerSpec, Piece, PositionSpec, RotarySpec, Slot};
use crate::kernels::{Activation, NormKind};

/// A model family, by the `model_type` of its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// GPT-2.
    Gpt2,
    /// Llama 1 to 3 and all that say `LlamaForCausalLM`.
    Llama,
    /// Mistral 7B and kin.
    Mistral,
    /// Qwen 2 and 2.5.
    Qwen2,
    /// Qwen 3 (dense).
    Qwen3,
    /// Gemma 2.
    Gemma2,
    /// Gemma 3, text only.
    Gemma3Text,
    /// Phi 3 and kin.
    Phi3,
}

const ALL: [(&str, Family); 8] = [
    ("gpt2", Family::Gpt2),
    ("llama", Family::Llama),
    ("mistral", Family::Mistral),
    ("qwen2", Family::Qwen2),
    ("qwen3", Family::Qwen3),
    ("gemma2", Family::Gemma2),
    ("gemma3_text", Family::Gemma3Text),
    ("phi3", Family::Phi3),
];

/// The `model_type` of every known family.
pub fn known() -> Vec<&'static str> {
    ALL.iter().map(|(name, _)| *name).collect()
}

impl Family {
    /// The family of a configuration, and what it describes.
    ///
    /// # Errors
    /// [`NnError::UnknownFamily`], or [`NnError::ModelConfig`] naming the key.
    pub fn read(config: &Value) -> Result<(Family, DecoderConfig), NnError> {
        let json = ConfigJson::root(config)?;
        let name = json.text("model_type")?.unwrap_or("(absent)");
        let found = ALL.iter().find(|(known, _)| *known == name);
        let Some((_, family)) = found else {
            return Err(NnError::UnknownFamily { found: name.to_owned() });
        };
        let decoder = match family {
            Family::Gpt2 => gpt2::config(&json),
            Family::Llama => llama::config(&json),
            Family::Mistral => mistral::config(&json),
            Family::Qwen2 => qwen2::config(&json),
            Family::Qwen3 => qwen3::config(&json),
            Family::Gemma2 => gemma2::config(&json),
            Family::Gemma3Text => gemma3::config(&json),
            Family::Phi3 => phi3::config(&json),
        }?;
        check(&json, &decoder)?;
        Ok((*family, decoder))
    }

    /// Tensors of the checkpoint that make up one of the decoder's parameters, top rows first.
    pub(crate) fn pieces(self, config: &DecoderConfig, slot: Slot) -> Vec<Piece> {
        match self {
            Family::Gpt2 => gpt2::pieces(slot),
            Family::Phi3 => phi3::pieces(slot),
            Family::Gemma2 | Family::Gemma3Text => gemma2::pieces(config, slot),
            _ => llama::pieces(config, slot),
        }
    }

    /// What checkpoints of the bare model leave away from tensor names.
    pub(crate) fn prefix(self) -> &'static str {
        if self == Family::Gpt2 { "transformer." } else { "model." }
    }
}

/// Sizes that fit together.
fn check(json: &ConfigJson<'_>, config: &DecoderConfig) -> Result<(), NnError> {
    if !config.n_heads.is_multiple_of(config.n_kv_heads) {
        let found =
            format!("{} query heads cannot share {} key heads", config.n_heads, config.n_kv_heads);
        return Err(json.error("num_key_value_heads", found));
    }
    for (key, size, limit) in [
        ("hidden_size", config.hidden_size, 1 << 16),
        ("intermediate_size", config.ffn_size, 1 << 18),
        ("head_dim", config.head_dim, 512),
        ("num_hidden_layers", config.layers.len(), 1024),
        ("vocab_size", config.vocab_size, 1 << 21),
    ] {
        if size > limit {
            return Err(json.error(key, format!("found {size}, allowed are up to {limit}")));
        }
    }
    if config.norm_eps <= 0.0 {
        return Err(json.error("rms_norm_eps", "it must be above 0"));
    }
    Ok(())
}

/// What the families after Llama have in common; each changes what it does otherwise.
pub(super) fn llama_like(json: &ConfigJson<'_>) -> Result<DecoderConfig, NnError> {
    let hidden_size = json.size("hidden_size")?;
    let n_heads = json.size("num_attention_heads")?;
    let head_dim = match json.size_if_any("head_dim")? {
        Some(head_dim) => head_dim,
        None if hidden_size.is_multiple_of(n_heads) => hidden_size / n_heads,
        None => {
            let message = format!("{n_heads} heads do not divide a hidden size of {hidden_size}");
            return Err(json.error("num_attention_heads", message));
        }
    };
    let n_layers = json.size("num_hidden_layers")?;
    Ok(DecoderConfig {
        vocab_size: json.size("vocab_size")?,
        hidden_size,
        ffn_size: json.size("intermediate_size")?,
        n_heads,
        n_kv_heads: json.size_if_any("num_key_value_heads")?.unwrap_or(n_heads),
        head_dim,
        max_positions: json.size_if_any("max_position_embeddings")?.unwrap_or(2048),
        layers: vec![LayerSpec { window: None, rotary: 0 }; n_layers],
        norm: NormKind::Rms,
        norm_eps: json.number("rms_norm_eps", 1e-6)?,
        position: PositionSpec::Rotary(Vec::new()),
        attention_scale: 1.0 / (head_dim as f64).sqrt(),
        attention_softcap: None,
        has_qkv_bias: false,
        has_out_bias: false,
        has_qk_norm: false,
        has_post_norms: false,
        activation: activation(json, "hidden_act", "silu")?,
        is_gated: true,
        has_ffn_bias: false,
        embed_scale: 1.0,
        ties_embeddings: json.flag("tie_word_embeddings", false)?,
        logit_softcap: None,
    })
}

/// One rotary table for all layers.
pub(super) fn one_table(spec: RotarySpec) -> PositionSpec {
    PositionSpec::Rotary(vec![spec])
}

/// The activation named by `key`.
pub(super) fn activation(
    json: &ConfigJson<'_>,
    key: &str,
    default: &str,
) -> Result<Activation, NnError> {
    match json.text(key)?.unwrap_or(default) {
        "silu" | "swish" => Ok(Activation::Silu),
        "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
        other => {
            let known = "silu, gelu_new, gelu_pytorch_tanh";
            Err(json.error(key, format!("found {other:?}, known are {known}")))
        }
    }
}

/// Windows by `layer_types`, or by `default` where the key is absent.
pub(super) fn layer_windows(
    json: &ConfigJson<'_>,
    layers: &mut [LayerSpec],
    window: Option<usize>,
    default: impl Fn(usize) -> bool,
) -> Result<(), NnError> {
    let types = json.texts("layer_types")?;
    if let Some(types) = &types
        && types.len() != layers.len()
    {
        let message = format!("it has {} entries for {} layers", types.len(), layers.len());
        return Err(json.error("layer_types", message));
    }
    for (i, layer) in layers.iter_mut().enumerate() {
        let slides = match &types {
            Some(types) => match types[i] {
                "sliding_attention" => true,
                "full_attention" => false,
                other => {
                    let known = "full_attention, sliding_attention";
                    let message = format!("found {other:?}, known are {known}");
                    return Err(json.error("layer_types", message));
                }
            },
            None => default(i),
        };
        layer.window = if slides { window } else { None };
    }
    Ok(())
}
