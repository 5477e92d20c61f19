//! A tool of an MCP server.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use stateset_core::{Tool, ToolError, ToolSpec};

use super::server::McpServer;
use crate::remote::RemoteError;
use crate::tools::Arguments;

/// A tool that a server brings. It makes one attempt; [`crate::Guarded`] gives it retries and limits.
pub struct McpTool {
    server: Arc<McpServer>,
    spec: ToolSpec,
    arguments: Arguments,
    is_idempotent: bool,
}

impl McpTool {
    /// A schema that the server gives and that is none is an error of the server's.
    pub(super) fn new(
        server: Arc<McpServer>,
        spec: ToolSpec,
        is_idempotent: bool,
    ) -> Result<McpTool, RemoteError> {
        let who = format!("the tool {:?} of {}", spec.name, server.who());
        let arguments = Arguments::new(&who, &spec.parameters)?;
        Ok(McpTool { server, spec, arguments, is_idempotent })
    }
}

#[async_trait]
impl Tool for McpTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value) -> Result<Value, ToolError> {
        let name = &self.spec.name;
        let fields = self.arguments.check(name, arguments)?;
        let result = self.server.call(name, fields).await;
        result.map_err(|error| error.into_tool_error(name, self.is_idempotent))
    }
}
