//! Builds the working tokenizer out of whichever files a model has.
//!
//! Every source becomes a `tokenizer.json` value first, then the `tokenizers` crate reads that one
//! format, then the tokens of the configuration are added. The choice a reader would question:
//! loading runs behind a panic guard, because the crate asserts on some damaged files.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use tokenizers::AddedToken;

use super::config::TokenizerConfig;
use super::files::TextFiles;
use super::{byte_level, charsmap, llama, sentence_piece};
use crate::text_error::TextError;

const LOOKED_FOR: &str =
    "tokenizer.json, vocab.json + merges.txt, encoder.json + vocab.bpe, tokenizer.model";

/// The tokenizer, and which file it came from.
pub(super) fn assemble(
    files: &TextFiles,
    config: &mut TokenizerConfig,
) -> Result<tokenizers::Tokenizer, TextError> {
    let (source, mut value) = value_of(files, config)?;
    let label = files.label(source);
    value["truncation"] = Value::Null;
    value["padding"] = Value::Null;
    if value["model"].is_object() {
        value["model"]["dropout"] = Value::Null;
    }
    check_charsmaps(&value, &label)?;
    let mut inner = parse(value, &label)?;
    add_tokens(&mut inner, files, config)?;
    if source != "tokenizer.json" {
        let processor = post_processor(&inner, config);
        let processor: tokenizers::PostProcessorWrapper = from_value(processor, &label)?;
        inner.with_post_processor(Some(processor));
    }
    Ok(inner)
}

fn value_of(
    files: &TextFiles,
    config: &mut TokenizerConfig,
) -> Result<(&'static str, Value), TextError> {
    if let Some(map) = files.object("tokenizer.json")? {
        let mut value = Value::Object(map);
        if llama::rebuilds(config, &value) {
            llama::rebuild(config, &mut value);
        }
        return Ok(("tokenizer.json", value));
    }
    if let Some(value) = byte_level::from_vocab_and_merges(files, config)? {
        return Ok(("vocab and merges", value));
    }
    match sentence_piece::from_model(files, config)? {
        Some(value) => Ok(("tokenizer.model", value)),
        None => Err(TextError::NoTokenizer {
            origin: files.origin().to_string(),
            looked_for: LOOKED_FOR,
        }),
    }
}

fn parse(value: Value, label: &str) -> Result<tokenizers::Tokenizer, TextError> {
    // The value is dropped with the unwound closure, so nothing half-built can be seen.
    match catch_unwind(AssertUnwindSafe(|| from_value(value, label))) {
        Ok(parsed) => parsed,
        Err(_) => Err(TextError::bad_file(label, "tokenizer", "contradicts itself")),
    }
}

fn from_value<T: serde::de::DeserializeOwned>(value: Value, label: &str) -> Result<T, TextError> {
    serde_json::from_value(value).map_err(|e| TextError::bad_file(label, "tokenizer", e))
}

fn check_charsmaps(value: &Value, label: &str) -> Result<(), TextError> {
    let mut open = vec![&value["normalizer"]];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(map) => {
                if let Some(text) = map.get("precompiled_charsmap").and_then(Value::as_str) {
                    let field = "normalizer.precompiled_charsmap";
                    let bytes = charsmap::from_base64(text)
                        .ok_or_else(|| TextError::bad_file(label, field, "is not base64"))?;
                    charsmap::check(&bytes)
                        .map_err(|why| TextError::bad_file(label, field, why))?;
                }
                open.extend(map.values());
            }
            _ => {}
        }
    }
    Ok(())
}

/// Adds what the configuration lists and the vocabulary file did not, as `TokenizersBackend` does.
fn add_tokens(
    inner: &mut tokenizers::Tokenizer,
    files: &TextFiles,
    config: &TokenizerConfig,
) -> Result<(), TextError> {
    let known = inner.get_added_tokens_decoder();
    let is_known = |token: &AddedToken| known.values().any(|k| k.content == token.content);
    let is_same = |token: &AddedToken| known.values().any(|k| k == token);
    let tokens: Vec<AddedToken> = config
        .added
        .iter()
        .filter(|(id, token)| if id.is_some() { !is_same(token) } else { !is_known(token) })
        .map(|(_, token)| token.clone())
        .chain(
            config
                .special
                .iter()
                .map(|(_, content)| AddedToken::from(content, true))
                .filter(|token| !is_known(token))
                .filter(|token| config.added.iter().all(|(_, a)| a.content != token.content)),
        )
        .collect();
    let file = || files.label("tokenizer_config.json");
    inner.add_tokens(tokens).map_err(|e| TextError::bad_file(file(), "added tokens", e))?;
    for (id, token) in &config.added {
        let found = inner.token_to_id(&token.content);
        if let Some(wanted) = id
            && found != Some(*wanted)
        {
            return Err(TextError::bad_file(
                file(),
                format!("added_tokens_decoder.{wanted}"),
                format!("{:?} has id {found:?} in the vocabulary", token.content),
            ));
        }
    }
    Ok(())
}

fn post_processor(inner: &tokenizers::Tokenizer, config: &TokenizerConfig) -> Value {
    let special = |wanted: bool, role: &str| {
        let token = config.special.get(role).filter(|_| wanted)?;
        Some((token.to_string(), inner.token_to_id(token)?))
    };
    let bos = special(config.add_bos, "bos_token");
    let eos = special(config.add_eos, "eos_token");
    let piece =
        |token: &(String, u32), row: u32| json!({"SpecialToken": {"id": token.0, "type_id": row}});
    let sentence = |name: &str, row: u32| {
        let text = json!({"Sequence": {"id": name, "type_id": row}});
        let before = bos.iter().map(|token| piece(token, row));
        before.chain([text]).chain(eos.iter().map(|token| piece(token, row))).collect::<Vec<_>>()
    };
    let tokens: serde_json::Map<String, Value> = bos
        .iter()
        .chain(&eos)
        .map(|(token, id)| (token.clone(), json!({"id": token, "ids": [id], "tokens": [token]})))
        .collect();
    let pair = [sentence("A", 0), sentence("B", 1)].concat();
    json!({
        "type": "TemplateProcessing",
        "single": sentence("A", 0),
        "pair": pair,
        "special_tokens": tokens,
    })
}
