//! How messages are described. Their layout is that of [`stateset_core::MessageRecord`], which is written to
//! disk too and knows nothing of this description.

#![expect(dead_code, reason = "these types are never made: only their schemas are used")]

use serde_json::Value;
use utoipa::ToSchema;

use crate::openai::schemas::text_or_parts;

/// A message in OpenAI's layout.
#[derive(ToSchema)]
pub(crate) struct ConversationMessage {
    /// Who says it.
    role: MessageRole,
    /// A text or parts; null counts as empty.
    #[schema(schema_with = text_or_parts)]
    content: Option<String>,
    /// Thoughts of the model.
    reasoning_content: Option<String>,
    /// Calls of tools.
    #[schema(required = false)]
    tool_calls: Vec<MessageToolCall>,
    /// For results of tools: the call answered.
    tool_call_id: Option<String>,
    /// For results of tools: the tool.
    name: Option<String>,
}

/// A message of a conversation, as it is kept.
#[derive(ToSchema)]
pub(super) struct KeptMessage {
    /// Who said it.
    role: MessageRole,
    /// A text or parts.
    #[schema(schema_with = text_or_parts)]
    content: Option<String>,
    /// Thoughts of the model.
    reasoning_content: Option<String>,
    /// Calls of tools.
    #[schema(required = false)]
    tool_calls: Vec<MessageToolCall>,
    /// For results of tools: the call answered.
    tool_call_id: Option<String>,
    /// For results of tools: the tool.
    name: Option<String>,
    /// Its place in the conversation, from 0.
    #[schema(minimum = 0)]
    place: i64,
    /// When it was written, in seconds since 1970.
    created_at: i64,
}

/// Who says a message.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
enum MessageRole {
    System,
    User,
    Assistant,
    Tool,
}

/// A call of a tool.
#[derive(ToSchema)]
struct MessageToolCall {
    /// Its id.
    #[schema(required = false)]
    id: String,
    /// Always `function`.
    #[schema(rename = "type", required = false)]
    kind: String,
    /// What is called.
    function: MessageFunction,
}

/// Name and arguments of a call.
#[derive(ToSchema)]
struct MessageFunction {
    /// Name of the tool.
    name: String,
    /// An object, or a text that holds one as JSON.
    arguments: Value,
}
