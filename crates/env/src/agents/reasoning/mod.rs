//! Keeping what a model thinks out of what it says.

mod splitter;
mod tags;

pub use splitter::ReasoningSplitter;
pub use tags::ReasoningTags;
