//! What `tokenizer_config.json` and its companions say beside the vocabulary: special tokens, added
//! tokens, which class of `transformers` built the tokenizer, and where generation ends.
//!
//! Source: `PreTrainedTokenizerBase._from_pretrained` of transformers 5.23 (order of precedence of
//! `added_tokens_decoder`, `special_tokens_map.json` and `added_tokens.json`). The choice a reader
//! would question: unknown keys are ignored, because these files are written by other programs.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tokenizers::AddedToken;

use super::files::TextFiles;
use crate::text_error::TextError;

const CONFIG: &str = "tokenizer_config.json";

/// Special tokens by role (`bos_token`, `eos_token`, ..) as text, the variables chat templates
/// read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    by_role: BTreeMap<String, String>,
}

impl SpecialTokens {
    /// The text of the token with this role.
    pub fn get(&self, role: &str) -> Option<&str> {
        self.by_role.get(role).map(String::as_str)
    }

    /// Sets the token of a role.
    pub fn set(&mut self, role: &str, token: impl Into<String>) {
        self.by_role.insert(role.to_string(), token.into());
    }

    /// Roles and tokens, sorted by role.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_role.iter().map(|(role, token)| (role.as_str(), token.as_str()))
    }

    pub(crate) fn set_default(&mut self, role: &str, token: &str) {
        self.by_role.entry(role.to_string()).or_insert_with(|| token.to_string());
    }
}

/// The settings of a tokenizer that are not in its vocabulary.
#[derive(Clone, Debug, Default)]
pub(crate) struct TokenizerConfig {
    /// Class name without `Fast`, from `tokenizer_config.json` or else `config.json`.
    pub(crate) class: Option<String>,
    /// `model_type` of `config.json`.
    pub(crate) model_type: Option<String>,
    pub(crate) special: SpecialTokens,
    /// Tokens with the flags their file gives them and the id it expects, if it says.
    pub(crate) added: Vec<(Option<u32>, AddedToken)>,
    pub(crate) add_bos: bool,
    pub(crate) add_eos: bool,
    pub(crate) add_prefix_space: Option<bool>,
    pub(crate) legacy: bool,
    /// `eos_token_id` of `generation_config.json`, or else of `config.json`.
    pub(crate) model_end_ids: Vec<u32>,
}

impl TokenizerConfig {
    /// Reads every configuration file that is there.
    pub(crate) fn read(files: &TextFiles) -> Result<TokenizerConfig, TextError> {
        let config = files.object(CONFIG)?.unwrap_or_default();
        let model = files.object("config.json")?.unwrap_or_default();
        let mut special = SpecialTokens::default();
        let mut added = Vec::new();
        let is_listed = config.contains_key("added_tokens_decoder");
        if is_listed {
            added = listed_tokens(files, &config["added_tokens_decoder"])?;
        }
        if !is_listed {
            // The older file knows the flags of its tokens, so it comes first.
            let map = files.object("special_tokens_map.json")?.unwrap_or_default();
            read_special(&map, &mut special, &mut added);
        }
        read_special(&config, &mut special, &mut added);
        if !is_listed {
            read_added_file(files, &special, &mut added)?;
        }
        Ok(TokenizerConfig {
            class: text_of(&config, "tokenizer_class")
                .or_else(|| text_of(&model, "tokenizer_class"))
                .map(|class| class.strip_suffix("Fast").unwrap_or(&class).to_string()),
            model_type: text_of(&model, "model_type"),
            special,
            added,
            add_bos: flag_of(&config, "add_bos_token").unwrap_or(false),
            add_eos: flag_of(&config, "add_eos_token").unwrap_or(false),
            add_prefix_space: flag_of(&config, "add_prefix_space"),
            legacy: flag_of(&config, "legacy").unwrap_or(false),
            model_end_ids: model_end_ids(files, &model)?,
        })
    }
}

fn text_of(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key)?.as_str().map(str::to_string)
}

fn flag_of(map: &Map<String, Value>, key: &str) -> Option<bool> {
    map.get(key)?.as_bool()
}

