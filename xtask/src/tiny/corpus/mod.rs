//! The text that the embedded model is trained on: conversations at a support desk, made by rule.
//!
//! Four fifths are conversations of scripted agents, good and bad ([`AgentKind`]), with the simulated
//! customers of `stateset-env`; the rest is small talk and simple questions. Customers are drawn from
//! the combinations and order numbers for training only, so that a model trained on this text has
//! never met a customer of the other splits.

mod agent_kind;
mod conversation;
mod desk;
mod grammar;
mod instructions;
mod small_talk;
mod small_talk_topics;
mod statistics;
#[cfg(test)]
mod tests;
mod turn;

pub(crate) use conversation::{conversation, conversations};
pub(crate) use statistics::statistics;
