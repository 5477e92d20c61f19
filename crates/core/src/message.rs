//! Chat messages, tool calls and tool descriptions, in the roles every chat template knows.
//!
//! A [`Message`] is what is *said*; which of its tokens a policy sampled is the business of
//! [`crate::TokenTrace`]. The layout on disk is [`crate::MessageRecord`].

use std::fmt;

use serde_json::Value;

use crate::ImageContent;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions for the agent, usually the first message.
    System,
    /// The person or simulated person the agent serves.
    User,
    /// The agent.
    Assistant,
    /// The result of a tool the agent called.
    Tool,
}

impl Role {
    /// The lower-case name that chat templates and JSON files use.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }

    /// The role with this lower-case name; `None` for any other text.
    pub fn from_name(name: &str) -> Option<Role> {
        [Role::System, Role::User, Role::Assistant, Role::Tool]
            .into_iter()
            .find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One call of a tool, as the agent asked for it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// Identifies the call inside its conversation; the matching result carries it too.
    pub id: String,
    /// Name of the tool.
    pub name: String,
    /// Arguments, normally a JSON object.
    pub arguments: Value,
}

/// Name of a call that could not be read; no tool may have it.
pub const MALFORMED_CALL: &str = "malformed_call";

impl ToolCall {
    /// A call that was meant but cannot be read: `raw` is what was written, `why` what is wrong with it.
    /// Whoever answers calls answers this one with the reason.
    pub fn malformed(id: impl Into<String>, raw: &str, why: &str) -> Self {
        let arguments = serde_json::json!({ "raw": raw, "why": why });
        ToolCall { id: id.into(), name: MALFORMED_CALL.to_owned(), arguments }
    }

    /// What was written and what is wrong with it, for a call that could not be read.
    pub fn as_malformed(&self) -> Option<(&str, &str)> {
        let text = |key| self.arguments.get(key).and_then(Value::as_str);
        (self.name == MALFORMED_CALL).then(|| {
            (text("raw").unwrap_or_default(), text("why").unwrap_or("it could not be read"))
        })
    }
}

/// What an agent is told about a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// Name the agent calls it by.
    pub name: String,
    /// What the tool does, in a sentence or two.
    pub description: String,
    /// JSON schema of the arguments object.
    pub parameters: Value,
}

impl ToolSpec {
    /// The `{"type": "function", "function": {..}}` object that OpenAI's API and chat templates use.
    pub fn to_openai(&self) -> Value {
        serde_json::json!({
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": self.parameters,
            }
        })
    }
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// The text; may be empty where `tool_calls` is not.
    pub content: String,
    /// Pictures beside the text. Models that read text only refuse a conversation that holds any.
    pub images: Vec<ImageContent>,
    /// Reasoning text of models that think before they answer, without its tags.
    pub reasoning: Option<String>,
    /// Calls the assistant makes with this message.
    pub tool_calls: Vec<ToolCall>,
    /// For a tool result: the call it answers.
    pub tool_call_id: Option<String>,
    /// For a tool result: name of the tool; otherwise an optional speaker name.
    pub name: Option<String>,
}

impl Message {
    /// A plain message without tools.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Message {
            role,
            content: content.into(),
            images: Vec::new(),
            reasoning: None,
            tool_calls: Vec::new(),
            tool_call_id: None,
            name: None,
        }
    }

    /// A system message.
    pub fn system(content: impl Into<String>) -> Self {
        Message::new(Role::System, content)
    }

    /// A user message.
    pub fn user(content: impl Into<String>) -> Self {
        Message::new(Role::User, content)
    }

    /// An assistant message.
    pub fn assistant(content: impl Into<String>) -> Self {
        Message::new(Role::Assistant, content)
    }

    /// The result of the tool call `call`.
    pub fn tool_result(call: &ToolCall, content: impl Into<String>) -> Self {
        Message {
            tool_call_id: Some(call.id.clone()),
            name: Some(call.name.clone()),
            ..Message::new(Role::Tool, content)
        }
    }
}
