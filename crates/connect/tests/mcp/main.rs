//! Tools of MCP servers: over the pipes of a child process, and over streamable HTTP.
#![cfg(all(feature = "mcp", unix))]
#![allow(clippy::unwrap_used, reason = "a server that cannot be set up ends the test")]
#![allow(clippy::print_stderr, reason = "a server that dies writes why")]

mod http;
mod shop;
mod stdio;
