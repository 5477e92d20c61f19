//! Everything the guide shows, run: the programs of `examples/` and the commands of README.md.

#[path = "../../../../tests/support/data.rs"]
mod data;

mod examples;
mod learning;
mod methods;
mod pages;
mod readme;
