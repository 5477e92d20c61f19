//! Everything the guide shows, run: the programs of `examples/` and the commands of README.md.

#[path = "../../../../tests/support/data.rs"]
mod data;

mod auto;
mod examples;
mod learning;
mod pages;
mod readme;
