//! Tools and the form of an answer, as OpenAI's API has them.

use serde_json::{Map, Value, json};
use stateset_core::{MALFORMED_CALL, ToolSpec};

use super::chat_request::{
    AllowedField, FormatField, FunctionField, SchemaField, ToolChoice, ToolField,
};
use super::limits::MAX_TOOLS;
use crate::answer::Form;
use crate::api_error::ApiError;
use crate::wire::{TextOr, tool_named};

/// What a request says of tools and form.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Abilities {
    /// Tools the model is told of.
    pub tools: Vec<ToolSpec>,
    /// The form of the answer.
    pub form: Form,
}

/// The functions of a request for chat completions.
///
/// # Errors
/// [`ApiError`] of a tool of another kind.
pub(super) fn functions(tools: Vec<ToolField>) -> Result<Vec<(String, FunctionField)>, ApiError> {
    let function = |(at, tool): (usize, ToolField)| {
        let field = format!("tools[{at}]");
        only_functions(&tool.kind, &field)?;
        let field = format!("{field}.function");
        match tool.function {
            Some(function) => Ok((field, function)),
            None => Err(ApiError::invalid(field, "it is missing")),
        }
    };
    tools.into_iter().enumerate().map(function).collect()
}

/// Refuses tools that are no functions, such as those that OpenAI runs itself.
///
/// # Errors
/// [`ApiError`] 400 `unsupported_value`.
pub(super) fn only_functions(kind: &str, field: &str) -> Result<(), ApiError> {
    if kind == "function" {
        return Ok(());
    }
    let message = format!("{kind:?} is not there; tools are functions that the client runs");
    Err(ApiError::invalid(format!("{field}.type"), message).coded("unsupported_value"))
}

/// Checks functions, each with the place it stands at.
///
/// # Errors
/// [`ApiError`] of a name that is not allowed or given twice, or of too many.
pub(crate) fn specs(functions: Vec<(String, FunctionField)>) -> Result<Vec<ToolSpec>, ApiError> {
    if functions.len() > MAX_TOOLS {
        let message = format!("at most {MAX_TOOLS} are allowed; there are {}", functions.len());
        return Err(ApiError::invalid("tools", message));
    }
    let mut specs: Vec<ToolSpec> = Vec::with_capacity(functions.len());
    for (field, function) in functions {
        let name = function.name;
        let field = format!("{field}.name");
        if !is_name(&name) {
            let message = "a name has 1 to 64 letters, digits, underscores and hyphens";
            return Err(ApiError::invalid(field, message));
        }
        if specs.iter().any(|spec| spec.name == name) {
            return Err(ApiError::invalid(field, format!("{name:?} is there already")));
        }
        let none = || json!({"type": "object", "properties": {}});
        specs.push(ToolSpec {
            name,
            description: function.description.unwrap_or_default(),
            parameters: function.parameters.map_or_else(none, Value::Object),
        });
    }
    Ok(specs)
}

/// True for names that every template and format of calls can write.
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=64).contains(&name.len()) && name.chars().all(allowed) && name != MALFORMED_CALL
}

/// Tools and form together. A form beside tools holds for answers that make no call, and no grammar can
/// say "either", so it wins over `auto`.
///
/// # Errors
/// [`ApiError`] of a choice that cannot be made.
pub(crate) fn abilities(
    mut tools: Vec<ToolSpec>,
    choice: Option<TextOr<ToolChoice>>,
    form: Form,
) -> Result<Abilities, ApiError> {
    let form = match choice {
        None => form,
        Some(TextOr::Text(word)) => match word.as_str() {
            "auto" => form,
            // A model that is told of no tool calls none.
            "none" => return Ok(Abilities { tools: Vec::new(), form }),
            "required" => required(&tools, &form, None)?,
            other => {
                let message = format!(
                    "{other:?} is no choice; there are: none, auto, required, a function, allowed tools"
                );
                return Err(ApiError::invalid(FIELD, message));
            }
        },
        Some(TextOr::Other(choice)) if choice.kind == "allowed_tools" => {
            let is_required = keep_allowed(&mut tools, choice)?;
            if is_required { required(&tools, &form, None)? } else { form }
        }
        Some(TextOr::Other(choice)) => {
            only_functions(&choice.kind, FIELD)?;
            let Some(name) = choice.function.map(|function| function.name).or(choice.name) else {
                return Err(ApiError::invalid("tool_choice.function.name", "it is missing"));
            };
            tool_named(&tools, &name, "tool_choice.function.name")?;
            required(&tools, &form, Some(name))?
        }
    };
    Ok(Abilities { tools, form })
}

