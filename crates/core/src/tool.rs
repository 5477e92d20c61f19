//! A tool an agent can call.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use crate::ToolSpec;

/// Why a call gave no result. The text goes back to the agent as the tool's answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolError {
    /// The arguments do not fit the tool's schema.
    #[error("call {tool}: {message}")]
    BadArguments {
        /// Name of the tool.
        tool: String,
        /// What does not fit.
        message: String,
    },
    /// The tool itself failed.
    #[error("run {tool}: {message}")]
    Failed {
        /// Name of the tool.
        tool: String,
        /// What happened.
        message: String,
    },
    /// What is behind the tool is not there, does not answer or is too busy.
    #[error("run {tool}: {message}")]
    Unavailable {
        /// Name of the tool.
        tool: String,
        /// What happened, and to whom.
        message: String,
        /// How long it asks to be left alone, where it says so.
        retry_after: Option<Duration>,
        /// The call may be made again: it had no effect, or another one does no harm.
        is_repeatable: bool,
    },
}

/// Something an agent can call.
#[async_trait]
pub trait Tool: Send + Sync {
    /// What the agent is told about it.
    fn spec(&self) -> &ToolSpec;

    /// Runs it.
    ///
    /// # Errors
    /// [`ToolError`], whose text the agent reads.
    async fn call(&self, arguments: Value) -> Result<Value, ToolError>;
}
