//! What is heard while a model answers.
//!
//! The order is fixed: [`Begun`], then pieces and calls as they become certain, then the whole answer.
//! The texts of all pieces put together are `Answer::message.content`, their thoughts are
//! `message.reasoning`, their tokens `Answer::tokens`, and the calls `message.tool_calls`, to the byte: a
//! stream never says anything else than the whole does. The choice a reader would question: a call is
//! handed over when it is complete, not while its arguments are being written, because only then is it
//! known to be one; what cannot be read as a call is text.

use stateset_core::{FinishReason, Message, PolicyVersion, ToolCall};

/// One drawn token.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnToken {
    /// Its number in the vocabulary.
    pub id: u32,
    /// Its log-prob at the sampling temperature, over the whole vocabulary, before penalties, bias and
    /// the form of the answer: what a trainer recomputes from the same weights.
    pub logprob: f32,
    /// The bytes it stands for; none for control tokens.
    pub bytes: Vec<u8>,
    /// The likeliest tokens here, likeliest first, as many as were asked for; of the same distribution as
    /// `logprob`. The drawn token need not be among them.
    pub top: Vec<LikelyToken>,
}

/// A token that could have been drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct LikelyToken {
    /// Its number in the vocabulary.
    pub id: u32,
    /// Its log-prob, as that of [`DrawnToken`].
    pub logprob: f32,
    /// The bytes it stands for; none for control tokens.
    pub bytes: Vec<u8>,
}

/// The model has read the request and begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Begun {
    /// Every token that is read before the first one is drawn; empty for models without tokens.
    pub prompt_tokens: Vec<u32>,
    /// How many that are, for the bill: words where a model has no tokens.
    pub n_prompt: usize,
    /// Whose weights answer, from beginning to end.
    pub version: PolicyVersion,
}

/// Text that is certain to belong to the answer, and the tokens drawn since the last piece. Neither
/// calls nor stop texts are part of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Text for the reader; may be empty.
    pub text: String,
    /// Text of the model's thoughts, where it has such; may be empty.
    pub reasoning: String,
    /// The tokens behind it, roughly: a character may need several, and what may become a stop text or a
    /// call is held back, with its tokens delivered before it. May be empty.
    pub tokens: Vec<DrawnToken>,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Text, thoughts and calls. Calls are read where the conversation offered tools; what was meant to
    /// be one and cannot be read is text.
    pub message: Message,
    /// As [`Begun::prompt_tokens`].
    pub prompt_tokens: Vec<u32>,
    /// Every token that was drawn, the one that ended the answer included; empty for models without
    /// tokens.
    pub tokens: Vec<DrawnToken>,
    /// As [`Begun::n_prompt`].
    pub n_prompt: usize,
    /// How many of the prompt's tokens were in the engine's cache and not read again; `None` for models
    /// without one.
    pub n_cached: Option<usize>,
    /// Number of `tokens`; words where a model has none.
    pub n_drawn: usize,
    /// Why it ended; [`FinishReason::ToolCalls`] where it ended by itself and calls tools.
    pub finish: FinishReason,
    /// The stop text of the request that ended it; none where an end token, a text of the model's own
    /// format or the limit did.
    pub stopped_by: Option<String>,
    /// True where penalties, bias or a form changed what could be drawn, so that the tokens do not come
    /// from the distribution that `logprob` is of.
    pub is_steered: bool,
    /// Whose weights drew it.
    pub version: PolicyVersion,
}

/// What is heard while a model answers. Nothing is promised on how the answer is cut into pieces.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerEvent {
    /// The request is accepted; always the first. Errors of the request come in its place.
    Begun(Begun),
    /// The next piece.
    Piece(Piece),
    /// A call of a tool, whole.
    Call(ToolCall),
    /// The end; nothing follows.
    Done(Box<Answer>),
}
