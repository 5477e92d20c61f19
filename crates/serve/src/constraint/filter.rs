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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use llguidance::api::TopLevelGrammar;
    use serde_json::json;
    use stateset_core::{Purpose, RunSeed, StreamKey};
    use stateset_train::{ModelSource, chat_format};

    use super::super::grammar::on_one_line;
    use super::super::vocabulary::Vocabulary;
    use super::*;

    fn filter(schema: serde_json::Value) -> GrammarFilter {
        let fetch = |name: &str| panic!("{name} was asked for");
        let source = ModelSource::open("builtin:tiny", &fetch).unwrap();
        let vocabulary = Vocabulary::of(&chat_format(&source, None).unwrap()).unwrap();
        let grammar = TopLevelGrammar::from_json_schema(on_one_line(schema));
        let matcher = Matcher::new(vocabulary.factory().create_parser(grammar));
        GrammarFilter { matcher, failure: Failure::default() }
    }

    fn allowed(filter: &mut GrammarFilter) -> Vec<u32> {
        let mask = filter.allowed().unwrap();
        (0..4096).filter(|token| mask.allows(*token)).collect()
    }

    #[test]
    fn only_the_end_follows_a_whole_value() {
        let mut filter = filter(json!({"const": 1}));
        let mut n_drawn = 0;
        loop {
            let tokens = allowed(&mut filter);
            filter.drawn(tokens[0]);
            n_drawn += 1;
            if filter.matcher.is_stopped() {
                break;
            }
            assert!(n_drawn < 10);
        }
        // The end token of the embedded model is 0.
        assert_eq!(allowed(&mut filter), [0]);
        assert_eq!(filter.failure.take(), None);
    }

    #[test]
    fn what_the_grammar_forbids_is_a_failure() {
        let mut filter = filter(json!({"const": 1}));
        let wrong = (1..2000).find(|token| !filter.allowed().unwrap().allows(*token)).unwrap();
        filter.drawn(wrong);
        assert!(filter.allowed().unwrap().is_empty());
        assert!(filter.failure.take().is_some());
    }

    /// Prints microseconds.
    #[test]
    #[ignore = "it measures; run it alone"]
    fn time_of_a_mask() {
        let schema = json!({"type": "object", "properties": {
            "name": {"type": "string", "maxLength": 40}, "age": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 8}, "maxItems": 5},
        }, "required": ["name", "age", "tags"], "additionalProperties": false});
        let began = Instant::now();
        let mut filter = filter(schema);
        let built = began.elapsed();
        let mut stream = RunSeed(1).stream(Purpose::Data, StreamKey::default());
        let mut times = Vec::new();
        while !filter.matcher.is_stopped() && times.len() < 400 {
            let began = Instant::now();
            let mask = filter.allowed().unwrap();
            times.push(began.elapsed().as_secs_f64() * 1e6);
            let tokens: Vec<u32> = (0..4096).filter(|token| mask.allows(*token)).collect();
            filter.drawn(tokens[stream.index(tokens.len())]);
        }
        times.sort_by(f64::total_cmp);
        let (median, most) = (times[times.len() / 2], times[times.len() - 1]);
        eprintln!(
            "{} masks: {median:.1} us in the middle, {most:.1} us at most; model and grammar {built:?}",
            times.len()
        );
    }
}
