//! What is asked of a model.

use serde_json::Value;
use stateset_core::{Message, Sampling, ToolSpec};

/// What is to be continued.
#[derive(Clone, Debug, PartialEq)]
pub enum Prompt {
    /// A conversation, which ends with the message to answer.
    Chat {
        /// The whole conversation.
        messages: Vec<Message>,
        /// Tools the model is told of, and may call; none where it must not.
        tools: Vec<ToolSpec>,
    },
    /// Text without roles. Control tokens written in it count as such, and what the tokenizer puts before
    /// every text stands before it.
    Text(String),
    /// Tokens, read as they are.
    Tokens(Vec<u32>),
}

/// The form an answer must have.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Form {
    /// Any text.
    #[default]
    Free,
    /// A JSON object.
    JsonObject,
    /// JSON that this schema allows.
    JsonSchema(Value),
    /// Text that this regular expression matches as a whole.
    Regex(String),
    /// Text of this grammar, in Lark's notation.
    Lark(String),
    /// Nothing but calls of tools, at least one, in the format of the model; one call, of this tool, where
    /// it is named. The prompt must be a conversation that offers tools.
    Calls(Option<String>),
}

/// One answer to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerRequest {
    /// What is to be continued.
    pub prompt: Prompt,
    /// How to draw.
    pub sampling: Sampling,
    /// Taken from the logit of each token that the answer holds already; -2 to 2, 0 is off.
    pub presence_penalty: f64,
    /// The same for each time it holds it.
    pub frequency_penalty: f64,
    /// Added to the logits of these tokens; -100 to 100.
    pub logit_bias: Vec<(u32, f32)>,
    /// Likeliest tokens to be told at each place; at most 20.
    pub top_logprobs: usize,
    /// The form the answer must have.
    pub form: Form,
    /// What the randomness starts from; a fresh one where absent. Equal seeds give equal answers.
    pub seed: Option<u64>,
    /// Which of several answers to one prompt this is; they differ.
    pub choice: u16,
}

impl AnswerRequest {
    /// An answer to this prompt, drawn this way, and nothing else asked for.
    pub fn new(prompt: Prompt, sampling: Sampling) -> AnswerRequest {
        AnswerRequest {
            prompt,
            sampling,
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            logit_bias: Vec::new(),
            top_logprobs: 0,
            form: Form::Free,
            seed: None,
            choice: 0,
        }
    }
}
