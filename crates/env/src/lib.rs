//! Environments, scenarios, scripted and simulated users, and rewards; no model, no tensors.
//!
//! - [`scenarios`] reads scenario and prompt files; [`sets`] holds the built-in ones.
//! - [`agents`] is what stands around a policy: memory, planning, compression, reasoning, teams.
//! - [`conversation`] and [`prompts`] are the environments.
//! - [`customer`] is the simulated customer that reacts to what the agent says.
//! - [`commerce`] holds small shops whose agents act by tools and are judged by business figures.
//! - [`agenda`] holds users with a goal and a persona, [`pupil`] pupils with a misconception, [`model_user`]
//!   users played by a policy.
//! - [`judging`] is what judges are asked, and how their answers are read.
//! - [`database`] is tools over a database, [`shop`] the built-in world of it; [`task`] is tasks with
//!   required actions.
//! - [`rewards`] judge finished conversations.
//! - [`tools`] are what agents call, and how any environment gets them.

pub mod agenda;
pub mod agents;
pub mod commerce;
pub mod conversation;
pub mod customer;
pub mod database;
mod episode;
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
pub mod shop;
pub mod task;
mod text;
pub mod tools;

pub use error::{EnvError, Problem};

/// The guide's page on tools over a database, whose code is compiled and run with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/databases.md")]
mod databases_guide {}
/// The guide's page on commerce, whose code is compiled and run with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/commerce.md")]
mod commerce_guide {}
pub use persona::{PERSONA_NAMES, Persona};

/// The guide's page on users, whose code is compiled and run with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/users.md")]
mod guide {}
