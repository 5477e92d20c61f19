//! What a client sends to `/v1/responses`.
//!
//! Source: OpenAI's description of its API. As in `chat_request`, items and parts are structures with
//! optional fields, so that what is wrong in them is named with its place.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::openai::chat_request::ToolChoice;
use crate::wire::TextOr;

/// Items to answer.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ItemsRequest {
    /// Name of the model; the first one where absent.
    pub model: Option<String>,
    /// What the user says, or the items so far.
    #[schema(required, schema_with = crate::openai::schemas::text_or_items)]
    pub input: Option<TextOr<Vec<InputItem>>>,
    /// Instructions before everything.
    pub instructions: Option<String>,
    /// Most tokens to draw; what the model's context leaves where absent.
    #[schema(minimum = 1)]
    pub max_output_tokens: Option<i64>,
    /// 0 takes the likeliest token.
    #[schema(minimum = 0, maximum = 2)]
    pub temperature: Option<f64>,
    /// Keep the smallest set of tokens with this probability.
    #[schema(minimum = 0, maximum = 1)]
    pub top_p: Option<f64>,
    /// Extension: equal seeds give equal answers.
    pub seed: Option<i64>,
    /// Functions the model may call.
    pub tools: Option<Vec<ItemTool>>,
    /// `none`, `auto`, `required`, one function, or the allowed ones.
    #[schema(schema_with = crate::openai::schemas::text_or_object)]
    pub tool_choice: Option<TextOr<ToolChoice>>,
    /// Whether an answer may make several calls.
    pub parallel_tool_calls: Option<bool>,
    /// The form of the answer.
    pub text: Option<TextField>,
    /// What else to tell: `message.output_text.logprobs`.
    pub include: Option<Vec<String>>,
    /// Tell the likeliest tokens at each place.
    #[schema(minimum = 0, maximum = 20)]
    pub top_logprobs: Option<i64>,
    /// Repeated in the answer.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
    /// Answer in server-sent events.
    pub stream: Option<bool>,
    /// Refused: answers are not kept.
    pub previous_response_id: Option<String>,
    /// Refused: answers are not kept.
    #[schema(value_type = Option<Object>)]
    pub conversation: Option<Value>,
    /// Refused where true: answers are not kept.
    pub background: Option<bool>,
}

/// Something said, called or returned.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct InputItem {
    /// `message`, `function_call`, `function_call_output` or `reasoning`; a message where absent.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Of a message: `system`, `developer`, `user` or `assistant`.
    pub role: Option<String>,
    /// Of a message: a text, or parts.
    #[schema(schema_with = crate::openai::schemas::text_or_item_parts)]
    pub content: Option<TextOr<Vec<ItemPart>>>,
    /// Of a call and its result: the id both carry.
    pub call_id: Option<String>,
    /// Of a call: name of the function.
    pub name: Option<String>,
    /// Of a call: JSON of the arguments.
    pub arguments: Option<String>,
    /// Of a result: a text, or parts.
    #[schema(schema_with = crate::openai::schemas::text_or_item_parts)]
    pub output: Option<TextOr<Vec<ItemPart>>>,
}

/// A part of a message.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ItemPart {
    /// `input_text`, `output_text`, `input_image`, `refusal` or `reasoning_text`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The text.
    pub text: Option<String>,
    /// What was declined.
    pub refusal: Option<String>,
    /// Address or `data:` URL of a picture.
    pub image_url: Option<String>,
    /// `auto`, `low` or `high`.
    pub detail: Option<String>,
}

/// A function.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ItemTool {
    /// Always `function`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Up to 64 letters, digits, `_` and `-`.
    #[schema(required)]
    pub name: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// JSON schema of its arguments; none where absent.
    #[schema(value_type = Option<Object>)]
    pub parameters: Option<Map<String, Value>>,
    /// Repeated in the answer.
    pub strict: Option<bool>,
}

/// How text is answered.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct TextField {
    /// The form.
    pub format: Option<ItemFormat>,
}

/// The form of an answer.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct ItemFormat {
    /// `text`, `json_object` or `json_schema`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Name of the schema.
    pub name: Option<String>,
    /// JSON schema of the answer.
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// Repeated in the answer.
    pub strict: Option<bool>,
}
