//! Environments, scenarios, scripted and simulated users, and rewards; no model, no tensors.
//!
//! - [`scenarios`] reads scenario and prompt files; [`sets`] holds the built-in ones.
//! - [`conversation`] and [`prompts`] are the environments.
//! - [`customer`] is the simulated customer that reacts to what the agent says.
//! - [`judging`] is what judges are asked, and how their answers are read.
//! - [`rewards`] judge finished conversations.
//! - [`tools`] are what agents call, and how any environment gets them.

pub mod conversation;
pub mod customer;
mod error;
mod fields;
pub mod judging;
mod names;
pub mod prompts;
pub mod rewards;
pub mod scenarios;
pub mod sets;
mod text;
pub mod tools;

pub use error::{EnvError, Problem};
