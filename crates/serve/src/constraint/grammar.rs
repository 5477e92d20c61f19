//! Forms to grammars.
//!
//! JSON is written on one line with a space after commas and colons, as Python's `json.dumps` writes it
//! and chat templates show it. The choice a reader would question: other white space is not allowed,
//! because a model that may draw line ends where they mean nothing sometimes draws nothing else.

use llguidance::JsonCompileOptions;
use llguidance::api::TopLevelGrammar;
use serde_json::{Value, json};
use stateset_nn::ChatFormat;

use super::calls;
use crate::answer::{AnswerRequest, Form, Prompt};
use crate::api_error::ApiError;

/// Largest schema, expression or grammar in bytes.
const MAX_BYTES: usize = 256 << 10;

/// A grammar, and what is at fault where it cannot be used.
pub(super) struct Grammar {
    pub(super) grammar: TopLevelGrammar,
    /// The field it comes from.
    pub(super) field: &'static str,
    /// The code of its refusal.
    pub(super) code: &'static str,
}

const SCHEMA_FIELD: &str = "response_format.json_schema.schema";

/// The grammar of a request's form, which is not [`Form::Free`].
pub(super) fn of(format: &ChatFormat, request: &AnswerRequest) -> Result<Grammar, ApiError> {
    let of = |grammar, field, code| Ok(Grammar { grammar, field, code });
    match &request.form {
        Form::Free => of(TopLevelGrammar::from_regex("(?s).*"), "response_format", "invalid_value"),
        Form::JsonObject => {
            let schema = on_one_line(json!({"type": "object"}));
            of(TopLevelGrammar::from_json_schema(schema), SCHEMA_FIELD, "invalid_schema")
        }
        Form::JsonSchema(schema) => {
            let schema = on_one_line(checked(schema, SCHEMA_FIELD)?);
            of(TopLevelGrammar::from_json_schema(schema), SCHEMA_FIELD, "invalid_schema")
        }
        Form::Regex(regex) => {
            small("response_format.regex", regex)?;
            let grammar = TopLevelGrammar::from_regex(regex);
            of(grammar, "response_format.regex", "invalid_regex")
        }
        Form::Lark(lark) => {
            small("response_format.grammar", lark)?;
            let grammar = TopLevelGrammar::from_lark(lark.clone());
            of(grammar, "response_format.grammar", "invalid_grammar")
        }
        Form::Calls(name) => {
            let lark = match &request.prompt {
                Prompt::Chat { tools, .. } => calls::grammar(format, tools, name.as_deref())?,
                _ => return Err(ApiError::invalid("tool_choice", "there are no tools to call")),
            };
            of(TopLevelGrammar::from_lark(lark), "tools", "invalid_schema")
        }
    }
}

/// The schema, where it is one.
pub(super) fn checked(schema: &Value, field: &str) -> Result<Value, ApiError> {
    let invalid = |place: &str, message: String| {
        ApiError::invalid(format!("{field}{place}"), message).coded("invalid_schema")
    };
    if !schema.is_object() {
        return Err(invalid("", format!("found {schema}, expected a schema: a JSON object")));
    }
    let n_bytes = schema.to_string().len();
    if n_bytes > MAX_BYTES {
        let message = format!("the schema has {n_bytes} bytes; {MAX_BYTES} are allowed");
        return Err(invalid("", message));
    }
    match jsonschema::meta::validate(schema) {
        Ok(()) => Ok(schema.clone()),
        Err(error) => {
            let place = error.instance_path().to_string().replace('/', ".");
            Err(invalid(&place, format!("it is no JSON schema: {error}")))
        }
    }
}

fn small(field: &str, text: &str) -> Result<(), ApiError> {
    if text.len() <= MAX_BYTES {
        return Ok(());
    }
    let message = format!("it has {} bytes; {MAX_BYTES} are allowed", text.len());
    Err(ApiError::invalid(field, message))
}

/// The schema with the way in which its values are written.
pub(super) fn on_one_line(mut schema: Value) -> Value {
    let options = JsonCompileOptions {
        item_separator: ", ".to_owned(),
        key_separator: ": ".to_owned(),
        whitespace_flexible: false,
        ..JsonCompileOptions::default()
    };
    options.apply_to(&mut schema);
    schema
}
