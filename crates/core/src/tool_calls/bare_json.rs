//! `{"name": .., "parameters": ..}` as the whole answer: Llama 3.1 and later.
//!
//! Source: Meta's prompt format of Llama 3.1. A call stands at the beginning of the answer, or after
//! `<|python_tag|>`, which some templates and models write before it; several follow each other with
//! `;` or white space between them. The choice a reader would question: JSON without the keys of a call
//! is an answer in JSON, not a broken call, unless the tag announced one.

use serde_json::Value;

use super::extent::{Extent, Syntax};
use super::json::{begins_with_key, call_of, calls_in, is_call_object, mentions_arguments};
use super::scan::{Scan, Step, View, end_of, text_before};

const TAG: &str = "<|python_tag|>";
const FIRST_KEYS: [&str; 4] = ["name", "type", "function", "parameters"];

/// What was read before the unread text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nothing: a call may follow, or text.
    #[default]
    Start,
    /// A call, with the tag before the first: separators and another one may follow, or text.
    Behind { is_tagged: bool },
    /// Text: more of it may follow, or the tag.
    Text,
}

/// Reads Llama's calls.
#[derive(Debug, Default)]
pub(super) struct BareJson {
    place: Place,
    extent: Option<Extent>,
}

impl Scan for BareJson {
    fn step(&mut self, view: View<'_>) -> Step {
        let is_text = self.place == Place::Text;
        if is_text && let Ok(text) = text_before(view, &[TAG]) {
            return text;
        }
        let is_behind = matches!(self.place, Place::Behind { .. });
        let is_gap = |c: char| c.is_whitespace() || (c == ';' && is_behind);
        let gap = view.rest.find(|c| !is_gap(c)).unwrap_or(view.rest.len());
        let rest = &view.rest[gap..];
        if rest.is_empty() {
            return if view.is_end { Step::Text(gap) } else { Step::Wait };
        }
        if rest.starts_with(TAG) {
            return self.announced(view, gap + TAG.len());
        }
        if TAG.starts_with(rest) && !view.is_end {
            return Step::Wait;
        }
        let is_object = rest.starts_with('{');
        let is_tagged = self.place == Place::Behind { is_tagged: true };
        match begins_with_key(rest, &FIRST_KEYS) {
            Some(true) => self.object(view, gap, is_tagged),
            _ if is_object && is_tagged => self.object(view, gap, true),
            None if is_object && !view.is_end => Step::Wait,
            _ => {
                self.place = Place::Text;
                text_before(view, &[TAG]).unwrap_or(Step::Wait)
            }
        }
    }
}

impl BareJson {
    /// What stands behind the tag, which ends at byte `at`: an object, or code for an interpreter, or a
    /// call in another form.
    fn announced(&mut self, view: View<'_>, at: usize) -> Step {
        let after = view.rest[at..].trim_start();
        let start = view.rest.len() - after.len();
        match after.chars().next() {
            Some('{') => self.object(view, start, true),
            _ if !view.is_end => Step::Wait,
            None => Step::Text(view.rest.len()),
            Some(_) => {
                let why =
                    "after <|python_tag|> must stand a JSON object with `name` and `parameters`";
                Step::unread(view.rest.len(), after, why)
            }
        }
    }

    fn object(&mut self, view: View<'_>, gap: usize, is_announced: bool) -> Step {
        let end = end_of(&mut self.extent, Syntax::Json, view.rest, gap);
        let (end, is_whole) = match end {
            Some(end) => (end, true),
            None if view.is_end => (view.rest.len(), false),
            None => return Step::Wait,
        };
        let raw = &view.rest[gap..end];
        let value = serde_json::from_str::<Value>(raw);
        let is_call = is_announced
            || match &value {
                Ok(value) => is_call_object(value),
                Err(_) => mentions_arguments(raw),
            };
        if !is_call {
            self.place = Place::Text;
            return Step::Text(end);
        }
        self.place = Place::Behind { is_tagged: is_announced };
        match value {
            Ok(value) => Step::Calls(end, vec![call_of(value)]),
            Err(_) if is_whole => Step::Calls(end, calls_in(raw)),
            Err(_) => Step::unread(end, raw, "the JSON object is not closed"),
        }
    }
}
