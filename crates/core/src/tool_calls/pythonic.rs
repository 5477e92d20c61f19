//! `[f(a=1), g()]`: Llama 3.2 and 4, and models that are told to write Python.
//!
//! Source: Meta's prompt format of Llama 3.2. The list stands at the beginning of a line. The choice a
//! reader would question: a bracket that only looks like a list of calls (`[see(above)]`) is text
//! unless it names a tool that is known, so ordinary prose passes unchanged.

use std::sync::Arc;

use super::extent::{Extent, Syntax};
use super::python::{calls, name_len};
use super::scan::{Scan, Step, View, end_of};
use crate::ToolSpec;

/// Reads pythonic calls.
#[derive(Debug)]
pub(super) struct Pythonic {
    tools: Arc<[ToolSpec]>,
    extent: Option<Extent>,
}

impl Pythonic {
    pub(super) fn new(tools: Arc<[ToolSpec]>) -> Self {
        Pythonic { tools, extent: None }
    }

    fn is_tool(&self, name: &str) -> bool {
        self.tools.is_empty() || self.tools.iter().any(|tool| tool.name == name)
    }
}

/// What stands behind an opening bracket.
#[derive(Debug, PartialEq, Eq)]
enum Head<'a> {
    /// A name and an opening bracket.
    Call(&'a str),
    /// Something else.
    Text,
    /// Either, as far as one can see.
    Open,
}

impl Scan for Pythonic {
    fn step(&mut self, view: View<'_>) -> Step {
        let rest = view.rest;
        let Some(at) = view.first_of_line('[', rest.len()) else {
            return Step::Text(rest.len());
        };
        if at > 0 {
            return Step::Text(at);
        }
        let name = match head(&rest[1..]) {
            Head::Call(name) => name,
            Head::Open if !view.is_end => return Step::Wait,
            Head::Open | Head::Text => return Step::Text(1),
        };
        match end_of(&mut self.extent, Syntax::Python, rest, 0) {
            Some(end) => match calls(&rest[..end]) {
                Ok(calls) => Step::Calls(end, calls.into_iter().map(Ok).collect()),
                Err(why) if self.is_tool(name) => Step::unread(end, &rest[..end], why),
                Err(_) => Step::Text(end),
            },
            None if !view.is_end => Step::Wait,
            None if self.is_tool(name) => {
                Step::unread(rest.len(), rest, "the list of calls is not closed")
            }
            None => {
                self.extent = None;
                Step::Text(1)
            }
        }
    }
}

fn head(text: &str) -> Head<'_> {
    let text = text.trim_start();
    let len = name_len(text);
    let after = text[len..].trim_start();
    match after.chars().next() {
        None => Head::Open,
        Some('(') if len > 0 => Head::Call(&text[..len]),
        Some(_) => Head::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_seen_as_it_arrives() {
        for (text, expected) in [
            ("", Head::Open),
            ("get", Head::Open),
            (" get_x (", Head::Call("get_x")),
            ("a.b(", Head::Call("a.b")),
            ("1", Head::Text),
            ("(", Head::Text),
            ("see above", Head::Text),
            ("x]", Head::Text),
        ] {
            assert_eq!(head(text), expected, "{text}");
        }
    }
}
