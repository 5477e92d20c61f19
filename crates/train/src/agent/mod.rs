//! Agents: policies with something around them.

mod multi_turn;

pub use multi_turn::MultiTurnAgent;
