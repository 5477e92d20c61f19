//! Answers of models below every API: what clients of any of them rely on.
#![allow(clippy::unwrap_used, reason = "tests")]

mod canned;
mod embeddings;
mod exchange;
mod forms;
mod local;
mod support;
