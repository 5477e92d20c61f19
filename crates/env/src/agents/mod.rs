//! What stands around an agent's policy: what it remembers, plans, keeps to itself and hands on.
//!
//! Everything here is a function of a conversation: no clock, no file, no task. [`Surroundings`] puts the parts
//! together; the agent that uses them is built where policies are.

pub mod compression;
pub mod context;
pub mod memory;
pub mod planning;
pub mod reasoning;
mod surroundings;
pub mod team;

pub use surroundings::{Reading, Surroundings};

/// The example of the guide's page, run with the documentation's own.
#[cfg(doctest)]
#[doc = include_str!("../../../../docs/agents.md")]
pub struct Guide;
