//! Whole runs on a real small model: what they write, going on after a stop, and what goes wrong on the
//! way.

#![allow(clippy::unwrap_used, reason = "a run that cannot be set up ends the test")]

#[path = "../../../../tests/support/data.rs"]
mod data;

mod best;
mod borders;
mod disk;
mod exact;
mod files;
mod health;
mod judged;
mod own_worlds;
mod refill;
mod stale;
mod support;
mod tools;
mod weighing;
mod worlds;
