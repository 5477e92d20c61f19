//! [`ToolRunner`]: the calls of an assistant message to the messages that answer them.
//!
//! Every call gets exactly one answer with its id, in the order of the calls. The choice a reader would
//! question: whatever goes wrong (no such tool, arguments that do not fit, a call that cannot be read, a
//! tool that fails) is an answer that begins with `Error:`, because a model learns to mend its calls only
//! when it reads what was wrong with them.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use stateset_core::{Message, ToolCall};

use super::join::join_all;
use super::registry::ToolRegistry;

/// Words that every answer about something wrong begins with.
pub(super) const ERROR: &str = "Error: ";

/// Runs calls.
#[derive(Clone, Debug)]
pub struct ToolRunner {
    /// The tools.
    pub tools: ToolRegistry,
    /// Most characters of one result; the rest is cut off, with a remark. All where absent.
    pub max_result_chars: Option<usize>,
}

impl ToolRunner {
    /// A runner that cuts nothing off.
    pub fn new(tools: ToolRegistry) -> Self {
        ToolRunner { tools, max_result_chars: None }
    }

    /// Runs all calls, those that wait at the same time, and answers each.
    pub async fn run(&self, calls: &[ToolCall]) -> Vec<Message> {
        let answers = calls.iter().map(|call| {
            Box::pin(self.answer(call)) as Pin<Box<dyn Future<Output = Message> + Send + '_>>
        });
        join_all(answers.collect()).await
    }

    async fn answer(&self, call: &ToolCall) -> Message {
        if let Some((_, why)) = call.as_malformed() {
            return refusal(call, &format!("the call cannot be read: {why}"));
        }
        match self.tools.call(&call.name, call.arguments.clone()).await {
            Ok(result) => Message::tool_result(call, self.text(result)),
            Err(error) => refusal(call, &format!("failed to {error}")),
        }
    }

    /// A text as it is, everything else as JSON.
    fn text(&self, result: Value) -> String {
        let text = match result {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let cut = self.max_result_chars.and_then(|n| text.char_indices().nth(n));
        match cut {
            Some((at, _)) => format!("{} [cut off]", &text[..at]),
            None => text,
        }
    }
}

/// An answer that says what was wrong with a call.
pub(super) fn refusal(call: &ToolCall, why: &str) -> Message {
    Message::tool_result(call, format!("{ERROR}{why}"))
}
