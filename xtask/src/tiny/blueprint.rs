//! Shape and starting weights of the embedded model.

use anyhow::Result;
use serde_json::{Value, json};
use stateset_core::{Purpose, RunSeed, StreamKey};
use stateset_nn::{DecoderConfig, Family, LayerSlot, ParamLayout, Slot};

use super::vocabulary::VOCAB_SIZE;

/// Tokens a conversation may have.
pub(crate) const MAX_POSITIONS: usize = 1024;

/// `config.json`: a small Llama with tied embeddings.
pub(crate) fn config() -> Value {
    json!({
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": VOCAB_SIZE,
        "hidden_size": 192,
        "intermediate_size": 512,
        "num_hidden_layers": 4,
        "num_attention_heads": 6,
        "num_key_value_heads": 3,
        "head_dim": 32,
        "hidden_act": "silu",
        "max_position_embeddings": MAX_POSITIONS,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": true,
        "attention_bias": false,
        "mlp_bias": false,
        "bos_token_id": null,
        "eos_token_id": 0,
        "pad_token_id": 0,
    })
}

/// What the configuration describes.
pub(crate) fn decoder() -> Result<(Family, DecoderConfig)> {
    Ok(Family::read(&config())?)
}

/// Starting weights: norms 1, maps normal with deviation 0.02 and, where they write to the residual
/// stream, divided by the root of twice the number of layers (as GPT-2 does).
pub(crate) fn initial_weights(
    config: &DecoderConfig,
    params: &ParamLayout,
    seed: RunSeed,
) -> Vec<f32> {
    let mut weights = vec![0.0; params.len()];
    let residual = 1.0 / (2.0 * config.layers.len() as f64).sqrt();
    for (i, param) in params.params().iter().enumerate() {
        let place = &mut weights[param.offset..param.offset + param.len()];
        if !param.is_matrix {
            place.fill(1.0);
            continue;
        }
        let writes = matches!(param.slot, Slot::Layer(_, LayerSlot::Out | LayerSlot::Down));
        let deviation = 0.02 * if writes { residual } else { 1.0 };
        let key = StreamKey { scenario: i as u32, ..StreamKey::default() };
        let mut stream = seed.stream(Purpose::Weights, key);
        place.iter_mut().for_each(|x| *x = (deviation * stream.normal()) as f32);
    }
    weights
}
