//! `<tool_call><function=NAME><parameter=KEY>value</parameter></function></tool_call>`: Qwen3-Coder.
//!
//! Source: the chat template of Qwen3-Coder. Values are bare text between two line ends, so their types
//! come from the tool's schema ([`super::coerce`]) and the format has no way to write a text that holds
//! its own closing tag. The choice a reader would question: `<function=..>` without the outer tag is a
//! call too, since these models often leave it out.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::coerce::coerced;
use super::json::json_text;
use super::scan::{Found, Scan, Search, Spoken, Step, Unread, View, text_before};
use super::tagged::{CLOSE, OPEN};
use crate::{ToolCall, ToolSpec};

const FUNCTION: &str = "<function=";
const END_FUNCTION: &str = "</function>";
const PARAMETER: &str = "<parameter=";
const END_PARAMETER: &str = "</parameter>";

/// Reads Qwen3-Coder's calls.
#[derive(Debug)]
pub(super) struct Xml {
    tools: Arc<[ToolSpec]>,
    close: Search,
}

impl Xml {
    pub(super) fn new(tools: Arc<[ToolSpec]>) -> Self {
        Xml { tools, close: Search::default() }
    }
}

impl Scan for Xml {
    fn step(&mut self, view: View<'_>) -> Step {
        let (open, close) = match text_before(view, &[OPEN, FUNCTION]) {
            Ok(text) => return text,
            Err(0) => (OPEN, CLOSE),
            Err(_) => (FUNCTION, END_FUNCTION),
        };
        let rest = view.rest;
        let end = match self.close.find(rest, open.len(), close) {
            Some(at) => at + close.len(),
            None if view.is_end => rest.len(),
            None => return Step::Wait,
        };
        self.close = Search::default();
        let body = rest[..end].trim_start_matches(OPEN);
        Step::Calls(end, functions(body.trim_end_matches(CLOSE), &self.tools))
    }
}

/// How one call is written.
pub(super) fn write(call: &ToolCall) -> String {
    let mut text = format!("{OPEN}\n{FUNCTION}{}>\n", call.name);
    for (key, value) in call.arguments.as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| json_text(value), str::to_owned);
        text += &format!("{PARAMETER}{key}>\n{value}\n{END_PARAMETER}\n");
    }
    text + END_FUNCTION + "\n" + CLOSE
}

/// Every function of a call's text. Never empty.
fn functions(body: &str, tools: &[ToolSpec]) -> Vec<Found> {
    let mut parts = body.split(FUNCTION);
    let before = parts.next().unwrap_or_default();
    let unread = |raw: &str, why: &str| Err(Unread { raw: raw.trim().into(), why: why.into() });
    if !before.trim().is_empty() {
        return vec![unread(body, "a call begins with <function=NAME>")];
    }
    let mut calls: Vec<Found> = parts.map(|part| function(part, tools)).collect();
    if calls.is_empty() {
        calls.push(unread(body, "there is no <function=NAME> in it"));
    }
    calls
}

/// One function, from behind `<function=`.
fn function(part: &str, tools: &[ToolSpec]) -> Found {
    let unread =
        |why: &str| Unread { raw: format!("{FUNCTION}{}", part.trim_end()), why: why.into() };
    let (name, body) =
        part.split_once('>').ok_or_else(|| unread("<function=NAME is not closed"))?;
    let name = name.trim();
    if name.is_empty() {
        return Err(unread("it has no name of a tool"));
    }
    let (body, after) =
        body.rsplit_once(END_FUNCTION).ok_or_else(|| unread("</function> is missing"))?;
    if !after.trim().is_empty() {
        return Err(unread("something stands after </function>"));
    }
    let tool = tools.iter().find(|tool| tool.name == name);
    let mut arguments = Map::new();
    let mut parts = body.split(PARAMETER);
    if !parts.next().unwrap_or_default().trim().is_empty() {
        return Err(unread("something stands outside of <parameter=KEY>"));
    }
    for part in parts {
        let (key, value) =
            part.split_once('>').ok_or_else(|| unread("<parameter=KEY is not closed"))?;
        let value = value.split_once(END_PARAMETER).map_or(value, |(value, _)| value);
        let value = value.strip_prefix('\n').unwrap_or(value);
        let value = value.strip_suffix('\n').unwrap_or(value);
        let key = key.trim();
        arguments.insert(key.to_owned(), coerced(value, tool, key));
    }
    Ok(Spoken { name: name.to_owned(), arguments: Value::Object(arguments) })
}
