//! A fenced block of JSON, `{"tool": .., "parameters": ..}`, or such an object in the running text: for
//! models that have no format of their own.
//!
//! Source: the documented call syntax of `ToolAgent`. A block counts where its fence says `json` or
//! nothing; an object outside of blocks counts where its first key is `tool` or `name`. The choice a
//! reader would question: JSON that is no call stays in the text, fence and all, because an answer may
//! well be JSON; only what has the keys of a call and cannot be read is a broken call.

use serde_json::Value;

use super::extent::{Extent, Syntax};
use super::json::{begins_with_key, call_of, calls_in, is_call_object, mentions_arguments};
use super::scan::{Found, Scan, Search, Step, Unread, View, end_of};

const FENCE: &str = "```";
const FIRST_KEYS: [&str; 2] = ["tool", "name"];
/// Longest words behind a fence that are waited for.
const MAX_INFO_BYTES: usize = 64;

/// Reads fenced and trailing JSON.
#[derive(Debug, Default)]
pub(super) struct Fenced {
    extent: Option<Extent>,
    close: Search,
    /// Inside a block of something else, in which nothing is a call.
    is_in_code: bool,
}

impl Scan for Fenced {
    fn step(&mut self, view: View<'_>) -> Step {
        if self.is_in_code {
            return self.code(view);
        }
        let rest = view.rest;
        let brace = rest.find('{');
        let ticks = view.first_of_line('`', brace.unwrap_or(rest.len()));
        let first = [brace, ticks].into_iter().flatten().min();
        match first {
            None => Step::Text(rest.len()),
            Some(0) if brace == Some(0) => self.object(view),
            Some(0) => self.fence(view),
            Some(at) => Step::Text(at),
        }
    }
}

impl Fenced {
    /// Text up to the closing fence of a block that holds no calls.
    fn code(&mut self, view: View<'_>) -> Step {
        let rest = view.rest;
        let Some(at) = view.first_of_line('`', rest.len()) else {
            return Step::Text(rest.len());
        };
        if at > 0 {
            return Step::Text(at);
        }
        if rest.starts_with(FENCE) {
            self.is_in_code = false;
            return Step::Text(FENCE.len());
        }
        if FENCE.starts_with(rest) && !view.is_end { Step::Wait } else { Step::Text(1) }
    }

    fn fence(&mut self, view: View<'_>) -> Step {
        let rest = view.rest;
        if !rest.starts_with(FENCE) {
            let may_become = FENCE.starts_with(rest) && !view.is_end;
            return if may_become { Step::Wait } else { Step::Text(1) };
        }
        let info = &rest[FENCE.len()..];
        let line = info.find('\n');
        let is_short = info.len() <= MAX_INFO_BYTES && !info.contains('{');
        if line.is_none() && is_short && !view.is_end {
            return Step::Wait;
        }
        let is_json = line.is_some_and(|end| {
            end <= MAX_INFO_BYTES && matches!(info[..end].trim(), "" | "json" | "tool_call")
        });
        if !is_json {
            self.is_in_code = true;
            return Step::Text(FENCE.len());
        }
        let body = FENCE.len() + line.unwrap_or(0);
        match rest[body..].trim_start().chars().next() {
            None if !view.is_end => Step::Wait,
            Some('{' | '[') => self.block(view, body),
            _ => {
                self.is_in_code = true;
                Step::Text(FENCE.len())
            }
        }
    }

    /// A block whose text begins at byte `body` and may hold calls.
    fn block(&mut self, view: View<'_>, body: usize) -> Step {
        let rest = view.rest;
        let close = self.close.find(rest, body, "\n```");
        let (body_end, end) = match close {
            Some(at) => (at, at + 1 + FENCE.len()),
            None if view.is_end => (rest.len(), rest.len()),
            None => return Step::Wait,
        };
        self.close = Search::default();
        match block_calls(&rest[body..body_end]) {
            Some(calls) => Step::Calls(end, calls),
            None => Step::Text(end),
        }
    }

    fn object(&mut self, view: View<'_>) -> Step {
        let rest = view.rest;
        match begins_with_key(rest, &FIRST_KEYS) {
            Some(true) => {}
            None if !view.is_end => return Step::Wait,
            _ => return Step::Text(1),
        }
        let (end, is_whole) = match end_of(&mut self.extent, Syntax::Json, rest, 0) {
            Some(end) => (end, true),
            None if view.is_end => (rest.len(), false),
            None => return Step::Wait,
        };
        self.extent = None;
        let raw = &rest[..end];
        match serde_json::from_str::<Value>(raw) {
            Ok(value) if is_call_object(&value) => Step::Calls(end, vec![call_of(value)]),
            Ok(_) => Step::Text(end),
            Err(_) if !mentions_arguments(raw) => Step::Text(1),
            Err(_) if is_whole => Step::Calls(end, calls_in(raw)),
            Err(_) => Step::unread(end, raw, "the JSON object is not closed"),
        }
    }
}

/// The calls of a block; `None` where it is ordinary JSON.
fn block_calls(body: &str) -> Option<Vec<Found>> {
    let values: Result<Vec<Value>, _> =
        serde_json::Deserializer::from_str(body).into_iter().collect();
    let is_call = |value: &Value| match value {
        Value::Array(items) => !items.is_empty() && items.iter().all(is_call_object),
        value => is_call_object(value),
    };
    match values {
        Ok(values) if !values.is_empty() && values.iter().all(is_call) => Some(calls_in(body)),
        Ok(_) => None,
        Err(error) => {
            let inside = body.trim_start().trim_start_matches('[').trim_start();
            let is_meant =
                begins_with_key(inside, &FIRST_KEYS) == Some(true) && mentions_arguments(body);
            let why = format!("it is not JSON: {error}");
            is_meant.then(|| vec![Err(Unread { raw: body.trim().to_owned(), why })])
        }
    }
}
