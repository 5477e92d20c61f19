//! Words and sentences of a text.
//!
//! A word is a run of letters and digits, with apostrophes, dots, hyphens and at-signs inside it, in
//! lower case. That is coarse on purpose: these words are only counted and compared.

use std::sync::LazyLock;

use super::hash::{Set, set};

/// Longest part of a text that is looked at, in characters. What a policy says is shorter by far;
/// the limit keeps a runaway text from costing more than its reward.
const MAX_CHARS: usize = 8_000;

/// The words of `text` in lower case, with straight apostrophes.
pub(crate) fn words(text: &str) -> Vec<String> {
    split_words(text).map(lower).collect()
}

/// The words of `text` as [`words`] gives them, and for each whether a clause begins with it: it is
/// the first, or a comma, a full stop or another mark stands before it.
pub(crate) fn words_in_clauses(text: &str) -> (Vec<String>, Vec<bool>) {
    let (mut found, mut starts) = (Vec::new(), Vec::new());
    let mut end = 0;
    for word in split_words(text) {
        // `word` is a part of `text`, so that the distance of their beginnings is its place.
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        starts.push(found.is_empty() || text[end..start].contains(ends_clause));
        found.push(lower(word));
        end = start + word.len();
    }
    (found, starts)
}

/// For each word of `text`, whether it stands between double quotation marks. Empty where there are none.
pub(crate) fn quoted_words(text: &str) -> Vec<bool> {
    const MARKS: [char; 3] = ['"', '“', '”'];
    if !text.contains(MARKS) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let (mut is_quoted, mut end) = (false, 0);
    for word in split_words(text) {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        for mark in text[end..start].chars().filter(|c| MARKS.contains(c)) {
            is_quoted = if mark == '"' { !is_quoted } else { mark == '“' };
        }
        found.push(is_quoted);
        end = start + word.len();
    }
    found
}

fn ends_clause(c: char) -> bool {
    matches!(
        c,
        ',' | '.' | ';' | ':' | '!' | '?' | '\n' | '(' | ')' | '"' | '…' | '–' | '—' | '“' | '”'
    )
}

fn lower(word: &str) -> String {
    if word.is_ascii() {
        word.to_ascii_lowercase()
    } else {
        word.to_lowercase().replace('’', "'")
    }
}

/// Number of words in `text`.
pub(crate) fn n_words(text: &str) -> usize {
    split_words(text).count()
}

fn split_words(text: &str) -> impl Iterator<Item = &str> {
    text[..end_of_what_is_looked_at(text)]
        .split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’' | '.' | '-' | '@')))
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
}

/// Byte behind the first `MAX_CHARS` characters.
fn end_of_what_is_looked_at(text: &str) -> usize {
    if text.len() <= MAX_CHARS {
        // No character is shorter than a byte.
        return text.len();
    }
    text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(index, _)| index)
}

/// The sentences of `text` that hold a word, without their end marks. A dot or comma inside a
/// number or an address ends nothing.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let all = stretches(text).map(|(stretch, _)| stretch);
    all.filter(|stretch| holds_word(stretch)).map(str::trim).collect()
}

/// True where a question mark stands behind a sentence of `n_least` words or more; marks in between do
/// not count, so that the second one of "Is it so?!?" asks as the first does.
pub(crate) fn asks(text: &str, n_least: usize) -> bool {
    let mut last = "";
    stretches(text).any(|(stretch, mark)| {
        if holds_word(stretch) {
            last = stretch;
        }
        mark == Some('?') && n_words(last) >= n_least
    })
}

fn holds_word(stretch: &str) -> bool {
    stretch.chars().any(char::is_alphanumeric)
}

/// What stands between the marks that end sentences, each with the mark behind it.
fn stretches(text: &str) -> impl Iterator<Item = (&str, Option<char>)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let here = rest?;
        let mut chars = here.char_indices().peekable();
        while let Some((index, c)) = chars.next() {
            let ends = match c {
                '\n' | ';' | '!' | '?' => true,
                '.' => chars.peek().is_none_or(|(_, next)| !next.is_alphanumeric()),
                _ => false,
            };
            if ends {
                rest = Some(&here[index + c.len_utf8()..]);
                return Some((&here[..index], Some(c)));
            }
        }
        rest = None;
        Some((here, None))
    })
}

/// True for the small words that hold English sentences together. Real sentences are a third to a
/// half made of them; lists of keywords hold next to none.
pub(crate) fn is_function_word(word: &str) -> bool {
    word.len() <= LONGEST_FUNCTION_WORD && FUNCTION_WORDS.contains(word)
}

/// Bytes of the longest of them.
const LONGEST_FUNCTION_WORD: usize = 10;

static FUNCTION_WORDS: LazyLock<Set<&'static str>> = LazyLock::new(|| set(function_words()));

/// All of the words that [`is_function_word`] knows.
pub(super) fn function_words() -> impl Iterator<Item = &'static str> {
    "a an the this that these those there here it its he she they them their we us our i me my mine \
     you your yours who whom whose which what when where why how all any both each few more most \
     other some such no nor not only own same so than too very just also now then once again am is \
     are was were be been being have has had having do does did doing will would shall should can \
     could may might must to of in on at by for with about against between into through during \
     before after above below from up down out off over under and but or if because as until while \
     since yes please let's i'm i'll i've i'd you're you'll you've it's that's we'll we've we're \
     what's don't can't won't isn't doesn't didn't cannot let get got like need want one anything \
     something everything else soon still yet already ever never always back right away"
        .split_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_lower_case_and_keep_what_is_inside_them() {
        assert_eq!(
            words("I'm at anna.hill@example.com, v2.3!"),
            ["i'm", "at", "anna.hill@example.com", "v2.3"]
        );
        assert!(words(" ... !? ").is_empty());
    }

    #[test]
    fn no_function_word_is_longer_than_stated() {
        let longest = function_words().map(str::len).max();
        assert_eq!(longest, Some(LONGEST_FUNCTION_WORD));
        assert!(is_function_word("everything") && !is_function_word("everything2"));
    }

    #[test]
    fn clauses_begin_after_marks() {
        let (found, starts) = words_in_clauses("Well, it’s v2.3. ¿Was? Ja - ÄRGER (sehr)");
        assert_eq!(found, ["well", "it's", "v2.3", "was", "ja", "ärger", "sehr"]);
        assert_eq!(starts, [true, true, false, true, true, false, true]);
        assert_eq!(words_in_clauses(""), (vec![], vec![]));
    }

    #[test]
    fn quotation_marks_come_in_pairs() {
        assert_eq!(quoted_words(r#"Say "yes please" or no"#), [false, true, true, false, false]);
        assert_eq!(quoted_words("“Ja”, nein"), [true, false]);
        assert!(quoted_words("it's plain").is_empty());
    }

    #[test]
    fn sentences_end_at_marks_but_not_inside_numbers() {
        assert_eq!(
            sentences("Version 2.3 is out. Try it! Ok?\nBye"),
            ["Version 2.3 is out", "Try it", "Ok", "Bye"]
        );
        assert!(sentences("?!").is_empty());
    }

    #[test]
    fn questions_end_in_question_marks() {
        for text in
            ["Is it so?", "So. Is it v2.3?", "Is it so!?", "Is it so? Ok?", "ärgert es ihn?"]
        {
            assert!(asks(text, 3), "{text}");
        }
        for text in ["", "?", "Why?", "It is so.", "It is so. Or?", "Is it so"] {
            assert!(!asks(text, 3), "{text}");
        }
    }
}
