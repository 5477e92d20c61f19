//! The embedded model's tokenizer and chat template, made from the corpus.
//!
//! Byte-level BPE, so that any text can be read; digits stand alone, so that numbers can be copied.
//! Turns are `<|role|>text<|end|>`: two tokens of glue a turn, and append-only.

use std::borrow::Cow;

use anyhow::{Result, anyhow};
use serde_json::{Value, json};
use stateset_nn::TextFiles;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainerBuilder};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{AddedToken, PreTokenizerWrapper, Tokenizer};

/// Ends every turn.
pub(crate) const END: &str = "<|end|>";
/// All tokens that are not text, in order of their ids.
const CONTROL: [&str; 5] = [END, "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>"];
/// Tokens of the vocabulary.
pub(crate) const VOCAB_SIZE: usize = 2048;

const TEMPLATE: &str = "{%- for message in messages -%}\n\
{{- '<|' + message.role + '|>' + (message.content | trim) + '<|end|>' -}}\n\
{%- endfor -%}\n\
{%- if add_generation_prompt -%}\n\
{{- '<|assistant|>' -}}\n\
{%- endif -%}\n";

/// Learns the vocabulary from `texts` and returns the files of tokenizer and template.
pub(crate) fn learn(
    texts: impl Iterator<Item = String> + Send,
) -> Result<Vec<(&'static str, String)>> {
    let failed = |error: tokenizers::Error| anyhow!("failed to learn the vocabulary: {error}");
    let mut tokenizer = Tokenizer::new(BPE::default());
    let bytes = ByteLevel::new(false, true, true);
    tokenizer.with_pre_tokenizer(Some(PreTokenizerWrapper::Sequence(Sequence::new(vec![
        PreTokenizerWrapper::Digits(Digits::new(true)),
        PreTokenizerWrapper::ByteLevel(bytes),
    ]))));
    tokenizer.with_decoder(Some(bytes));
    let control = CONTROL.map(|token| AddedToken::from(token, true)).to_vec();
    let mut trainer: TrainerWrapper = BpeTrainerBuilder::new()
        .vocab_size(VOCAB_SIZE)
        .min_frequency(2)
        .show_progress(false)
        .special_tokens(control)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .build()
        .into();
    tokenizer.train(&mut trainer, texts).map_err(failed)?;
    let config = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "pad_token": END,
        "clean_up_tokenization_spaces": false,
        "model_max_length": super::blueprint::MAX_POSITIONS,
        "chat_template": TEMPLATE,
    });
    Ok(vec![
        ("tokenizer.json", format!("{}\n", tokenizer.to_string(false).map_err(failed)?)),
        ("tokenizer_config.json", pretty(&config)),
        ("chat_template.jinja", TEMPLATE.to_owned()),
        ("generation_config.json", pretty(&json!({ "eos_token_id": 0, "pad_token_id": 0 }))),
    ])
}

/// The files as the engine reads them.
pub(crate) fn as_files(files: &[(&'static str, String)]) -> Result<TextFiles> {
    let owned = files.iter().map(|(name, text)| (*name, Cow::Owned(text.clone().into_bytes())));
    Ok(TextFiles::from_memory("the new vocabulary", owned)?)
}

pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
