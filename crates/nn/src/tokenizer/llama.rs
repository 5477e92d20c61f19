//! The Llama pipeline: BPE over text whose spaces are `▁`, with bytes for what the vocabulary
//! lacks.
//!
//! Source: `LlamaTokenizer` of transformers 5.23, which keeps the vocabulary and merges of a
//! `tokenizer.json` but builds normaliser, pre-tokenizer and decoder anew. The choice a reader
//! would question: we do the same for the same folders, because a file written before transformers
//! 5 puts a `▁` after every special token, and ids must be those that today's `AutoTokenizer`
//! gives.

use serde_json::{Value, json};

use super::config::TokenizerConfig;

/// True where `AutoTokenizer` would build the Llama pipeline over this `tokenizer.json`: the class
/// is Llama's, the file is not byte-level, and the model is a Llama (other model types are loaded
/// as they are, among them mistral and phi3).
pub(super) fn rebuilds(config: &TokenizerConfig, tokenizer_json: &Value) -> bool {
    config.class.as_deref() == Some("LlamaTokenizer")
        && matches!(config.model_type.as_deref(), None | Some("llama"))
        && tokenizer_json["model"]["type"] == "BPE"
        && !mentions_byte_level(tokenizer_json)
}

/// Replaces everything but vocabulary, merges, added tokens and post-processor.
pub(super) fn rebuild(config: &TokenizerConfig, tokenizer_json: &mut Value) {
    let model = &mut tokenizer_json["model"];
    model["unk_token"] = Value::Null;
    model["fuse_unk"] = json!(true);
    model["byte_fallback"] = json!(true);
    model["continuing_subword_prefix"] = Value::Null;
    model["end_of_word_suffix"] = Value::Null;
    model["ignore_merges"] = json!(false);
    let has_prefix = config.add_prefix_space.unwrap_or(true);
    tokenizer_json["normalizer"] = Value::Null;
    tokenizer_json["pre_tokenizer"] = metaspace(scheme(has_prefix, config.legacy), false);
    tokenizer_json["decoder"] = decoder(has_prefix);
}

/// When a text gets a leading `▁`: `legacy` tokenizers put one before every stretch of text, later
/// ones before the first only.
pub(super) fn scheme(has_prefix: bool, legacy: bool) -> &'static str {
    match (has_prefix, legacy) {
        (false, _) => "never",
        (true, true) => "always",
        (true, false) => "first",
    }
}

/// The pre-tokenizer that turns spaces into `▁`.
pub(super) fn metaspace(scheme: &str, split: bool) -> Value {
    json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split})
}

/// Turns `▁` into spaces and byte tokens into text, and drops the leading space that encoding
/// added.
pub(super) fn decoder(has_prefix: bool) -> Value {
    let mut steps = vec![
        json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if has_prefix {
        steps.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    json!({"type": "Sequence", "decoders": steps})
}

fn mentions_byte_level(value: &Value) -> bool {
    ["normalizer", "pre_tokenizer", "decoder", "post_processor"]
        .iter()
        .any(|part| value[*part].to_string().contains("\"ByteLevel\""))
}
