//! Prompts without roles: texts or tokens, one or several.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type};

use super::TextOr;
use crate::answer::Prompt;
use crate::api_error::ApiError;

/// A text, texts, the tokens of one prompt, or those of several.
pub(crate) type PromptInput = TextOr<Vec<PromptItem>>;

/// One item of a list of prompts, or one token of the only one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PromptItem {
    /// A text.
    Text(String),
    /// A token.
    Token(u32),
    /// The tokens of a prompt.
    Tokens(Vec<u32>),
}

/// The prompts of `input`, which is what `field` holds.
///
/// # Errors
/// [`ApiError`] where there is none, one is empty, there are more than `most`, or kinds are mixed.
pub(crate) fn prompts(
    input: PromptInput,
    field: &str,
    most: usize,
) -> Result<Vec<Prompt>, ApiError> {
    let items = match input {
        TextOr::Text(text) => vec![PromptItem::Text(text)],
        TextOr::Other(items) => items,
    };
    let prompts = match items.first() {
        Some(PromptItem::Token(_)) => vec![Prompt::Tokens(one_of_tokens(items, field)?)],
        _ => several(items, field)?,
    };
    if prompts.is_empty() || prompts.len() > most {
        let found = prompts.len();
        return Err(ApiError::invalid(
            field,
            format!("1 to {most} are allowed; there are {found}"),
        ));
    }
    let empty = prompts.iter().position(|prompt| match prompt {
        Prompt::Text(text) => text.is_empty(),
        Prompt::Tokens(tokens) => tokens.is_empty(),
        Prompt::Chat { messages, .. } => messages.is_empty(),
    });
    match empty {
        Some(at) => Err(ApiError::invalid(place(field, at, prompts.len()), "it must not be empty")),
        None => Ok(prompts),
    }
}

fn place(field: &str, at: usize, n: usize) -> String {
    if n == 1 { field.to_owned() } else { format!("{field}[{at}]") }
}

fn one_of_tokens(items: Vec<PromptItem>, field: &str) -> Result<Vec<u32>, ApiError> {
    let token = |(at, item)| match item {
        PromptItem::Token(token) => Ok(token),
        _ => Err(mixed(field, at)),
    };
    items.into_iter().enumerate().map(token).collect()
}

fn several(items: Vec<PromptItem>, field: &str) -> Result<Vec<Prompt>, ApiError> {
    let is_text = matches!(items.first(), Some(PromptItem::Text(_)));
    let prompt = |(at, item)| match item {
        PromptItem::Text(text) if is_text => Ok(Prompt::Text(text)),
        PromptItem::Tokens(tokens) if !is_text => Ok(Prompt::Tokens(tokens)),
        _ => Err(mixed(field, at)),
    };
    items.into_iter().enumerate().map(prompt).collect()
}

fn mixed(field: &str, at: usize) -> ApiError {
    let message = "it differs in kind from those before; give texts, tokens or lists of tokens";
    ApiError::invalid(format!("{field}[{at}]"), message)
}

/// How the field is described.
pub(crate) fn prompt_schema() -> Schema {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let token = || ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
    let tokens = || ArrayBuilder::new().items(token()).min_items(Some(1));
    let one_of = OneOfBuilder::new()
        .item(text())
        .item(ArrayBuilder::new().items(text()).min_items(Some(1)))
        .item(tokens())
        .item(ArrayBuilder::new().items(tokens()).min_items(Some(1)));
    Schema::OneOf(one_of.build())
}

impl<'de> Deserialize<'de> for PromptItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemReader)
    }
}

struct ItemReader;

impl<'de> Visitor<'de> for ItemReader {
    type Value = PromptItem;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a token or a list of tokens")
    }

    fn visit_str<E>(self, text: &str) -> Result<PromptItem, E> {
        Ok(PromptItem::Text(text.to_owned()))
    }

    fn visit_u64<E: Error>(self, token: u64) -> Result<PromptItem, E> {
        let token = u32::try_from(token);
        token.map(PromptItem::Token).map_err(|_| E::custom("no vocabulary is that large"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<PromptItem, A::Error> {
        let mut tokens = Vec::new();
        while let Some(token) = items.next_element()? {
            tokens.push(token);
        }
        Ok(PromptItem::Tokens(tokens))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<Vec<Prompt>, Option<String>> {
        let input = serde_json::from_value(value).map_err(|_| None)?;
        prompts(input, "prompt", 3).map_err(|error| error.field)
    }

    #[test]
    fn all_four_kinds_are_read() {
        let text = |text: &str| Prompt::Text(text.to_owned());
        assert_eq!(read(json!("a")).unwrap(), [text("a")]);
        assert_eq!(read(json!(["a", "b"])).unwrap(), [text("a"), text("b")]);
        assert_eq!(read(json!([1, 2])).unwrap(), [Prompt::Tokens(vec![1, 2])]);
        let lists = read(json!([[1], [2, 3]])).unwrap();
        assert_eq!(lists, [Prompt::Tokens(vec![1]), Prompt::Tokens(vec![2, 3])]);
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let cases = [
            (json!(["a", 1]), Some("prompt[1]")),
            (json!([1, "a"]), Some("prompt[1]")),
            (json!([[1], 2]), Some("prompt[1]")),
            (json!([]), Some("prompt")),
            (json!(""), Some("prompt")),
            (json!(["a", ""]), Some("prompt[1]")),
            (json!(["a", "b", "c", "d"]), Some("prompt")),
            (json!([-1]), None),
            (json!([4_294_967_296_u64]), None),
            (json!({"a": 1}), None),
        ];
        for (value, place) in cases {
            assert_eq!(read(value.clone()), Err(place.map(str::to_owned)), "{value}");
        }
    }
}
