//! What a client sends to `/v1/completions`.

use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::chat_request::StreamOptions;
use crate::wire::{PromptInput, TextOr};

/// Text to continue.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct TextRequest {
    /// Name of the model; the first one where absent.
    pub model: Option<String>,
    /// A text, texts, the tokens of one prompt, or those of several; 16 prompts at most.
    #[schema(required, schema_with = crate::wire::prompt_schema)]
    pub prompt: Option<PromptInput>,
    /// Number of answers to each prompt, 1 to 16.
    #[schema(minimum = 1, maximum = 16)]
    pub n: Option<i64>,
    /// Must be equal to `n`: all that is drawn is told.
    pub best_of: Option<i64>,
    /// Most tokens to draw; 16 where absent.
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
    /// Tell log-probs, and this many of the likeliest tokens at each place.
    #[schema(minimum = 0, maximum = 5)]
    pub logprobs: Option<i64>,
    /// Say the prompt before the answer; not together with `logprobs`.
    pub echo: Option<bool>,
    /// Refused: no model here fills gaps.
    pub suffix: Option<String>,
    /// Answer in server-sent events.
    pub stream: Option<bool>,
    /// What the events hold.
    pub stream_options: Option<StreamOptions>,
    /// Extension: tell the tokens of prompt and answer.
    pub return_token_ids: Option<bool>,
}
