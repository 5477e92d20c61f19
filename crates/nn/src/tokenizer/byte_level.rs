//! GPT-2's byte-level BPE from `vocab.json` + `merges.txt` (older: `encoder.json` + `vocab.bpe`).
//!
//! Source: `GPT2Tokenizer` and `Qwen2Tokenizer` of transformers 5.23. The result is a
//! `tokenizer.json` value, so that every loader ends in the same place. The choice a reader would
//! question: only a line that starts with `#version` is a comment, because `#` itself is merged in
//! real files.

use serde_json::{Value, json};

use super::config::TokenizerConfig;
use super::files::TextFiles;
use crate::text_error::TextError;

/// Vocabulary and merges under the names they have had.
const NAMES: [(&str, &str); 2] = [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")];

/// Classes whose vocabulary files are read as GPT-2's.
const GPT2_CLASSES: [&str; 5] = [
    "GPT2Tokenizer",
    "CodeGenTokenizer",
    "GPTNeoXTokenizer",
    "PreTrainedTokenizer",
    "TokenizersBackend",
];

/// How Qwen splits text before merging; from `PRETOKENIZE_REGEX` of transformers.
const QWEN_PATTERN: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
);

const END_OF_TEXT: &str = "<|endoftext|>";

/// The tokenizer as a `tokenizer.json` value; `None` where the files are not there.
pub(super) fn from_vocab_and_merges(
    files: &TextFiles,
    config: &mut TokenizerConfig,
) -> Result<Option<Value>, TextError> {
    for (vocab_name, merges_name) in NAMES {
        let Some(vocab) = files.object(vocab_name)? else { continue };
        let Some(merges) = files.text(merges_name)? else { continue };
        if vocab.contains_key(END_OF_TEXT) {
            for role in ["bos_token", "eos_token", "unk_token"] {
                config.special.set_default(role, END_OF_TEXT);
            }
        }
        for (token, id) in &vocab {
            if id.as_u64().is_none_or(|id| u32::try_from(id).is_err()) {
                return Err(TextError::bad_file(
                    files.label(vocab_name),
                    format!("{token:?}"),
                    format!("found {id}, expected a token id"),
                ));
            }
        }
        let merges = read_merges(merges, &files.label(merges_name))?;
        let model = json!({"type": "BPE", "vocab": vocab, "merges": merges});
        return pipeline(files, config, model).map(Some);
    }
    Ok(None)
}

fn pipeline(files: &TextFiles, config: &TokenizerConfig, model: Value) -> Result<Value, TextError> {
    let prefix = config.add_prefix_space.unwrap_or(false);
    let byte_level = |add_prefix_space: bool, use_regex: bool| {
        json!({
            "type": "ByteLevel",
            "add_prefix_space": add_prefix_space,
            "trim_offsets": true,
            "use_regex": use_regex,
        })
    };
    let class = config.class.as_deref();
    let (normalizer, pre_tokenizer) = match class {
        Some("Qwen2Tokenizer") => {
            let split = json!({
                "type": "Split",
                "pattern": {"Regex": QWEN_PATTERN},
                "behavior": "Isolated",
                "invert": false,
            });
            let both =
                json!({"type": "Sequence", "pretokenizers": [split, byte_level(prefix, false)]});
            (json!({"type": "NFC"}), both)
        }
        Some(class) if !GPT2_CLASSES.contains(&class) => {
            return Err(TextError::bad_file(
                files.label("tokenizer_config.json"),
                "tokenizer_class",
                format!(
                    "found {class}, whose vocabulary files are not read; known are \
                     Qwen2Tokenizer, {}; save a tokenizer.json instead",
                    GPT2_CLASSES.join(", ")
                ),
            ));
        }
        _ => (Value::Null, byte_level(prefix, true)),
    };
    Ok(json!({
        "version": "1.0",
        "added_tokens": [],
        "normalizer": normalizer,
        "pre_tokenizer": pre_tokenizer,
        "decoder": byte_level(true, true),
        "model": model,
    }))
}

fn read_merges<'t>(text: &'t str, file: &str) -> Result<Vec<[&'t str; 2]>, TextError> {
    let mut merges = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("#version") || line.is_empty() {
            continue;
        }
        let mut parts = line.split(' ');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(left), Some(right), None) => merges.push([left, right]),
            _ => {
                return Err(TextError::bad_file(
                    file,
                    format!("line {}", index + 1),
                    format!("found {line:?}, expected two tokens with one space between"),
                ));
            }
        }
    }
    Ok(merges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_keep_the_hash_sign_and_name_the_bad_line() {
        let merges = read_merges("#version: 0.2\n# #\na b\n", "m").unwrap();
        assert_eq!(merges, [["#", "#"], ["a", "b"]]);
        let error = read_merges("a b\na b c\n", "m").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
