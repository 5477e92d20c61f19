//! Learning from preferences.
//!
//! 1. Only the assistant's tokens after the point where two dialogues part are learned, and what both
//!    have in common has the same tokens.
//! 2. A run that was stopped and goes on ends with the same weights as one that was not.
//! 3. Held-out accuracy rises on pairs with a known truth, for policies and reward models.
//! 4. A trained reward model judges conversations.

#![allow(clippy::unwrap_used, reason = "a run that cannot be set up ends the test")]

#[path = "../../../../tests/support/data.rs"]
mod data;

mod judgments;
mod masks;
mod reward;
mod runs;
mod support;
