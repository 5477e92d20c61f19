//! `<tool_call>{"name": .., "arguments": ..}</tool_call>`: Hermes, Qwen 2.5 and 3, and many others.
//!
//! Source: the prompt of NousResearch's Hermes function calling, and the chat templates of Qwen. A call
//! ends at the first closing tag, or where the next one opens; when calls are written, tags inside
//! strings are escaped, so the rule loses nothing. The choice a reader would question: a call that is
//! whole but not closed when the answer ends counts, because models often end their turn instead.

use super::json::calls_in;
use super::scan::{Scan, Search, Step, View, text_before};

pub(super) const OPEN: &str = "<tool_call>";
pub(super) const CLOSE: &str = "</tool_call>";

/// Reads Hermes calls.
#[derive(Debug, Default)]
pub(super) struct Hermes {
    close: Search,
    next: Search,
}

impl Scan for Hermes {
    fn step(&mut self, view: View<'_>) -> Step {
        if let Ok(text) = text_before(view, &[OPEN]) {
            return text;
        }
        let rest = view.rest;
        let close = self.close.find(rest, OPEN.len(), CLOSE);
        let next = self.next.find(rest, OPEN.len(), OPEN);
        let is_closed = close.is_some_and(|close| next.is_none_or(|next| close < next));
        let body_end = match (close, next) {
            (None, None) if !view.is_end => return Step::Wait,
            (None, None) => rest.len(),
            (Some(at), None) | (None, Some(at)) => at,
            (Some(close), Some(next)) => close.min(next),
        };
        (self.close, self.next) = Default::default();
        let taken = body_end + if is_closed { CLOSE.len() } else { 0 };
        Step::Calls(taken, calls_in(&rest[OPEN.len()..body_end]))
    }
}
