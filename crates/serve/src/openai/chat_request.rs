//! What a client sends to `/v1/chat/completions`.
//!
//! Source: OpenAI's description of its API. Fields that are not here are ignored, since clients send
//! many. The choice a reader would question: parts, tools and formats are structures with optional
//! fields and not tagged enums, so that what is wrong in them is named with its place.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::wire::TextOr;

/// A conversation to answer.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ChatRequest {
    /// Name of the model; the first one where absent.
    pub model: Option<String>,
    /// The conversation.
    #[schema(required, min_items = 1)]
    pub messages: Vec<ChatMessage>,
    /// Number of answers, 1 to 16.
    #[schema(minimum = 1, maximum = 16)]
    pub n: Option<i64>,
    /// Most tokens to draw, thoughts included; what the model's context leaves where absent.
    #[schema(minimum = 1)]
    pub max_completion_tokens: Option<i64>,
    /// Older name of `max_completion_tokens`.
    #[schema(minimum = 1)]
    pub max_tokens: Option<i64>,
    /// 0 takes the likeliest token.
    #[schema(minimum = 0, maximum = 2)]
    pub temperature: Option<f64>,
    /// Keep the smallest set of tokens with this probability.
    #[schema(minimum = 0, maximum = 1)]
    pub top_p: Option<f64>,
    /// Extension: keep the k likeliest tokens; 0 or -1 keeps all.
    #[schema(minimum = -1)]
    pub top_k: Option<i64>,
    /// Extension: drop tokens less likely than this share of the likeliest.
    #[schema(minimum = 0, maximum = 1)]
    pub min_p: Option<f64>,
    /// Extension: 1 is off.
    pub repetition_penalty: Option<f64>,
    /// Taken from tokens that the answer holds already.
    #[schema(minimum = -2, maximum = 2)]
    pub presence_penalty: Option<f64>,
    /// The same for each time it holds them.
    #[schema(minimum = -2, maximum = 2)]
    pub frequency_penalty: Option<f64>,
    /// Token to what is added to its logit, -100 to 100.
    #[schema(value_type = Option<Object>)]
    pub logit_bias: Option<Map<String, Value>>,
    /// Up to four texts that end an answer.
    #[schema(schema_with = crate::openai::schemas::text_or_texts)]
    pub stop: Option<TextOr<Vec<String>>>,
    /// Equal seeds give equal answers.
    pub seed: Option<i64>,
    /// Tell the log-prob of every token.
    pub logprobs: Option<bool>,
    /// Tell the likeliest tokens at each place too.
    #[schema(minimum = 0, maximum = 20)]
    pub top_logprobs: Option<i64>,
    /// Tools the model may call.
    pub tools: Option<Vec<ToolField>>,
    /// `none`, `auto`, `required`, one tool, or the allowed ones.
    #[schema(schema_with = crate::openai::schemas::text_or_object)]
    pub tool_choice: Option<TextOr<ToolChoice>>,
    /// Whether an answer may make several calls.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer.
    pub response_format: Option<FormatField>,
    /// Answer in server-sent events.
    pub stream: Option<bool>,
    /// What the events hold.
    pub stream_options: Option<StreamOptions>,
    /// Extension: tell the tokens of prompt and answer.
    pub return_token_ids: Option<bool>,
}

/// One message.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ChatMessage {
    /// `system`, `developer`, `user`, `assistant` or `tool`.
    #[schema(required)]
    pub role: String,
    /// A text, or parts.
    #[schema(schema_with = crate::openai::schemas::text_or_parts)]
    pub content: Option<TextOr<Vec<PartField>>>,
    /// Thoughts of an earlier answer.
    pub reasoning_content: Option<String>,
    /// What a model declined to say, in an earlier answer.
    pub refusal: Option<String>,
    /// Who speaks.
    pub name: Option<String>,
    /// Calls that an earlier answer made.
    pub tool_calls: Option<Vec<CallField>>,
    /// The call that this message answers.
    pub tool_call_id: Option<String>,
}

/// A part of a message.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct PartField {
    /// `text`, `image_url` or `refusal`.
    #[serde(rename = "type")]
    #[schema(required)]
    pub kind: String,
    /// The text.
    pub text: Option<String>,
    /// What was declined.
    pub refusal: Option<String>,
    /// The picture.
    pub image_url: Option<ImageField>,
}

/// Where a picture is.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ImageField {
    /// An address or a `data:` URL.
    pub url: String,
    /// `auto`, `low` or `high`.
    pub detail: Option<String>,
}

/// A call that was made.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CallField {
    /// Its id.
    pub id: String,
    /// What is called.
    pub function: CalledField,
}

/// What is called.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct CalledField {
    /// Name of the tool.
    pub name: String,
    /// JSON of the arguments.
    pub arguments: String,
}

/// A tool.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ToolField {
    /// Always `function`.
    #[serde(rename = "type")]
    #[schema(required)]
    pub kind: String,
    /// The function.
    #[schema(required)]
    pub function: Option<FunctionField>,
}

/// A function.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct FunctionField {
    /// Up to 64 letters, digits, `_` and `-`.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON schema of its arguments; none where absent.
    #[schema(value_type = Option<Object>)]
    pub parameters: Option<Map<String, Value>>,
}

/// One tool that must be called, or those that may be.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ToolChoice {
    /// `function` or `allowed_tools`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which one.
    pub function: Option<NameField>,
    /// Which one, in the layout of `/v1/responses`.
    pub name: Option<String>,
    /// Which ones.
    pub allowed_tools: Option<AllowedField>,
    /// `auto` or `required`, in the layout of `/v1/responses`.
    pub mode: Option<String>,
    /// Which ones, in the layout of `/v1/responses`.
    pub tools: Option<Vec<AllowedTool>>,
}

/// Tools that may be called, of all that a request brings.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct AllowedField {
    /// `auto` or `required`.
    #[schema(required)]
    pub mode: Option<String>,
    /// Which ones.
    #[schema(required, min_items = 1)]
    pub tools: Option<Vec<AllowedTool>>,
}

/// A tool that may be called.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct AllowedTool {
    /// Always `function`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which one.
    pub function: Option<NameField>,
    /// Which one, in the layout of `/v1/responses`.
    pub name: Option<String>,
}

/// The name of something.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct NameField {
    /// The name.
    pub name: String,
}

/// The form of an answer.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct FormatField {
    /// `text`, `json_object` or `json_schema`.
    #[serde(rename = "type")]
    #[schema(required)]
    pub kind: String,
    /// The schema.
    pub json_schema: Option<SchemaField>,
}

/// A schema with its name.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct SchemaField {
    /// Its name.
    #[schema(required)]
    pub name: Option<String>,
    /// JSON schema of the answer.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
}

/// What a stream holds.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
pub(crate) struct StreamOptions {
    /// Tell the number of tokens at the end.
    pub include_usage: Option<bool>,
}
