//! The APIs of other people, over real connections to real servers.
//!
//! Answers and every event of a stream are held against OpenAI's own description of its API.
#![allow(clippy::unwrap_used, reason = "a server that cannot be set up ends the test")]

#[path = "../../../../tests/support/data.rs"]
mod data;
#[path = "../support/clients.rs"]
mod python_clients;

mod allowed;
mod anthropic;
mod chat;
mod clients;
mod embeddings;
mod errors;
mod items;
mod running;
mod schema;
mod text;
