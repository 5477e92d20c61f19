//! Log-probs as OpenAI's API tells them.
//!
//! The choice a reader would question: tokens that stand for no text, such as the one that ends an answer,
//! are left out here as they are there; `return_token_ids` tells them all.

use serde::Serialize;
use serde_json::{Map, Number, Value};
use utoipa::ToSchema;

use crate::answer::{DrawnToken, LikelyToken};

/// Told in the place of a log-prob that JSON cannot hold, as OpenAI does for very unlikely tokens.
const LEAST_LOGPROB: f64 = -9999.0;

/// Log-probs of a conversation's answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct ChatLogprobs {
    /// One for each token with text.
    pub content: Vec<TokenLogprob>,
    /// Always null.
    #[schema(value_type = Option<Object>)]
    pub refusal: (),
}

/// One token.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TokenLogprob {
    /// Its text; bytes that are no text by themselves show as U+FFFD.
    pub token: String,
    /// Its log-prob.
    pub logprob: f64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The likeliest tokens here.
    pub top_logprobs: Vec<TopLogprob>,
}

/// A token that could have been drawn.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct TopLogprob {
    /// Its text; empty for control tokens.
    pub token: String,
    /// Its log-prob.
    pub logprob: f64,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl ChatLogprobs {
    /// Of these tokens.
    pub(crate) fn of(tokens: &[DrawnToken]) -> ChatLogprobs {
        ChatLogprobs { content: told(tokens).map(TokenLogprob::of).collect(), refusal: () }
    }
}

impl TokenLogprob {
    fn of(token: &DrawnToken) -> TokenLogprob {
        TokenLogprob {
            token: text(&token.bytes),
            logprob: finite(token.logprob),
            bytes: token.bytes.clone(),
            top_logprobs: token.top.iter().map(TopLogprob::of).collect(),
        }
    }
}

impl TopLogprob {
    fn of(token: &LikelyToken) -> TopLogprob {
        let LikelyToken { logprob, bytes, .. } = token;
        TopLogprob { token: text(bytes), logprob: finite(*logprob), bytes: bytes.clone() }
    }
}

/// Log-probs of a completion.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct TextLogprobs {
    /// Texts of the tokens.
    pub tokens: Vec<String>,
    /// Their log-probs.
    pub token_logprobs: Vec<f64>,
    /// At each place the likeliest tokens with their log-probs.
    #[schema(value_type = Vec<Object>)]
    pub top_logprobs: Vec<Map<String, Value>>,
    /// Characters of the completion before each token.
    pub text_offset: Vec<usize>,
}

impl TextLogprobs {
    /// Of these tokens, which follow `offset` characters; moves it behind them.
    pub(crate) fn of(tokens: &[DrawnToken], offset: &mut usize) -> TextLogprobs {
        let mut all = TextLogprobs::default();
        for token in told(tokens) {
            all.tokens.push(text(&token.bytes));
            all.token_logprobs.push(finite(token.logprob));
            all.top_logprobs.push(token.top.iter().filter_map(entry).collect());
            all.text_offset.push(*offset);
            *offset += token.bytes.iter().filter(|byte| is_first(**byte)).count();
        }
        all
    }
}

/// Log-probs of all tokens, in numbers that JSON can hold.
pub(super) fn values(tokens: &[DrawnToken]) -> Vec<f64> {
    tokens.iter().map(|token| finite(token.logprob)).collect()
}

fn entry(token: &LikelyToken) -> Option<(String, Value)> {
    let logprob = Number::from_f64(finite(token.logprob))?;
    Some((text(&token.bytes), Value::Number(logprob)))
}

/// Every character of UTF-8 has one byte that is its first.
fn is_first(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

fn told(tokens: &[DrawnToken]) -> impl Iterator<Item = &DrawnToken> {
    tokens.iter().filter(|token| !token.bytes.is_empty())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// As wide numbers, so that one log-prob is written in one way wherever it stands.
fn finite(logprob: f32) -> f64 {
    if logprob.is_finite() { f64::from(logprob).max(LEAST_LOGPROB) } else { LEAST_LOGPROB }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str, logprob: f32) -> DrawnToken {
        DrawnToken { id: 1, logprob, bytes: text.into(), top: Vec::new() }
    }

    #[test]
    fn control_tokens_are_left_out_and_infinity_is_bounded() {
        let tokens = [token("a", -0.5), token("", -1.0), token("b", f32::NEG_INFINITY)];
        let told = ChatLogprobs::of(&tokens);
        let logprobs: Vec<f64> = told.content.iter().map(|token| token.logprob).collect();
        assert_eq!(logprobs, [-0.5, LEAST_LOGPROB]);
        assert_eq!(values(&tokens).len(), 3);
    }

    #[test]
    fn offsets_count_characters_over_chunks() {
        let halves = [
            DrawnToken { bytes: vec![0xc3], ..token("", 0.0) },
            DrawnToken { bytes: vec![0xa9], ..token("", 0.0) },
            token("xy", 0.0),
        ];
        let mut offset = 2;
        let first = TextLogprobs::of(&halves, &mut offset);
        assert_eq!((first.text_offset, offset), (vec![2, 3, 3], 5));
        assert_eq!(TextLogprobs::of(&[token("z", 0.0)], &mut offset).text_offset, [5]);
    }
}
