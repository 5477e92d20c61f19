//! What a learner is given and what it gives back, one value for each loss token.

use crate::NnError;
use crate::kernels::RowGradient;

/// A row of tokens, and which of them a loss wants.
#[derive(Clone, Copy, Debug)]
pub struct TokenRow<'a> {
    /// All tokens, from the first one the model reads.
    pub tokens: &'a [u32],
    /// True at each token whose log-prob is wanted; never at the first.
    pub mask: &'a [bool],
}

impl TokenRow<'_> {
    /// Wanted tokens.
    pub fn n_wanted(&self) -> usize {
        self.mask.iter().filter(|wanted| **wanted).count()
    }

    /// Tokens the model must read: those before the last wanted one.
    pub fn n_read(&self) -> usize {
        self.mask.iter().rposition(|wanted| *wanted).unwrap_or(0)
    }

    pub(super) fn check(&self, vocab_size: usize, context: usize) -> Result<(), NnError> {
        let bad = |message: String| NnError::Setting { what: "a row of tokens", message };
        if self.tokens.len() != self.mask.len() {
            let message = format!("{} tokens but {} marks", self.tokens.len(), self.mask.len());
            return Err(bad(message));
        }
        if self.mask.first() == Some(&true) {
            return Err(bad("the first token has no probability".to_owned()));
        }
        if let Some(token) = self.tokens.iter().find(|token| **token as usize >= vocab_size) {
            return Err(bad(format!("token {token} is outside a vocabulary of {vocab_size}")));
        }
        if self.n_read() > context {
            let found = self.n_read();
            return Err(NnError::TooLarge { what: "read a row of tokens", found, limit: context });
        }
        Ok(())
    }
}

/// Which quantities a pass computes beside the log-probs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Entropy of the distribution each token came from, and the log of its sum of squares.
    pub moments: bool,
}

/// Scores of one row, one number for each wanted token, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowScores {
    /// Natural log of the token's probability at the temperature.
    pub logprobs: Vec<f32>,
    /// Entropy in nats of the distribution the token came from; empty where not wanted.
    pub entropies: Vec<f32>,
    /// Log of the sum of squared probabilities; empty where not wanted.
    pub log_sum_p2: Vec<f32>,
}

/// Gradients of a loss with respect to [`RowScores`]; an empty list means zeros.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowGradients {
    /// With respect to each log-prob.
    pub logprobs: Vec<f32>,
    /// With respect to each entropy.
    pub entropies: Vec<f32>,
    /// With respect to each log of the sum of squares.
    pub log_sum_p2: Vec<f32>,
}

impl RowGradients {
    pub(super) fn at(&self, i: usize) -> RowGradient {
        let of = |list: &[f32]| list.get(i).copied().unwrap_or(0.0);
        RowGradient {
            logprob: of(&self.logprobs),
            entropy: of(&self.entropies),
            log_sum_p2: of(&self.log_sum_p2),
        }
    }
}
