//! [`CallParser`]: an answer, piece by piece as it arrives, to text and calls.
//!
//! Holds back only what may still become part of a call, so text can be shown while it is being
//! written. The pieces of an answer do not depend on how it was cut: texts put together, and calls, are
//! those of the answer as a whole. The choice a reader would question: ids are counted (`call00000`)
//! instead of drawn, so a run that is repeated makes the same ones; nine letters and digits are what
//! Mistral's templates insist on.

use std::sync::Arc;

use super::bare_json::BareJson;
use super::fenced::Fenced;
use super::format::CallFormat;
use super::mistral::Mistral;
use super::pythonic::Pythonic;
use super::scan::{Found, Scan, Step, View};
use super::tagged::Hermes;
use super::xml::Xml;
use crate::{ToolCall, ToolSpec};

/// A part of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Visible text, as it was written.
    Text(String),
    /// A call.
    Call(ToolCall),
    /// Something that was meant to be a call and cannot be read.
    Malformed {
        /// What was written.
        raw: String,
        /// What is wrong with it, in words for the model.
        why: String,
    },
}

/// Reads one answer.
pub struct CallParser {
    scan: Box<dyn Scan>,
    buffer: String,
    is_line_start: bool,
    n_calls: usize,
}

impl std::fmt::Debug for CallParser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallParser")
            .field("buffer", &self.buffer)
            .field("n_calls", &self.n_calls)
            .finish_non_exhaustive()
    }
}

impl CallParser {
    /// A parser for one answer of an agent that was told of `tools`, in a conversation with
    /// `n_earlier` calls before; they decide the ids.
    pub fn new(format: CallFormat, tools: &[ToolSpec], n_earlier: usize) -> Self {
        let tools: Arc<[ToolSpec]> = tools.into();
        let scan: Box<dyn Scan> = match format {
            CallFormat::Hermes => Box::<Hermes>::default(),
            CallFormat::Llama => Box::<BareJson>::default(),
            CallFormat::Mistral | CallFormat::MistralArgs => Box::<Mistral>::default(),
            CallFormat::QwenXml => Box::new(Xml::new(tools)),
            CallFormat::Pythonic => Box::new(Pythonic::new(tools)),
            CallFormat::Json => Box::<Fenced>::default(),
        };
        CallParser { scan, buffer: String::new(), is_line_start: true, n_calls: n_earlier }
    }

    /// What is certain once `text` has arrived.
    pub fn push(&mut self, text: &str) -> Vec<Piece> {
        self.buffer.push_str(text);
        self.read(false)
    }

    /// The rest, once nothing follows.
    pub fn finish(mut self) -> Vec<Piece> {
        self.read(true)
    }

    fn read(&mut self, is_end: bool) -> Vec<Piece> {
        let buffer = std::mem::take(&mut self.buffer);
        let mut at = 0;
        let mut pieces = Vec::new();
        while at < buffer.len() {
            let view = View { rest: &buffer[at..], is_line_start: self.is_line_start, is_end };
            let taken = match self.scan.step(view) {
                Step::Wait if !is_end => break,
                // No reader waits at the end; if one did, what it waits with would be text.
                Step::Wait => {
                    pieces.push(Piece::Text(view.rest.to_owned()));
                    view.rest.len()
                }
                Step::Text(n) => {
                    pieces.push(Piece::Text(view.rest[..n].to_owned()));
                    n
                }
                Step::Calls(n, found) => {
                    pieces.extend(found.into_iter().map(|found| self.piece(found)));
                    n
                }
            };
            self.is_line_start = view.is_line_start(taken);
            at += taken;
        }
        self.buffer = buffer[at..].to_owned();
        joined(pieces)
    }

    fn piece(&mut self, found: Found) -> Piece {
        match found {
            Ok(spoken) => {
                let id = call_id(self.n_calls);
                self.n_calls += 1;
                Piece::Call(ToolCall { id, name: spoken.name, arguments: spoken.arguments })
            }
            Err(unread) => {
                // It gets an answer too, and so counts.
                self.n_calls += 1;
                Piece::Malformed { raw: unread.raw, why: unread.why }
            }
        }
    }
}

/// Id of the call with this number in its conversation.
pub(super) fn call_id(n: usize) -> String {
    format!("call{n:05}")
}

/// Neighbouring texts become one.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match (out.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
            (_, piece) => out.push(piece),
        }
    }
    out
}
