//! What a learner is given and what it gives back, one value for each loss token.

use crate::NnError;
use crate::kernels::RowGradient;

/// A row of tokens, and which of them a loss wants.
#[derive(Clone, Copy, Debug)]
pub struct TokenRow<'a> {
    /// All tokens, from the first one the model reads.
    pub tokens: &'a [u32],
    /// True at each token whose log-prob (and value of the state before it) is wanted; never at the
    /// first.
    pub mask: &'a [bool],
    /// Wants the value of the state after the last token too: a reward model's score, or what a
    /// truncated row is worth. The last token is then read, which it is not otherwise.
    pub wants_end: bool,
}

impl<'a> TokenRow<'a> {
    /// A row of which the marked tokens are wanted, and not the state after the last.
    pub fn new(tokens: &'a [u32], mask: &'a [bool]) -> TokenRow<'a> {
        TokenRow { tokens, mask, wants_end: false }
    }

    /// The same row with the state after its last token.
    pub fn with_end(self) -> TokenRow<'a> {
        TokenRow { wants_end: true, ..self }
    }

    /// Wanted tokens.
    pub fn n_wanted(&self) -> usize {
        self.mask.iter().filter(|wanted| **wanted).count()
    }

    /// States that have a value: one before each wanted token, and the end where wanted.
    pub fn n_states(&self) -> usize {
        self.n_wanted() + usize::from(self.wants_end)
    }

    /// Tokens the model must read: those before the last wanted one, or all where the end is wanted.
    pub fn n_read(&self) -> usize {
        if self.wants_end {
            return self.tokens.len();
        }
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
        if self.wants_end && self.tokens.is_empty() {
            return Err(bad("it has no tokens, so there is no state after the last".to_owned()));
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

/// Which quantities a pass computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants {
    /// Log-prob of each wanted token.
    pub logprobs: bool,
    /// Entropy of the distribution each token came from, and the log of its sum of squares.
    pub moments: bool,
    /// Value of each wanted state; needs a value head.
    pub values: bool,
}

impl Default for Wants {
    /// Log-probs only.
    fn default() -> Wants {
        Wants { logprobs: true, moments: false, values: false }
    }
}

impl Wants {
    /// Values only: no logits are computed.
    pub const VALUES: Wants = Wants { logprobs: false, moments: false, values: true };

    /// Something is wanted that only logits tell.
    pub fn needs_logits(self) -> bool {
        self.logprobs || self.moments
    }
}

/// Scores of one row, one number for each wanted token, in order; a list that was not wanted is
/// empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RowScores {
    /// Natural log of the token's probability at the temperature.
    pub logprobs: Vec<f32>,
    /// Entropy in nats of the distribution the token came from.
    pub entropies: Vec<f32>,
    /// Log of the sum of squared probabilities.
    pub log_sum_p2: Vec<f32>,
    /// Value of the state before the token; that of the end comes last, where the row wants it.
    pub values: Vec<f32>,
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
    /// With respect to each value.
    pub values: Vec<f32>,
}

impl RowGradients {
    pub(super) fn at(&self, i: usize) -> RowGradient {
        RowGradient {
            logprob: at(&self.logprobs, i),
            entropy: at(&self.entropies, i),
            log_sum_p2: at(&self.log_sum_p2, i),
        }
    }

    pub(super) fn value_at(&self, i: usize) -> f32 {
        at(&self.values, i)
    }
}

fn at(list: &[f32], i: usize) -> f32 {
    list.get(i).copied().unwrap_or(0.0)
}
