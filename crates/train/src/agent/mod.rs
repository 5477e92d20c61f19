//! Agents: policies with something around them.

mod counter;
mod multi_turn;
mod team;
mod tool_agent;

pub use counter::token_counter;
pub use multi_turn::MultiTurnAgent;
pub use team::{Team, TeamMember};
pub use tool_agent::ToolAgent;
