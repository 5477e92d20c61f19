//! Tools of MCP servers: over the pipes of a child process, and over streamable HTTP.
#![cfg(all(feature = "mcp", unix))]

mod http;
mod shop;
mod stdio;