const FIELD: &str = "tool_choice";

/// The form of an answer that must make a call; of this tool where one is named.
fn required(tools: &[ToolSpec], form: &Form, name: Option<String>) -> Result<Form, ApiError> {
    if tools.is_empty() {
        return Err(ApiError::invalid(FIELD, "a call is required and there are no \"tools\""));
    }
    if *form != Form::Free {
        let message = "a call and a response format cannot both be required";
        return Err(ApiError::invalid(FIELD, message));
    }
    Ok(Form::Calls(name))
}

/// Leaves the tools that the choice allows; says whether one must be called. The model is not told of the
/// others: what it does not know it does not call.
fn keep_allowed(tools: &mut Vec<ToolSpec>, choice: ToolChoice) -> Result<bool, ApiError> {
    let (place, allowed) = match choice.allowed_tools {
        Some(allowed) => ("tool_choice.allowed_tools", allowed),
        None => (FIELD, AllowedField { mode: choice.mode, tools: choice.tools }),
    };
    let is_required = match allowed.mode.as_deref() {
        Some("auto") => false,
        Some("required") => true,
        found => {
            let found = found.map_or("it is missing".to_owned(), |mode| format!("found {mode:?}"));
            let message = format!("{found}; there are: auto, required");
            return Err(ApiError::invalid(format!("{place}.mode"), message));
        }
    };
    let place = format!("{place}.tools");
    let mut names = Vec::new();
    for (at, tool) in allowed.tools.into_iter().flatten().enumerate() {
        let field = format!("{place}[{at}]");
        only_functions(&tool.kind, &field)?;
        let (field, name) = match (tool.function, tool.name) {
            (Some(function), _) => (format!("{field}.function.name"), function.name),
            (None, Some(name)) => (format!("{field}.name"), name),
            (None, None) => return Err(ApiError::invalid(field, "it names no function")),
        };
        tool_named(tools, &name, &field)?;
        names.push(name);
    }
    if names.is_empty() {
        return Err(ApiError::invalid(place, "it must name at least one tool"));
    }
    tools.retain(|tool| names.contains(&tool.name));
    Ok(is_required)
}

/// The form that `response_format` asks for.
///
/// # Errors
/// [`ApiError`] of a kind that is not there, or without its schema.
pub(super) fn chat_form(format: Option<FormatField>) -> Result<Form, ApiError> {
    let Some(FormatField { kind, json_schema }) = format else { return Ok(Form::Free) };
    const SCHEMA: &str = "response_format.json_schema";
    if kind != "json_schema" {
        return form_of(&kind, None, "response_format", SCHEMA);
    }
    let Some(SchemaField { name, schema }) = json_schema else {
        return Err(ApiError::invalid(SCHEMA, "it is missing"));
    };
    match name {
        Some(name) if is_name(&name) => {}
        _ => {
            let message = "a name has 1 to 64 letters, digits, underscores and hyphens";
            return Err(ApiError::invalid(format!("{SCHEMA}.name"), message));
        }
    }
    form_of(&kind, schema, "response_format", &format!("{SCHEMA}.schema"))
}

/// The form of this kind.
///
/// # Errors
/// [`ApiError`] of `field` for another kind, of `schema_field` for a schema that is no object.
pub(super) fn form_of(
    kind: &str,
    schema: Option<Value>,
    field: &str,
    schema_field: &str,
) -> Result<Form, ApiError> {
    match kind {
        "text" => Ok(Form::Free),
        "json_object" => Ok(Form::JsonObject),
        "json_schema" => match schema {
            // OpenAI takes a schema that says nothing as any JSON object.
            None => Ok(Form::JsonSchema(Value::Object(Map::new()))),
            Some(schema @ Value::Object(_)) => Ok(Form::JsonSchema(schema)),
            Some(_) => Err(ApiError::invalid(schema_field, "a schema is a JSON object")),
        },
        other => {
            let message =
                format!("{other:?} is no format; there are: text, json_object, json_schema");
            Err(ApiError::invalid(format!("{field}.type"), message))
        }
    }
}
