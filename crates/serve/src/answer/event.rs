//! What is heard while a model answers.

use stateset_core::{FinishReason, Message, PolicyVersion};

/// One drawn token.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnToken {
    /// Its number in the vocabulary.
    pub id: u32,
    /// Its log-prob at the sampling temperature, over the whole vocabulary.
    pub logprob: f32,
    /// The bytes it stands for; none for control tokens.
    pub bytes: Vec<u8>,
    /// The likeliest tokens here, likeliest first: number, log-prob, bytes.
    pub top: Vec<(u32, f32, Vec<u8>)>,
}

/// Text that is certain to belong to the answer, and the tokens drawn since the last piece. Text of
/// calls is part of it; stop texts are not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// The text; may be empty.
    pub text: String,
    /// The tokens behind it, roughly: a character may need several, and a stop text holds some back.
    pub tokens: Vec<DrawnToken>,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The text, and the calls of tools taken out of it.
    pub message: Message,
    /// Every token that was read; empty for models without tokens.
    pub prompt_tokens: Vec<u32>,
    /// Every token that was drawn, the one that ended the answer included; empty for models without
    /// tokens.
    pub tokens: Vec<DrawnToken>,
    /// Why it ended.
    pub finish: FinishReason,
    /// Whose weights drew it.
    pub version: PolicyVersion,
}

/// What is heard while a model answers: pieces, then the whole.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerEvent {
    /// The next piece.
    Piece(Piece),
    /// The end; nothing follows.
    Done(Box<Answer>),
}
