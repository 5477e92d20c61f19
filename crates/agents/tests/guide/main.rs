//! Everything the guide shows, run: the programs of `examples/` and the commands of README.md.

#![allow(clippy::unwrap_used, reason = "a file that cannot be written ends the test")]

#[path = "../../../../tests/support/data.rs"]
mod data;

#[path = "../cli/model_server.rs"]
mod model_server;

mod auto;
mod examples;
mod harness;
mod judges;
mod learning;
mod methods;
mod pages;
mod readme;
mod serving;
