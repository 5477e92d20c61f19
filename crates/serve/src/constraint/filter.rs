//! A grammar as the sampler asks it.

use std::sync::{Arc, Mutex, PoisonError};

use llguidance::Matcher;
use stateset_nn::{TokenFilter, TokenMask};

/// Why a grammar could not be followed to its end, once that has happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<String>>>);

impl Failure {
    /// The reason, if there is one.
    pub(crate) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, why: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

/// Follows a grammar. Where it fails it allows nothing, which ends the answer.
pub(super) struct GrammarFilter {
    pub(super) matcher: Matcher,
    pub(super) failure: Failure,
}

impl TokenFilter for GrammarFilter {
    fn allowed(&mut self) -> Option<TokenMask> {
        match self.matcher.compute_mask_or_eos() {
            Ok(mask) => Some(TokenMask::from_words(mask.as_slice().to_vec())),
            Err(error) => {
                self.failure.set(error.to_string());
                Some(TokenMask::default())
            }
        }
    }

    fn drawn(&mut self, token: u32) {
        if self.matcher.is_stopped() {
            return;
        }
        if let Err(error) = self.matcher.consume_token(token) {
            self.failure.set(error.to_string());
        }
    }
}
