//! Small, total helpers on English text that rewards and simulated users share.

mod fluency;
mod hash;
mod joins;
mod ratio;
mod similarity;
mod words;

pub(crate) use fluency::{Disfluency, disfluency};
pub(crate) use hash::Map;
pub(crate) use joins::share_of_bad_joins;
pub(crate) use ratio::matching_ratio;
pub(crate) use similarity::{is_parrot, is_repeat};
pub(crate) use words::{
    asks, is_function_word, n_words, quoted_words, sentences, words, words_in_clauses,
};
