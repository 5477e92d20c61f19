//! Environments, scenarios, scripted and simulated users, and rewards; no model, no tensors.
//!
//! - [`scenarios`] reads scenario and prompt files; [`sets`] holds the built-in ones.
//! - [`conversation`] and [`prompts`] are the environments.
//! - [`customer`] is the simulated customer that reacts to what the agent says.
//! - [`agenda`] holds users with a goal and a persona, [`pupil`] pupils with a misconception, [`model_user`]
//!   users played by a policy.
//! - [`judging`] is what judges are asked, and how their answers are read.
//! - [`rewards`] judge finished conversations.

pub mod agenda;
pub mod conversation;
pub mod customer;
mod error;
mod fields;
pub mod judging;
pub mod model_user;
mod names;
mod persona;
pub mod prompts;
pub mod pupil;
pub mod rewards;
pub mod scenarios;
pub mod sets;
mod text;

pub use error::{EnvError, Problem};
pub use persona::{PERSONA_NAMES, Persona};

/// The guide's page on users, whose code is compiled and run with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/users.md")]
mod guide {}
