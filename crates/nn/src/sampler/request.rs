//! What a sampler is asked for and what it reports.

use stateset_core::{FinishReason, Sampling, Stream};

use super::steering::Steering;

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
    /// What moves it away from the model's own distribution.
    pub steering: Steering,
    /// Likeliest tokens to be told with each drawn one.
    pub n_top: usize,
    /// One random number is used for each token.
    pub stream: Stream,
}

impl SampleRequest {
    /// A completion of `prompt`, drawn this way, that nothing ends but its length. Stop texts are not
    /// the sampler's to read: see [`SampleRequest::stop`].
    pub fn new(prompt: Vec<u32>, sampling: &Sampling, stream: Stream) -> SampleRequest {
        SampleRequest {
            id: 0,
            prompt,
            max_new_tokens: sampling.max_new_tokens,
            end_tokens: Vec::new(),
            stop: None,
            temperature: sampling.temperature,
            top_k: sampling.top_k,
            top_p: sampling.top_p,
            min_p: sampling.min_p,
            repetition_penalty: sampling.repetition_penalty,
            greedy: sampling.greedy,
            steering: Steering::default(),
            n_top: 0,
            stream,
        }
    }
}

/// A request whose prompt is begun to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleStart {
    /// The request.
    pub id: u64,
    /// Leading tokens of its prompt that need not be read: their keys and values are stored already. Never
    /// the whole prompt, for the last token is always read.
    pub n_cached: usize,
}

/// One drawn token.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleEvent {
    /// The request it belongs to.
    pub id: u64,
    /// The token.
    pub token: u32,
    /// Its log-prob at the temperature over the whole vocabulary, as if nothing steered.
    pub logprob: f32,
    /// The likeliest tokens of that distribution with their log-probs, likeliest first, as many as were
    /// asked for.
    pub top: Vec<(u32, f32)>,
    /// Set with the last token of a request.
    pub finish: Option<FinishReason>,
}
