//! What `/v1/messages` says.

use serde::Serialize;
use serde_json::Value;
use stateset_core::FinishReason;
use utoipa::ToSchema;

use crate::answer::Answer;

/// An answer, finished or under way.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct MessageResponse {
    /// Its id.
    pub id: String,
    /// Always `message`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Always `assistant`.
    pub role: &'static str,
    /// Who answers.
    pub model: String,
    /// What is said and called.
    pub content: Vec<SaidBlock>,
    /// `end_turn`, `max_tokens`, `stop_sequence` or `tool_use`; null before the end.
    #[schema(required)]
    pub stop_reason: Option<&'static str>,
    /// The text that ended it.
    #[schema(required)]
    pub stop_sequence: Option<String>,
    /// How many tokens it took.
    pub usage: MessageUsage,
}

/// Tokens that were read and drawn; words for models without tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct MessageUsage {
    /// Of the prompt, without those of `cache_read_input_tokens` once these are known.
    pub input_tokens: usize,
    /// Of the prompt too: they were in the engine's cache and not read again. Null before the end of an
    /// answer, and for models without tokens.
    #[schema(required)]
    pub cache_read_input_tokens: Option<usize>,
    /// Drawn so far.
    pub output_tokens: usize,
}

/// A part of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum SaidBlock {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// Thoughts.
    Thinking {
        /// The thoughts.
        thinking: String,
        /// Always empty.
        signature: &'static str,
    },
    /// A call of a tool.
    ToolUse {
        /// Its id.
        id: String,
        /// Name of the tool.
        name: String,
        /// The arguments.
        #[schema(value_type = Object)]
        input: Value,
    },
}

/// Why an answer ended, and the text that ended it.
pub(super) fn stop_of(answer: &Answer) -> (&'static str, Option<String>) {
    let reason = match answer.finish {
        FinishReason::Length => "max_tokens",
        FinishReason::ToolCalls => "tool_use",
        FinishReason::Stop if answer.stopped_by.is_some() => "stop_sequence",
        FinishReason::Stop | FinishReason::Cancelled => "end_turn",
    };
    let text = answer.stopped_by.clone().filter(|_| reason == "stop_sequence");
    (reason, text)
}
