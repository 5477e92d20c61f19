//! What a client sends to `/v1/messages`.
//!
//! Fields that are not here are ignored, since clients send many. Blocks and choices are structures with
//! optional fields and not tagged enums, so that what is wrong in them is named with its place.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::wire::TextOr;

/// A conversation to answer.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct MessagesRequest {
    /// Name of the model.
    pub model: String,
    /// The conversation; the last message is the user's.
    #[schema(min_items = 1)]
    pub messages: Vec<GivenMessage>,
    /// Most tokens to draw.
    #[schema(minimum = 1)]
    pub max_tokens: i64,
    /// Instructions.
    #[schema(schema_with = super::schemas::text_or_blocks_or_null)]
    pub system: Option<TextOr<Vec<Block>>>,
    /// 0 takes the likeliest token.
    #[schema(minimum = 0, maximum = 1)]
    pub temperature: Option<f64>,
    /// Keep the smallest set of tokens with this probability.
    #[schema(minimum = 0, maximum = 1)]
    pub top_p: Option<f64>,
    /// Keep the k likeliest tokens.
    #[schema(minimum = 0)]
    pub top_k: Option<i64>,
    /// Texts that end the answer.
    pub stop_sequences: Option<Vec<String>>,
    /// Tools the model may call.
    pub tools: Option<Vec<GivenTool>>,
    /// Whether it may or must.
    pub tool_choice: Option<GivenChoice>,
    /// Answer in server-sent events.
    pub stream: Option<bool>,
    /// Extension: equal seeds give equal answers.
    pub seed: Option<i64>,
}

/// A conversation to count.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CountRequest {
    /// Name of the model.
    pub model: String,
    /// The conversation; the last message is the user's.
    #[schema(min_items = 1)]
    pub messages: Vec<GivenMessage>,
    /// Instructions.
    #[schema(schema_with = super::schemas::text_or_blocks_or_null)]
    pub system: Option<TextOr<Vec<Block>>>,
    /// Tools the model may call.
    pub tools: Option<Vec<GivenTool>>,
    /// Whether it may or must.
    pub tool_choice: Option<GivenChoice>,
}

/// One message.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct GivenMessage {
    /// `user` or `assistant`.
    pub role: String,
    /// A text, or blocks.
    #[schema(schema_with = super::schemas::text_or_blocks)]
    pub content: TextOr<Vec<Block>>,
}

/// A part of a message.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(no_recursion)]
pub(crate) struct Block {
    /// `text`, `image`, `tool_use`, `tool_result`, `thinking` or `redacted_thinking`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Of a text: the text.
    pub text: Option<String>,
    /// Of a thought: the text.
    pub thinking: Option<String>,
    /// Of a picture: where it is.
    pub source: Option<ImageSource>,
    /// Of a call: its id.
    pub id: Option<String>,
    /// Of a call: name of the tool.
    pub name: Option<String>,
    /// Of a call: the arguments.
    #[schema(value_type = Option<Object>)]
    pub input: Option<Map<String, Value>>,
    /// Of a result: the call it answers.
    pub tool_use_id: Option<String>,
    /// Of a result: a text, or blocks.
    #[schema(schema_with = super::schemas::text_or_blocks_or_null)]
    pub content: Option<TextOr<Vec<Block>>>,
    /// Of a result: the tool failed.
    pub is_error: Option<bool>,
}

/// Where a picture is.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ImageSource {
    /// `base64` or `url`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Such as `image/png`.
    pub media_type: Option<String>,
    /// The picture, in base 64.
    pub data: Option<String>,
    /// Its address.
    pub url: Option<String>,
}

/// A tool.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct GivenTool {
    /// `custom`, or absent.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Up to 64 letters, digits, `_` and `-`.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON schema of its arguments.
    #[schema(value_type = Option<Object>)]
    pub input_schema: Option<Map<String, Value>>,
}

/// Whether tools may or must be called.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct GivenChoice {
    /// `auto`, `any`, `tool` or `none`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Of `tool`: its name.
    pub name: Option<String>,
    /// At most one call.
    pub disable_parallel_tool_use: Option<bool>,
}
