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
    use std::collections::HashSet;
    use std::time::Instant;

    use llguidance::api::TopLevelGrammar;
    use serde_json::json;
    use stateset_core::{Purpose, RunSeed, StreamKey};
    use stateset_nn::Tokenizer;
    use stateset_train::{ModelSource, chat_format};

    use super::super::grammar::on_one_line;
    use super::super::vocabulary::{Vocabulary, word};
    use super::*;

    fn tiny() -> Vocabulary {
        let fetch = |name: &str| panic!("{name} was asked for");
        let source = ModelSource::open("builtin:tiny", &fetch).unwrap();
        Vocabulary::of(&chat_format(&source, None).unwrap()).unwrap()
    }

    fn filter_of(vocabulary: &Vocabulary, schema: serde_json::Value) -> GrammarFilter {
        let grammar = TopLevelGrammar::from_json_schema(on_one_line(schema));
        let matcher = Matcher::new(vocabulary.factory().create_parser(grammar));
        GrammarFilter { matcher, failure: Failure::default() }
    }

    fn filter(schema: serde_json::Value) -> GrammarFilter {
        filter_of(&tiny(), schema)
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

    /// As many tokens as the largest vocabularies have: those of Phi-3, which are not in the repository, and
    /// what two of them are together, as later merges would make them. `None` without test data.
    fn large() -> Option<Vocabulary> {
        const N: usize = 128 << 10;
        let data = std::path::PathBuf::from(std::env::var_os("STATESET_TEST_DATA")?);
        let tokenizer = Tokenizer::from_folder(&data.join("tokenizers/phi3")).ok()?;
        let n_known = tokenizer.vocab_size();
        let known = |id: u32| word(&tokenizer, id, tokenizer.is_special(id));
        let mut words: Vec<Vec<u8>> = (0..n_known as u32).map(known).collect();
        let mut seen: HashSet<Vec<u8>> = words.iter().cloned().collect();
        let mut stream = RunSeed(2).stream(Purpose::Data, StreamKey::default());
        while words.len() < N {
            let [first, second] = [(); 2].map(|()| &words[stream.index(n_known)]);
            let pair = [&first[..], &second[..]].concat();
            let is_text = pair.len() <= 16 && !pair.contains(&0xff);
            if is_text && seen.insert(pair.clone()) {
                words.push(pair);
            }
        }
        let end = *tokenizer.end_ids().first()?;
        Some(Vocabulary::of_words(&words, end, &[end]).unwrap())
    }

    /// Prints microseconds.
    #[test]
    #[ignore = "it measures; run it alone"]
    fn time_of_a_mask() {
        let texts = json!({"type": "object", "properties": {
            "name": {"type": "string", "maxLength": 40}, "age": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 8}, "maxItems": 5},
        }, "required": ["name", "age", "tags"], "additionalProperties": false});
        let free = json!({"type": "object", "properties": {
            "thought": {"type": "string"}, "mood": {"enum": ["good", "bad", "mixed"]},
            "scores": {"type": "array", "items": {"type": "number"}},
            "more": {"type": "object", "additionalProperties": {"type": "string"}},
        }, "required": ["thought", "mood", "scores", "more"], "additionalProperties": false});
        let pattern = json!({"type": "object", "properties": {
            "order": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4,8}$"},
            "mail": {"type": "string", "format": "email"}, "at": {"type": "string", "format": "date-time"},
        }, "required": ["order", "mail", "at"], "additionalProperties": false});
        let vocabularies = [("tiny", Some(tiny()), 4096_u32), ("large", large(), 128 << 10)];
        for (name, vocabulary, n) in vocabularies {
            let Some(vocabulary) = vocabulary else { continue };
            for (what, schema) in [("texts", &texts), ("free", &free), ("pattern", &pattern)] {
                let began = Instant::now();
                let mut filter = filter_of(&vocabulary, schema.clone());
                let built = began.elapsed();
                let mut times = times_of(&mut filter, n);
                times.sort_by(f64::total_cmp);
                let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
                let mean = times.iter().sum::<f64>() / times.len() as f64;
                eprintln!(
                    "{name}, {what}: {} masks: mean {mean:.1} us, {:.1} in the middle, {:.1} at 99 %, \
                     {:.1} at most; grammar {built:?}",
                    times.len(),
                    at(0.5),
                    at(0.99),
                    at(1.0),
                );
            }
        }
    }

    fn times_of(filter: &mut GrammarFilter, n: u32) -> Vec<f64> {
        let mut stream = RunSeed(1).stream(Purpose::Data, StreamKey::default());
        let mut times = Vec::new();
        while !filter.matcher.is_stopped() && times.len() < 400 {
            let began = Instant::now();
            let mask = filter.allowed().unwrap();
            times.push(began.elapsed().as_secs_f64() * 1e6);
            let tokens: Vec<u32> = (0..n).filter(|token| mask.allows(*token)).collect();
            let Some(at) = tokens.len().checked_sub(1) else { break };
            filter.drawn(tokens[stream.index(at + 1)]);
        }
        times
    }
}
