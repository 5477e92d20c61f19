//! Is this English that somebody could have meant?
//!
//! Three cheap signs catch what a policy drifts into when it is paid by keywords: the same words over
//! and over, bags of keywords without the small words between them, and strings that are no words.
//! The signs are English-only; the thresholds leave room for short and telegraphic replies.

use super::hash::{Map, hash_of, set};
use super::is_function_word;

/// Why a text cannot have been meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disfluency {
    /// No word at all.
    Empty,
    /// The same words or phrases again and again.
    Repetitive,
    /// Keywords without sentences, or strings that are no words.
    WordSalad,
}

/// Words of a text that are compared with each other for repetition.
const WINDOW: usize = 30;
/// Smallest share of different words in a window.
const MIN_UNIQUE_SHARE: f64 = 0.5;
/// Smallest share of function words in a text.
const MIN_FUNCTION_SHARE: f64 = 0.15;
/// Texts shorter than this are too short to tell salad from brevity.
const MIN_WORDS_FOR_SALAD: usize = 7;
/// Longest string that still may be a word.
const MAX_WORD_CHARS: usize = 24;

/// What is wrong with the text made of `words`; `None` for fluent text.
pub(crate) fn disfluency(words: &[String]) -> Option<Disfluency> {
    if words.is_empty() {
        Some(Disfluency::Empty)
    } else if is_repetitive(words) {
        Some(Disfluency::Repetitive)
    } else if is_salad(words) {
        Some(Disfluency::WordSalad)
    } else {
        None
    }
}

fn is_repetitive(words: &[String]) -> bool {
    let stutters = words.windows(3).any(|three| three.iter().all(|word| *word == three[0]));
    if stutters {
        return true;
    }
    // Hashes of different words may be equal, so they only clear a text; words themselves convict it.
    let hashes: Vec<u64> = words.iter().map(|word| hash_of(word)).collect();
    let loops = words.len() >= 8
        && words.chunks(WINDOW).zip(hashes.chunks(WINDOW)).any(|(window, hashes)| {
            share(n_different(hashes), window) < MIN_UNIQUE_SHARE
                && share(set(window).len(), window) < MIN_UNIQUE_SHARE
        });
    loops || (may_have_phrase_three_times(&hashes) && has_phrase_three_times(words))
}

fn share(n: usize, window: &[String]) -> f64 {
    n as f64 / window.len() as f64
}

fn n_different(hashes: &[u64]) -> usize {
    let mut hashes = hashes.to_vec();
    hashes.sort_unstable();
    hashes.dedup();
    hashes.len()
}

/// False only where no three words stand together three times.
fn may_have_phrase_three_times(hashes: &[u64]) -> bool {
    let of_phrase = |three: &[u64]| {
        let turned = three[0].rotate_left(5) ^ three[1].rotate_left(23);
        turned.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ three[2]
    };
    let mut phrases: Vec<u64> = hashes.windows(3).map(of_phrase).collect();
    phrases.sort_unstable();
    phrases.windows(3).any(|three| three[0] == three[2])
}

fn has_phrase_three_times(words: &[String]) -> bool {
    let mut counts: Map<&[String], usize> = Map::default();
    words.windows(3).any(|phrase| {
        let count = counts.entry(phrase).or_default();
        *count += 1;
        *count == 3
    })
}

fn is_salad(words: &[String]) -> bool {
    let n = words.len() as f64;
    let n_odd = words.iter().filter(|word| is_no_word(word)).count() as f64;
    let n_function = words.iter().filter(|word| is_function_word(word)).count() as f64;
    let has_sentences = n_function / n >= MIN_FUNCTION_SHARE;
    n_odd / n > 0.4 || (words.len() >= MIN_WORDS_FOR_SALAD && !has_sentences)
}

/// A string that cannot be a word: far too long, or letters without a vowel.
fn is_no_word(word: &str) -> bool {
    let is_letters = word.chars().all(|c| c.is_ascii_lowercase());
    let has_vowel = word.chars().any(|c| "aeiouy".contains(c));
    word.chars().count() > MAX_WORD_CHARS || (is_letters && word.len() > 2 && !has_vowel)
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;

    #[test]
    fn fluent_text_passes() {
        for text in [
            "Hello.",
            "I am sorry about that. May I have your order number, please?",
            "Thank you. I have started a refund for order 4821, and it will arrive in five days.",
            "Please hold the power button for ten seconds and then turn the laptop on again.",
            "Restart your router, please.",
        ] {
            assert_eq!(disfluency(&words(text)), None, "{text}");
        }
    }

    #[test]
    fn what_nobody_means_is_caught() {
        for (text, expected) in [
            ("", Disfluency::Empty),
            ("!!! ...", Disfluency::Empty),
            ("help help help", Disfluency::Repetitive),
            ("refund order refund order refund order refund order", Disfluency::Repetitive),
            ("i can help you and i can help you and i can help you", Disfluency::Repetitive),
            ("refund replacement label trace cancel order number email", Disfluency::WordSalad),
            ("xkcd qwrt zzz bcdf", Disfluency::WordSalad),
        ] {
            assert_eq!(disfluency(&words(text)), Some(expected), "{text}");
        }
    }
}
