//! Agents: policies with something around them.

mod multi_turn;
mod tool_agent;

pub use multi_turn::MultiTurnAgent;
pub use tool_agent::ToolAgent;
