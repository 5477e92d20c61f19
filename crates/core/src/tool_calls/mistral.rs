//! `[TOOL_CALLS]` and a JSON list, or `[TOOL_CALLS]name[ARGS]{..}` for each call: Mistral.
//!
//! Source: the tokenizers of Mistral, versions 3 to 7 (list) and 11 and later (name and arguments). One
//! reader takes both, also with a `[CALL_ID]` between them. The choice a reader would question: ids
//! that the model wrote are not kept, since two calls may carry the same one.

use serde_json::Value;

use super::extent::{Extent, Syntax};
use super::json::calls_in;
use super::scan::{Scan, Search, Spoken, Step, View, end_of, text_before};

pub(super) const MARK: &str = "[TOOL_CALLS]";
pub(super) const ARGS: &str = "[ARGS]";
const CALL_ID: &str = "[CALL_ID]";

/// Reads Mistral's calls.
#[derive(Debug, Default)]
pub(super) struct Mistral {
    extent: Option<Extent>,
    brace: Search,
    next: Search,
}

impl Scan for Mistral {
    fn step(&mut self, view: View<'_>) -> Step {
        if let Ok(text) = text_before(view, &[MARK]) {
            return text;
        }
        let after = &view.rest[MARK.len()..];
        let start = MARK.len() + after.len() - after.trim_start().len();
        let step = match view.rest[start..].chars().next() {
            None if view.is_end => {
                Step::unread(view.rest.len(), view.rest, "nothing stands after [TOOL_CALLS]")
            }
            None => Step::Wait,
            Some('[' | '{') => self.json(view, start),
            Some(_) => self.named(view, start),
        };
        if step != Step::Wait {
            *self = Mistral::default();
        }
        step
    }
}

impl Mistral {
    fn json(&mut self, view: View<'_>, start: usize) -> Step {
        match end_of(&mut self.extent, Syntax::Json, view.rest, start) {
            Some(end) => Step::Calls(end, calls_in(&view.rest[start..end])),
            None if view.is_end => {
                let raw = &view.rest[start..];
                Step::unread(view.rest.len(), raw, "the JSON after [TOOL_CALLS] is not closed")
            }
            None => Step::Wait,
        }
    }

    fn named(&mut self, view: View<'_>, start: usize) -> Step {
        let rest = view.rest;
        let brace = self.brace.find(rest, start, "{");
        // Once the brace is there, a later mark is the next call's and may stand in a string.
        let next = match brace {
            Some(brace) => rest[start..brace].find(MARK).map(|at| start + at),
            None => self.next.find(rest, start, MARK),
        };
        let nothing = "after the name of the tool must stand [ARGS] and a JSON object";
        match (brace, next) {
            (_, Some(next)) => Step::unread(next, &rest[start..next], nothing),
            (None, None) if view.is_end => Step::unread(rest.len(), &rest[start..], nothing),
            (None, None) => Step::Wait,
            (Some(brace), None) => match end_of(&mut self.extent, Syntax::Json, rest, brace) {
                Some(end) => Step::Calls(end, vec![call(&rest[start..end], brace - start)]),
                None if view.is_end => {
                    Step::unread(rest.len(), &rest[start..], "the JSON object is not closed")
                }
                None => Step::Wait,
            },
        }
    }
}

/// A call of which the arguments begin at byte `brace`.
fn call(raw: &str, brace: usize) -> super::scan::Found {
    let head = &raw[..brace];
    let head = head.split_once(CALL_ID).map_or(head, |(name, _)| name);
    let name = head.trim_end().trim_end_matches(ARGS).trim();
    let unread = |why: String| super::scan::Unread { raw: raw.to_owned(), why };
    if name.is_empty() {
        return Err(unread("it has no name of a tool".to_owned()));
    }
    let arguments: Value = serde_json::from_str(&raw[brace..])
        .map_err(|error| unread(format!("its arguments are not JSON: {error}")))?;
    Ok(Spoken { name: name.to_owned(), arguments })
}
