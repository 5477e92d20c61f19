//! The tokens of a model as grammars read them.

use std::sync::Arc;

use llguidance::ParserFactory;
use llguidance::toktrie::{ApproximateTokEnv, InferenceCapabilities, TokEnv, TokRxInfo, TokTrie};
use stateset_nn::{ChatFormat, Tokenizer};

use crate::api_error::ApiError;

/// Work for one mask, in units of the parser: about 10 ms at most.
const STEP_FUEL: u64 = 100_000;
const STEP_ITEMS: usize = 50_000;
/// States that one answer's lexer may hold; about 1 KiB each.
const LEXER_STATES: usize = 50_000;

/// The tokens of a model as grammars read them: built once, shared by all answers.
#[derive(Clone)]
pub(crate) struct Vocabulary {
    factory: Arc<ParserFactory>,
}

impl Vocabulary {
    /// Puts the tokens of this format into a tree of their bytes.
    ///
    /// # Errors
    /// [`ApiError`] 400 for a model without a token that ends an answer: nothing could end a form.
    pub(crate) fn of(format: &ChatFormat) -> Result<Vocabulary, ApiError> {
        let tokenizer = format.tokenizer();
        let n = tokenizer.vocab_size();
        let ends: Vec<u32> =
            format.end_ids().iter().copied().filter(|id| (*id as usize) < n).collect();
        let Some(&end) = ends.first() else {
            let message = "this model has no token that ends an answer, so it cannot keep a form";
            return Err(ApiError::invalid("response_format", message).coded("unsupported_form"));
        };
        let is_control = |id: u32| tokenizer.is_special(id) || ends.contains(&id);
        let words: Vec<Vec<u8>> =
            (0..n as u32).map(|id| word(tokenizer, id, is_control(id))).collect();
        Vocabulary::of_words(&words, end, &ends)
    }

    /// The same of tokens that add these bytes to a text.
    pub(super) fn of_words(
        words: &[Vec<u8>],
        end: u32,
        ends: &[u32],
    ) -> Result<Vocabulary, ApiError> {
        let info = TokRxInfo::new(words.len() as u32, end);
        let trie = TokTrie::from(&info, words).with_eos_tokens(ends);
        let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let mut factory = ParserFactory::new(&env, InferenceCapabilities::default(), &slices())
            .map_err(ApiError::internal)?;
        factory.quiet();
        let limits = factory.limits_mut();
        limits.step_lexer_fuel = STEP_FUEL;
        limits.step_max_items = STEP_ITEMS;
        limits.max_lexer_states = LEXER_STATES;
        limits.verbose_errors = false;
        Ok(Vocabulary { factory: Arc::new(factory) })
    }

    pub(super) fn factory(&self) -> &ParserFactory {
        &self.factory
    }
}

/// Parts of the vocabulary that many masks hold as a whole.
fn slices() -> Vec<String> {
    llguidance::earley::SlicedBiasComputer::general_slices()
}

/// What a token adds to a text. Control tokens are marked, so that no text can spell them; a token that
/// could be taken for a marked one is left out, and so is what has no text.
pub(super) fn word(tokenizer: &Tokenizer, id: u32, is_control: bool) -> Vec<u8> {
    let marker = TokTrie::SPECIAL_TOKEN_MARKER;
    let bytes = tokenizer.token_bytes(id);
    if is_control {
        return [&[marker][..], &bytes].concat();
    }
    if bytes.first() == Some(&marker) { Vec::new() } else { bytes }
}
