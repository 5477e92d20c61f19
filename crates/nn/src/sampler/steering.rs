//! What moves a completion away from the model's own distribution: bias, penalties on tokens it holds
//! already, and a form it must keep.
//!
//! Penalties: vLLM's reading of OpenAI's `presence_penalty` and `frequency_penalty`, counted over drawn
//! tokens, not over the prompt. The log-probs that a sampler reports ignore all of it, because they are
//! what a trainer recomputes from the weights.

use std::collections::BTreeMap;

use super::request::SampleRequest;
use crate::NnError;
use crate::token_mask::TokenMask;

/// Says before each token which may be drawn: a grammar, or a fixed list. It runs on the thread that
/// samples, once for each token, so it has to be quick.
pub trait TokenFilter: Send {
    /// What may be drawn next; all where absent. Where the set is empty, only the request's end tokens
    /// may be.
    fn allowed(&mut self) -> Option<TokenMask>;

    /// Hears of each drawn token, end tokens included.
    fn drawn(&mut self, token: u32);
}

/// A fixed list.
impl TokenFilter for TokenMask {
    fn allowed(&mut self) -> Option<TokenMask> {
        Some(self.clone())
    }

    fn drawn(&mut self, _token: u32) {}
}

/// What is changed about the distribution; by default nothing.
#[derive(Default)]
pub struct Steering {
    /// Added to the logits of these tokens, before anything else.
    pub bias: Vec<(u32, f32)>,
    /// Taken from the logit of each token that was drawn before; 0 is off.
    pub presence_penalty: f64,
    /// The same for each time it was drawn; 0 is off.
    pub frequency_penalty: f64,
    /// Which tokens may be drawn.
    pub filter: Option<Box<dyn TokenFilter>>,
}

impl Steering {
    /// True where tokens are not drawn from the model's own distribution.
    pub fn is_on(&self) -> bool {
        !self.bias.is_empty() || self.penalises() || self.filter.is_some()
    }

    /// True where tokens that were drawn have to be counted.
    pub(super) fn penalises(&self) -> bool {
        self.presence_penalty != 0.0 || self.frequency_penalty != 0.0
    }

    /// Refuses what is no number or outside the vocabulary.
    pub(super) fn check(&self, vocab_size: usize) -> Result<(), NnError> {
        let bad = |message| Err(NnError::Setting { what: "a sampling request", message });
        if let Some((token, _)) = self.bias.iter().find(|(token, _)| *token as usize >= vocab_size)
        {
            return bad(format!("token {token} of the bias is outside the vocabulary"));
        }
        if let Some((token, bias)) = self.bias.iter().find(|(_, bias)| !bias.is_finite()) {
            return bad(format!("the bias of token {token} is {bias}, which is no number"));
        }
        if !(self.presence_penalty.is_finite() && self.frequency_penalty.is_finite()) {
            return bad("a penalty on tokens drawn before is no number".to_owned());
        }
        Ok(())
    }

    /// What is taken from the logits of tokens drawn so often.
    pub(super) fn penalties(&self, counts: &BTreeMap<u32, u32>) -> Vec<(u32, f32)> {
        let penalty =
            |n: u32| (self.presence_penalty + self.frequency_penalty * f64::from(n)) as f32;
        counts.iter().map(|(&token, &n)| (token, penalty(n))).collect()
    }
}

impl SampleRequest {
    /// The tokens that may be drawn next.
    pub(super) fn mask(&mut self) -> Option<TokenMask> {
        let mask = self.steering.filter.as_mut()?.allowed()?;
        Some(if mask.is_empty() { TokenMask::of(&self.end_tokens) } else { mask })
    }
}
