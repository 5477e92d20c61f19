//! What `/v1/responses` says.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::openai::logprobs::TokenLogprob;

/// An answer, finished or under way.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ItemsResponse {
    /// Its id.
    pub id: String,
    /// Always `response`.
    pub object: &'static str,
    /// When it was begun, in seconds since 1970.
    pub created_at: u64,
    /// `in_progress`, `completed`, `incomplete` or `failed`.
    pub status: &'static str,
    /// Why it failed.
    #[schema(required)]
    pub error: Option<FailedField>,
    /// Why it is incomplete.
    #[schema(required)]
    pub incomplete_details: Option<IncompleteField>,
    /// As in the request.
    #[schema(required)]
    pub instructions: Option<String>,
    /// As in the request.
    #[schema(required)]
    pub max_output_tokens: Option<usize>,
    /// Who answers.
    pub model: String,
    /// What was said and called.
    pub output: Vec<OutputItem>,
    /// As in the request.
    pub parallel_tool_calls: bool,
    /// Always null.
    #[schema(value_type = Option<String>)]
    pub previous_response_id: (),
    /// Always false: answers are not kept.
    pub store: bool,
    /// How it was drawn; 0 for the likeliest tokens.
    pub temperature: f64,
    /// The form of the answer.
    #[schema(value_type = Object)]
    pub text: Value,
    /// As in the request.
    pub tool_choice: Value,
    /// As in the request.
    #[schema(value_type = Vec<Object>)]
    pub tools: Vec<Value>,
    /// How it was drawn.
    pub top_p: f64,
    /// Always `disabled`: what is too long is refused.
    pub truncation: &'static str,
    /// How many tokens it took; absent before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<ItemsUsage>,
    /// As in the request.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
}

/// Why an answer failed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct FailedField {
    /// Kind of failure.
    pub code: &'static str,
    /// What happened.
    pub message: String,
}

/// Why an answer is incomplete.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct IncompleteField {
    /// Always `max_output_tokens`.
    pub reason: &'static str,
}

/// Tokens that were read and drawn; words for models without tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ItemsUsage {
    /// Read.
    pub input_tokens: usize,
    /// More on these.
    pub input_tokens_details: InputDetails,
    /// Drawn.
    pub output_tokens: usize,
    /// More on these.
    pub output_tokens_details: OutputDetails,
    /// Both.
    pub total_tokens: usize,
}

/// More on tokens that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct InputDetails {
    /// Those that were in the engine's cache and not read again; 0 for models without one.
    pub cached_tokens: usize,
    /// Always 0.
    pub cache_write_tokens: usize,
}

/// More on tokens that were drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct OutputDetails {
    /// Always 0: thoughts are not counted apart.
    pub reasoning_tokens: usize,
}

/// Something said, thought or called.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum OutputItem {
    /// Thoughts.
    Reasoning {
        /// Its id.
        id: String,
        /// Always empty.
        summary: Vec<String>,
        /// The thoughts.
        content: Vec<OutputPart>,
        /// `in_progress`, `completed` or `incomplete`.
        status: &'static str,
    },
    /// A message.
    Message {
        /// Its id.
        id: String,
        /// Always `assistant`.
        role: &'static str,
        /// The text.
        content: Vec<OutputPart>,
        /// `in_progress`, `completed` or `incomplete`.
        status: &'static str,
    },
    /// A call of a function.
    FunctionCall {
        /// Its id.
        id: String,
        /// The id that its result carries too.
        call_id: String,
        /// Name of the function.
        name: String,
        /// JSON of the arguments.
        arguments: String,
        /// `in_progress` or `completed`.
        status: &'static str,
    },
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum OutputPart {
    /// Text.
    OutputText {
        /// The text.
        text: String,
        /// Always empty.
        annotations: Vec<String>,
        /// Log-probs, where they were asked for.
        logprobs: Vec<TokenLogprob>,
    },
    /// Thoughts.
    ReasoningText {
        /// The thoughts.
        text: String,
    },
}

impl OutputPart {
    /// Text with its log-probs.
    pub(super) fn said(text: &str, logprobs: &[TokenLogprob]) -> OutputPart {
        let (text, logprobs) = (text.to_owned(), logprobs.to_vec());
        OutputPart::OutputText { text, annotations: Vec::new(), logprobs }
    }
}
