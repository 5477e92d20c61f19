//! What `/v1/chat/completions` says, whole or in chunks.

use serde::Serialize;
use stateset_core::{FinishReason, ToolCall};
use utoipa::ToSchema;

use super::logprobs::{ChatLogprobs, values};
use super::usage::Usage;
use crate::answer::{Answer, DrawnToken};

/// The answers to a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ChatResponse {
    /// Id of the answer.
    pub id: String,
    /// Always `chat.completion`.
    pub object: &'static str,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// Who answered.
    pub model: String,
    /// The answers.
    pub choices: Vec<ChatChoice>,
    /// How many tokens it took.
    pub usage: Usage,
    /// Names the weights that answered.
    pub system_fingerprint: String,
    /// Extension: tokens that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_token_ids: Option<Vec<u32>>,
    /// Extension: number of the weights that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<u64>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ChatChoice {
    /// Its number.
    pub index: usize,
    /// What is said.
    pub message: SaidMessage,
    /// Log-probs, where they were asked for.
    #[schema(required)]
    pub logprobs: Option<ChatLogprobs>,
    /// `stop`, `length` or `tool_calls`.
    pub finish_reason: &'static str,
    /// Extension: tokens that were drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ids: Option<Vec<u32>>,
    /// Extension: the log-prob of each of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_logprobs: Option<Vec<f64>>,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SaidMessage {
    /// Always `assistant`.
    pub role: &'static str,
    /// The text; null where there are only calls.
    #[schema(required)]
    pub content: Option<String>,
    /// Always null.
    #[schema(value_type = Option<String>)]
    pub refusal: (),
    /// Extension: thoughts before the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// Calls of tools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<SaidCall>,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SaidCall {
    /// Its number, in chunks only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Its id; the message with its result carries it too.
    pub id: String,
    /// Always `function`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What is called.
    pub function: SaidFunction,
}

/// What is called.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SaidFunction {
    /// Name of the tool.
    pub name: String,
    /// JSON of the arguments.
    pub arguments: String,
}

/// A chunk of the answers to a conversation.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ChatChunk {
    /// Id of the answer.
    pub id: String,
    /// Always `chat.completion.chunk`.
    pub object: &'static str,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// Who answers.
    pub model: String,
    /// What is new; none in the chunk that tells the usage.
    pub choices: Vec<ChunkChoice>,
    /// Number of tokens; in the last chunk, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Names the weights that answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// Extension: tokens that were read, in the first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_token_ids: Option<Vec<u32>>,
    /// Extension: number of the weights that answer, in the first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<u64>,
}

/// What is new of one answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct ChunkChoice {
    /// Its number.
    pub index: usize,
    /// What is new.
    pub delta: Delta,
    /// Log-probs of new tokens, where they were asked for.
    #[schema(required)]
    pub logprobs: Option<ChatLogprobs>,
    /// Why it ended, in its last chunk.
    #[schema(required)]
    pub finish_reason: Option<&'static str>,
    /// Extension: new tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ids: Option<Vec<u32>>,
    /// Extension: their log-probs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_logprobs: Option<Vec<f64>>,
}

/// What is new of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Delta {
    /// Who speaks; in the first chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<&'static str>,
    /// More text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Extension: more thoughts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_content: Option<String>,
    /// New calls.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<SaidCall>,
}

/// What a client wants to be told beside the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Log-probs.
    pub logprobs: bool,
    /// Tokens.
    pub token_ids: bool,
    /// Several calls in one answer.
    pub several_calls: bool,
}

impl ChatChoice {
    /// The answer with this number.
    pub(super) fn new(index: usize, answer: Answer, wanted: Wanted) -> ChatChoice {
        let finish_reason = finish_reason(answer.finish);
        let logprobs = wanted.logprobs.then(|| ChatLogprobs::of(&answer.tokens));
        let (token_ids, token_logprobs) = told_tokens(&answer.tokens, wanted.token_ids);
        let message = answer.message;
        let most = if wanted.several_calls { usize::MAX } else { 1 };
        let calls = message.tool_calls.into_iter().take(most);
        let tool_calls: Vec<SaidCall> = calls.map(|call| SaidCall::new(call, None)).collect();
        let is_silent = message.content.is_empty() && !tool_calls.is_empty();
        let message = SaidMessage {
            role: "assistant",
            content: (!is_silent).then_some(message.content),
            refusal: (),
            reasoning_content: message.reasoning,
            tool_calls,
        };
        ChatChoice { index, message, logprobs, finish_reason, token_ids, token_logprobs }
    }
}

impl SaidCall {
    /// This call; in chunks with its number.
    pub(super) fn new(call: ToolCall, index: Option<usize>) -> SaidCall {
        let function = SaidFunction { name: call.name, arguments: call.arguments.to_string() };
        SaidCall { index, id: call.id, kind: "function", function }
    }
}

/// Numbers and log-probs of tokens, where they are wanted.
pub(super) fn told_tokens(
    tokens: &[DrawnToken],
    wanted: bool,
) -> (Option<Vec<u32>>, Option<Vec<f64>>) {
    if !wanted {
        return (None, None);
    }
    (Some(tokens.iter().map(|token| token.id).collect()), Some(values(tokens)))
}

/// Why an answer ended, in OpenAI's words.
pub(super) fn finish_reason(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Stop | FinishReason::Cancelled => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolCalls => "tool_calls",
    }
}
