//! The noise of writing: misspelt words, messages that break off, no capitals and no full stops.
//!
//! Values and the words of a question are kept as they are: whoever reads the message must be able to
//! know what was told. A message therefore breaks off only behind the last of them.

use stateset_core::Stream;

use crate::text::words;

/// How often what happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Noise {
    /// Share of words that are misspelt.
    pub(super) typos: f64,
    /// Share of messages that break off.
    pub(super) truncation: f64,
    /// Share of messages without a capital at the start and a mark at the end.
    pub(super) carelessness: f64,
}

/// `text` as it is typed; the words of `kept` stay.
pub(super) fn roughen(
    mut text: String,
    kept: &[&str],
    noise: Noise,
    stream: &mut Stream,
) -> String {
    if noise.truncation > 0.0 && stream.chance(noise.truncation) {
        text = broken_off(text, kept, stream);
    }
    if noise.typos > 0.0 {
        text = misspelt(&text, kept, noise.typos, stream);
    }
    if noise.carelessness > 0.0 && stream.chance(noise.carelessness) {
        text = careless(text, kept);
    }
    text
}

/// Drops the end, from one to three words, but nothing of `kept` or before it.
fn broken_off(text: String, kept: &[&str], stream: &mut Stream) -> String {
    let lower = text.to_lowercase();
    let after = |kept: &&str| {
        let kept = kept.to_lowercase();
        lower.rfind(&kept).map(|start| start + kept.len())
    };
    let n_chars_kept = if lower.len() == text.len() {
        kept.iter().filter_map(after).max().unwrap_or(0)
    } else {
        text.len()
    };
    let mut end = text.len();
    for _ in 0..=stream.index(3) {
        let cut = text[..end].trim_end().rfind(' ').unwrap_or(0);
        if cut < n_chars_kept || cut == 0 {
            break;
        }
        end = cut;
    }
    text[..end].trim_end().to_owned()
}

fn misspelt(text: &str, kept: &[&str], share: f64, stream: &mut Stream) -> String {
    let kept: Vec<String> = kept.iter().flat_map(|text| words(text)).collect();
    let mut out = String::with_capacity(text.len() + 4);
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            out.push(' ');
        }
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_plain = bare.len() >= 4 && bare.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_kept = || kept.contains(&bare.to_ascii_lowercase());
        if is_plain && stream.chance(share) && !is_kept() {
            out.push_str(&slip(word, stream));
        } else {
            out.push_str(word);
        }
    }
    out
}

/// One slip of the fingers after the first letter: two letters swapped, one left out, one doubled.
fn slip(word: &str, stream: &mut Stream) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let n_letters = letters.iter().filter(|c| c.is_ascii_alphabetic()).count();
    let at = 1 + stream.index(n_letters.saturating_sub(2).max(1));
    match stream.index(3) {
        0 if at + 1 < letters.len() && letters[at + 1].is_ascii_alphabetic() => {
            letters.swap(at, at + 1)
        }
        1 => {
            letters.remove(at);
        }
        _ => letters.insert(at, letters[at]),
    }
    letters.into_iter().collect()
}

/// Small first letter, no mark at the end; a value that begins the message keeps its capital.
fn careless(text: String, kept: &[&str]) -> String {
    let begins_kept = kept.iter().any(|kept| !kept.is_empty() && text.starts_with(kept));
    let trimmed = text.trim_end_matches(['.', '!', '?']);
    let mut chars = trimmed.chars();
    match chars.next() {
        Some(first) if !begins_kept => first.to_lowercase().chain(chars).collect(),
        _ => trimmed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stateset_core::{Purpose, RunSeed, StreamKey};

    fn stream(step: u32) -> Stream {
        RunSeed(5).stream(Purpose::Environment, StreamKey { step, ..StreamKey::default() })
    }

    const MUCH: Noise = Noise { typos: 1.0, truncation: 1.0, carelessness: 1.0 };

    #[test]
    fn what_is_kept_survives_all_noise() {
        let text = "Hello there. We want thai food near Addenbrookes. Thank you very much.";
        for step in 0..200 {
            let rough =
                roughen(text.to_owned(), &["thai", "Addenbrookes"], MUCH, &mut stream(step));
            assert!(rough.contains("thai") && rough.contains("Addenbrookes"), "{rough}");
            assert_ne!(rough, text);
        }
    }

    #[test]
    fn no_noise_changes_nothing() {
        let quiet = Noise { typos: 0.0, truncation: 0.0, carelessness: 0.0 };
        let text = "Thai food, please.";
        assert_eq!(roughen(text.to_owned(), &["thai"], quiet, &mut stream(1)), text);
    }

    proptest! {
        #[test]
        fn noise_never_panics(text in "\\PC{0,60}", kept in "\\PC{0,10}", step in 0_u32..1000) {
            let _ = roughen(text, &[&kept], MUCH, &mut stream(step));
        }
    }
}
