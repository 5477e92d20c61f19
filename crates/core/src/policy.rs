//! Sampling from a policy: the border between conversations and whatever produces tokens.
//!
//! A policy is given the messages *and* the trace so far, and answers with the tokens that continue
//! that trace. How text becomes tokens is the policy's own affair (a local engine appends the
//! difference its chat template renders; a remote server may give no tokens at all).

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Message, PolicyError, Stream, TokenTrace, ToolSpec};

/// Counts the optimiser steps whose weights a policy samples with.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PolicyVersion(pub u64);

/// How tokens are drawn. Warpers run in the order of `transformers`: repetition penalty, temperature,
/// top-k, top-p, min-p.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampling {
    /// Divides the logits; above 0. Ignored where `greedy`.
    pub temperature: f64,
    /// Keep the k most likely tokens; 0 keeps all.
    pub top_k: usize,
    /// Keep the smallest set with at least this probability; 1 keeps all.
    pub top_p: f64,
    /// Drop tokens less likely than this share of the most likely one; 0 drops none.
    pub min_p: f64,
    /// Divides positive and multiplies negative logits of tokens already present; 1 is off.
    pub repetition_penalty: f64,
    /// Always take the most likely token.
    pub greedy: bool,
    /// Most tokens to sample.
    pub max_new_tokens: usize,
    /// Texts that end the completion; they are cut from it.
    pub stop: Vec<String>,
}

impl Default for Sampling {
    /// The settings that training needs: plain sampling at temperature 1.
    fn default() -> Self {
        Sampling {
            temperature: 1.0,
            top_k: 0,
            top_p: 1.0,
            min_p: 0.0,
            repetition_penalty: 1.0,
            greedy: false,
            max_new_tokens: 64,
            stop: Vec::new(),
        }
    }
}

impl Sampling {
    /// True where every token of the vocabulary keeps its chance, so that the log-prob of a token is
    /// the one a trainer recomputes.
    pub fn is_untruncated(&self) -> bool {
        !self.greedy
            && self.top_k == 0
            && self.top_p >= 1.0
            && self.min_p <= 0.0
            && self.repetition_penalty == 1.0
    }
}

/// One request for one completion.
#[derive(Clone, Debug)]
pub struct GenerateRequest {
    /// The whole conversation, ending with the message to answer.
    pub messages: Vec<Message>,
    /// Tools the agent may call.
    pub tools: Vec<ToolSpec>,
    /// What has been read and sampled in this conversation so far.
    pub trace: TokenTrace,
    /// How to draw.
    pub sampling: Sampling,
    /// Randomness of this completion.
    pub stream: Stream,
}

/// Why sampling ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// An end token or a stop text.
    Stop,
    /// The token limit or the end of the context.
    Length,
    /// The answer calls tools.
    ToolCalls,
    /// The caller gave up.
    Cancelled,
}

/// Tokens to read before the sampled ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenTokens {
    /// They continue the current segment.
    Continue(Vec<u32>),
    /// The template rewrote history: they are the whole of a new segment, and why.
    Restart {
        /// Every token of the new segment up to the answer.
        tokens: Vec<u32>,
        /// What could not be continued.
        why: String,
    },
}

/// Tokens a policy drew.
#[derive(Clone, Debug, PartialEq)]
pub struct SampledTokens {
    /// What the policy read since the trace it was given.
    pub given: GivenTokens,
    /// The drawn tokens, including the one that ended the answer.
    pub tokens: Vec<u32>,
    /// Log-prob of each, at the sampling temperature, over the full vocabulary.
    pub logprobs: Vec<f32>,
    /// Whose weights drew them.
    pub version: PolicyVersion,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// What was said, without end and stop tokens.
    pub message: Message,
    /// The tokens behind it; `None` where the policy works on text alone.
    pub sampled: Option<SampledTokens>,
    /// Why it ended.
    pub finish: FinishReason,
}

/// Something that answers conversations.
#[async_trait]
pub trait Policy: Send + Sync {
    /// Samples one answer.
    ///
    /// # Errors
    /// [`PolicyError`] where the conversation does not fit, cannot be rendered, or the engine fails.
    async fn generate(&self, request: GenerateRequest) -> Result<Completion, PolicyError>;
}
