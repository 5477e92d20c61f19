//! Tools of servers that speak the Model Context Protocol, by its official SDK.

mod connection;
mod server;
mod tool;

pub use server::{McpServer, McpSettings, McpTransport};
pub use tool::McpTool;
