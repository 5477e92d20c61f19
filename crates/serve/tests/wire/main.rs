//! The APIs of other people, over real connections to real servers.
//!
//! Answers and every event of a stream are held against OpenAI's own description of its API.

#[path = "../../../../tests/support/data.rs"]
mod data;

mod anthropic;
mod chat;
mod clients;
mod described;
mod errors;
mod items;
mod running;
mod schema;
mod text;