/// Reads a token written as a string or as an object with flags.
fn token_of(value: &Value) -> Option<AddedToken> {
    if let Some(content) = value.as_str() {
        return Some(AddedToken::from(content, true));
    }
    let flag = |key: &str| value.get(key).and_then(Value::as_bool);
    let special = flag("special").unwrap_or(true);
    Some(
        AddedToken::from(value.get("content")?.as_str()?, special)
            .lstrip(flag("lstrip").unwrap_or(false))
            .rstrip(flag("rstrip").unwrap_or(false))
            .single_word(flag("single_word").unwrap_or(false))
            .normalized(flag("normalized").unwrap_or(!special)),
    )
}

fn listed_tokens(
    files: &TextFiles,
    decoder: &Value,
) -> Result<Vec<(Option<u32>, AddedToken)>, TextError> {
    let bad =
        |field: String, why: &str| TextError::bad_file(files.label(CONFIG), field, why.to_string());
    let Some(map) = decoder.as_object() else {
        return Err(bad("added_tokens_decoder".into(), "is not an object of id to token"));
    };
    let mut tokens = BTreeMap::new();
    for (key, value) in map {
        let field = format!("added_tokens_decoder.{key}");
        let Ok(id) = key.parse::<u32>() else {
            return Err(bad(field, "the key is not a token id"));
        };
        let special = value.get("special").and_then(Value::as_bool).unwrap_or(false);
        let Some(token) = token_of(value).filter(|_| value.is_object()) else {
            return Err(bad(field, "is not a token with a text `content`"));
        };
        let normalized = value.get("normalized").and_then(Value::as_bool).unwrap_or(!special);
        tokens.insert(id, token.special(special).normalized(normalized));
    }
    Ok(tokens.into_iter().map(|(id, token)| (Some(id), token)).collect())
}

/// Takes every `*_token` and the lists of further special tokens out of a configuration object,
/// where no object before it had them.
fn read_special(
    map: &Map<String, Value>,
    special: &mut SpecialTokens,
    added: &mut Vec<(Option<u32>, AddedToken)>,
) {
    for (key, value) in map {
        if key.ends_with("_token")
            && let Some(token) = token_of(value)
        {
            special.set_default(key, &token.content);
            remember(added, token);
        }
    }
    for key in ["extra_special_tokens", "additional_special_tokens"] {
        for value in map.get(key).and_then(Value::as_array).into_iter().flatten() {
            if let Some(token) = token_of(value) {
                remember(added, token);
            }
        }
        for (role, value) in map.get(key).and_then(Value::as_object).into_iter().flatten() {
            if let Some(token) = token_of(value) {
                special.set_default(role, &token.content);
                remember(added, token);
            }
        }
    }
}

fn remember(added: &mut Vec<(Option<u32>, AddedToken)>, token: AddedToken) {
    if added.iter().all(|(_, known)| known.content != token.content) {
        added.push((None, token));
    }
}

/// `added_tokens.json`: token to id, special where some role names it.
fn read_added_file(
    files: &TextFiles,
    special: &SpecialTokens,
    added: &mut Vec<(Option<u32>, AddedToken)>,
) -> Result<(), TextError> {
    let name = "added_tokens.json";
    let mut listed = Vec::new();
    for (content, id) in files.object(name)?.unwrap_or_default() {
        let Some(id) = id.as_u64().and_then(|id| u32::try_from(id).ok()) else {
            return Err(TextError::bad_file(files.label(name), content, "is not a token id"));
        };
        let known = added.iter().position(|(_, token)| token.content == content);
        let is_special = known.is_some() || special.iter().any(|(_, token)| token == content);
        let token = match known {
            Some(index) => added.remove(index).1,
            None => AddedToken::from(content, is_special),
        };
        listed.push((Some(id), token));
    }
    listed.sort_by_key(|(id, _)| *id);
    added.splice(0..0, listed);
    Ok(())
}

fn model_end_ids(files: &TextFiles, model: &Map<String, Value>) -> Result<Vec<u32>, TextError> {
    let name = "generation_config.json";
    let generation = files.object(name)?.unwrap_or_default();
    let (file, value) = match generation.get("eos_token_id") {
        Some(value) => (name, value),
        None => ("config.json", model.get("eos_token_id").unwrap_or(&Value::Null)),
    };
    let values = match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.iter().collect(),
        single => vec![single],
    };
    let id_of = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    values
        .into_iter()
        .map(|value| {
            id_of(value).ok_or_else(|| {
                TextError::bad_file(
                    files.label(file),
                    "eos_token_id",
                    format!("found {value}, expected a token id or a list of them"),
                )
            })
        })
        .collect()
}
