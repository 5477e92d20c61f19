//! What a sampler is asked for and what it reports.

use stateset_core::{FinishReason, Stream};

/// Decides after each token whether the text so far ends the completion. Given the token, returns
/// true to stop; the token itself belongs to the completion.
pub type StopCheck = Box<dyn FnMut(u32) -> bool + Send>;

/// One completion to be sampled.
pub struct SampleRequest {
    /// The caller's name for it; unique among running requests.
    pub id: u64,
    /// Every token to read before the first one is drawn; at least one.
    pub prompt: Vec<u32>,
    /// Most tokens to draw; at least one.
    pub max_new_tokens: usize,
    /// Tokens that end the completion.
    pub end_tokens: Vec<u32>,
    /// Stop texts, where there are any.
    pub stop: Option<StopCheck>,
    /// Divides the logits; above 0.
    pub temperature: f64,
    /// Keep the k most likely; 0 keeps all.
    pub top_k: usize,
    /// Keep the most likely up to this probability; 1 keeps all.
    pub top_p: f64,
    /// Drop what is less likely than this share of the most likely; 0 keeps all.
    pub min_p: f64,
    /// Penalty on tokens already present; 1 is off.
    pub repetition_penalty: f64,
    /// Take the most likely.
    pub greedy: bool,
    /// Tokens that may be drawn; all where absent.
    pub allowed: Option<Vec<u32>>,
    /// One random number is used for each token.
    pub stream: Stream,
}

/// One drawn token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleEvent {
    /// The request it belongs to.
    pub id: u64,
    /// The token.
    pub token: u32,
    /// Its log-prob at the temperature over the whole vocabulary.
    pub logprob: f32,
    /// Set with the last token of a request.
    pub finish: Option<FinishReason>,
}
