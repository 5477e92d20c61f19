//! Calls of tools as models write them: one format for each family, rendered and read back.

mod bare_json;
mod coerce;
mod describe;
mod extent;
mod fenced;
mod format;
mod json;
mod mistral;
mod parser;
mod python;
mod pythonic;
mod scan;
mod tagged;
mod xml;

pub use format::{CallFormat, ReadReply};
pub use parser::{CallParser, Piece};
