//! Limits of what clients of OpenAI's API may ask for.

/// Most answers to one prompt.
pub const MAX_CHOICES: usize = 16;
/// Most prompts in one request for completions.
pub const MAX_PROMPTS: usize = 16;
/// Most texts that end an answer.
pub const MAX_STOPS: usize = 4;
/// Longest of these texts, in bytes.
pub const MAX_STOP_BYTES: usize = 256;
/// Most likely tokens that are told at each place of a conversation's answer.
pub const MAX_TOP_LOGPROBS: i64 = 20;
/// The same for completions.
pub const MAX_LOGPROBS: i64 = 5;
/// Most tokens with a bias.
pub const MAX_BIASES: usize = 300;
/// Most tools.
pub const MAX_TOOLS: usize = 128;
/// Most texts in one request for embeddings.
pub const MAX_INPUTS: usize = 256;
/// Tokens of a completion where the request does not say.
pub const DEFAULT_COMPLETION_TOKENS: usize = 16;
