//! What `/v1/completions` says, whole or in chunks: both have the same layout.

use serde::Serialize;
use utoipa::ToSchema;

use super::logprobs::TextLogprobs;
use super::usage::Usage;

/// Continuations of texts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TextResponse {
    /// Id of the answer.
    pub id: String,
    /// Always `text_completion`.
    pub object: &'static str,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// Who answered.
    pub model: String,
    /// The answers, those to the first prompt first.
    pub choices: Vec<TextChoice>,
    /// How many tokens it took; in chunks only in the last, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Names the weights that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// Extension: number of the weights that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<u64>,
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct TextChoice {
    /// Its number.
    pub index: usize,
    /// The text.
    pub text: String,
    /// Log-probs, where they were asked for.
    #[schema(required)]
    pub logprobs: Option<TextLogprobs>,
    /// `stop` or `length`; null in chunks before the last.
    #[schema(required)]
    pub finish_reason: Option<&'static str>,
    /// Extension: tokens that were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_token_ids: Option<Vec<u32>>,
    /// Extension: tokens that were drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ids: Option<Vec<u32>>,
    /// Extension: the log-prob of each of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_logprobs: Option<Vec<f64>>,
}
