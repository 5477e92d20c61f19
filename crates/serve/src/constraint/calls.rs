//! Calls of tools as a grammar, in the formats that have one.
//!
//! What is written is what [`CallFormat::render`] writes, so the reader of calls reads it back. The
//! choice a reader would question: formats whose values are bare text or Python literals
//! ([`CallFormat::QwenXml`], [`CallFormat::Pythonic`]) are refused, because a schema of JSON says nothing
//! about how such values are spelled.

use serde_json::Value;
use stateset_core::{CallFormat, ToolSpec};
use stateset_nn::ChatFormat;

use super::grammar::{checked, on_one_line};
use crate::api_error::ApiError;

/// How a format puts calls together; each piece is a text in quotes or a token of its own.
struct Layout {
    before_all: Vec<String>,
    before_each: Vec<String>,
    after_each: Vec<String>,
    between: &'static str,
    after_all: Vec<String>,
    /// Text between the name and the arguments.
    name_to_arguments: [&'static str; 2],
    ends_object: bool,
}

/// A grammar in Lark's notation for one or more calls of `tools`, or for one call of the tool `name`.
///
/// # Errors
/// [`ApiError`] 400 for a name that no tool has, no tools, arguments whose schema is none, and a format
/// that has no grammar.
pub(super) fn grammar(
    format: &ChatFormat,
    tools: &[ToolSpec],
    name: Option<&str>,
) -> Result<String, ApiError> {
    let layout = layout(format)?;
    let wanted: Vec<(usize, &ToolSpec)> = tools
        .iter()
        .enumerate()
        .filter(|(_, tool)| name.is_none_or(|name| tool.name == name))
        .collect();
    if wanted.is_empty() {
        let message = match name {
            Some(name) => format!("no tool is called {name:?}"),
            None => "there are no tools to call".to_owned(),
        };
        return Err(ApiError::invalid("tool_choice", message));
    }
    let mut lines = Vec::new();
    let calls: Vec<String> = wanted.iter().map(|(i, _)| format!("call{i}")).collect();
    let more = match (name, layout.between) {
        (Some(_), _) => String::new(),
        (None, "") => " call*".to_owned(),
        (None, between) => format!(" ({} call)*", quoted(between)),
    };
    let (before, after) = (layout.before_all.join(" "), layout.after_all.join(" "));
    lines.push(format!("start: {before} call{more} {after}"));
    lines.push(format!("call: {}", calls.join(" | ")));
    for (i, tool) in wanted {
        let schema = arguments(tool, i)?;
        let [open, middle] = layout.name_to_arguments;
        let head = format!("{open}{}{middle}", written_name(&layout, &tool.name));
        let close = if layout.ends_object { quoted("}") } else { String::new() };
        lines.push(format!(
            "call{i}: {} {} arguments{i} {close} {}",
            layout.before_each.join(" "),
            head_pieces(format, &head),
            layout.after_each.join(" "),
        ));
        lines.push(format!("arguments{i}: %json {schema}"));
    }
    Ok(lines.join("\n") + "\n")
}

fn layout(format: &ChatFormat) -> Result<Layout, ApiError> {
    let object = |key: &'static str, arguments: &'static str| Layout {
        before_all: Vec::new(),
        before_each: Vec::new(),
        after_each: Vec::new(),
        between: "",
        after_all: Vec::new(),
        name_to_arguments: [key, arguments],
        ends_object: true,
    };
    let mark = |text: &str| marked(format, text);
    let call_format = format.call_format();
    Ok(match call_format {
        CallFormat::Hermes => Layout {
            before_each: vec![mark("<tool_call>"), quoted("\n")],
            after_each: vec![quoted("\n"), mark("</tool_call>")],
            between: "\n",
            ..object("{\"name\": ", ", \"arguments\": ")
        },
        CallFormat::Llama => {
            Layout { between: "; ", ..object("{\"name\": ", ", \"parameters\": ") }
        }
        CallFormat::Mistral => Layout {
            before_all: vec![mark("[TOOL_CALLS]"), quoted(" [")],
            between: ", ",
            after_all: vec![quoted("]")],
            ..object("{\"name\": ", ", \"arguments\": ")
        },
        CallFormat::MistralArgs => Layout {
            before_each: vec![mark("[TOOL_CALLS]")],
            ends_object: false,
            ..object("", "[ARGS]")
        },
        CallFormat::Json => Layout {
            before_each: vec![quoted("```json\n")],
            after_each: vec![quoted("\n```")],
            between: "\n",
            ..object("{\"tool\": ", ", \"parameters\": ")
        },
        CallFormat::QwenXml | CallFormat::Pythonic => {
            let message = format!(
                "a call cannot be forced in the format {:?} of this model; let it choose (\"auto\")",
                call_format.as_str()
            );
            return Err(ApiError::invalid("tool_choice", message).coded("unsupported_form"));
        }
    })
}

/// Names stand in JSON, save where the format writes them bare.
fn written_name(layout: &Layout, name: &str) -> String {
    if layout.ends_object { Value::from(name).to_string() } else { name.to_owned() }
}

/// The head of a call, with `[ARGS]` as the token it may be.
fn head_pieces(format: &ChatFormat, head: &str) -> String {
    match head.strip_suffix("[ARGS]") {
        Some(name) => format!("{} {}", quoted(name), marked(format, "[ARGS]")),
        None => quoted(head),
    }
}

fn arguments(tool: &ToolSpec, index: usize) -> Result<Value, ApiError> {
    let field = format!("tools[{index}].function.parameters");
    let mut schema = match &tool.parameters {
        Value::Null => serde_json::json!({}),
        schema => checked(schema, &field)?,
    };
    if let Some(object) = schema.as_object_mut() {
        object.entry("type").or_insert_with(|| "object".into());
    }
    Ok(on_one_line(schema))
}

/// A mark of the format: the control token where the vocabulary has it as one, else its text.
fn marked(format: &ChatFormat, text: &str) -> String {
    let tokenizer = format.tokenizer();
    match tokenizer.token_to_id(text).filter(|id| tokenizer.is_special(*id)) {
        Some(id) => format!("<[{id}]>"),
        None => quoted(text),
    }
}

/// A text as Lark writes it, which is as JSON does.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
