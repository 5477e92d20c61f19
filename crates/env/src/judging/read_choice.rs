//! Reads which of two candidates a judge prefers from what it wrote.
//!
//! Tolerant of form: `2`, `**2**`, `Candidate 1`, `I prefer the second one.`, `... Answer: 1`. Strict
//! in meaning: a text that names both candidates without a clear last word, or speaks of what is worse,
//! is not read at all. Guessing would be right most of the time, and wrong in a way that nobody sees.

use std::sync::LazyLock;

use regex::Regex;
use stateset_core::Choice;

/// Words of an answer that may do without a word like "answer" or "better".
const MAX_SHORT: usize = 6;

/// The candidate that `text` names as the better one.
///
/// # Errors
/// What keeps it from being read, to be told to the judge.
pub fn read_choice(text: &str) -> Result<Choice, String> {
    let plain = text.replace(['*', '_', '`', '"', '#'], "");
    let plain = plain.trim();
    if plain.is_empty() {
        return Err("it is empty".to_owned());
    }
    let verdicts: Vec<Choice> =
        VERDICT.captures_iter(plain).filter_map(|found| named(found.get(1)?.as_str())).collect();
    if let Some(last) = verdicts.last() {
        let is_clear = verdicts.iter().all(|verdict| verdict == last);
        let stands_last = VERDICT.find_iter(plain).last().is_some_and(|found| {
            plain[found.end()..].trim_matches(|c: char| !c.is_alphanumeric()).is_empty()
        });
        if is_clear || stands_last {
            return Ok(*last);
        }
        return Err("it gives several answers".to_owned());
    }
    if plain.split_whitespace().count() <= MAX_SHORT && !AGAINST.is_match(plain) {
        let mut names: Vec<Choice> =
            NAME.find_iter(plain).filter_map(|found| named(found.as_str())).collect();
        names.dedup();
        match names.as_slice() {
            [one] => return Ok(*one),
            [_, ..] => return Err("it names both candidates".to_owned()),
            [] => {}
        }
    }
    Err("it does not say 1 or 2".to_owned())
}

fn named(word: &str) -> Option<Choice> {
    match word.to_lowercase().as_str() {
        "1" | "first" | "one" => Some(Choice::First),
        "2" | "second" | "two" => Some(Choice::Second),
        "tie" | "neither" | "equal" | "equally" | "both" => Some(Choice::Neither),
        _ => None,
    }
}

fn constant(pattern: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "the patterns are constants, compiled by the tests")]
    Regex::new(pattern).expect("a constant pattern compiles")
}

/// "Answer: 1", "the better one is candidate 2", "preferred reply: the first".
static VERDICT: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?i)\b(?:answer|verdict|choice|winner|preferred|better)\b(?:\s+(?:one|candidate|reply|response|conversation))?\s*(?:is|=|:|-)\s*(?:the\s+|a\s+)?(?:candidate|reply|response|option|number|conversation)?\s*\(?\b(1|2|first|second|tie|neither|equal)\b",
    )
});

static NAME: LazyLock<Regex> =
    LazyLock::new(|| constant(r"(?i)\b(?:1|2|first|second|tie|neither|equal|equally|both)\b"));

/// Words that turn a name into its opposite.
static AGAINST: LazyLock<Regex> =
    LazyLock::new(|| constant(r"(?i)\b(?:not|worse|worst|bad|poor|reject\w*|never)\b|n['’]t\b"));

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn many_forms_are_read() {
        use Choice::{First, Neither, Second};
        for (text, expected) in [
            ("1", First),
            (" 2.\n", Second),
            ("**2**", Second),
            ("(1)", First),
            ("Candidate 1", First),
            ("I prefer the second one.", Second),
            ("Both are equal.", Neither),
            ("tie", Neither),
            ("Candidate 1 is rude, candidate 2 helps. Answer: 2", Second),
            ("The answer is candidate 1.", First),
            ("Better: the second", Second),
            ("**Preferred reply:** 1", First),
            ("Answer: 1. No, I take that back. Answer: 2", Second),
            ("The better one is 1, and again: the answer is 1, because it helps.", First),
        ] {
            assert_eq!(read_choice(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_clear_is_not_read() {
        for (text, reason) in [
            ("", "it is empty"),
            ("  ** ", "it is empty"),
            ("3", "it does not say 1 or 2"),
            ("12", "it does not say 1 or 2"),
            ("Yes.", "it does not say 1 or 2"),
            ("1 or 2", "it names both candidates"),
            ("Candidate 1 is worse.", "it does not say 1 or 2"),
            ("Not 2.", "it does not say 1 or 2"),
            ("I don't like 1", "it does not say 1 or 2"),
            (
                "There are 2 reasons for which I like what it says so very much",
                "it does not say 1 or 2",
            ),
            ("Answer: 1 or maybe answer: 2 but who knows", "it gives several answers"),
        ] {
            assert_eq!(read_choice(text), Err(reason.to_owned()), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(\\PC|\\n|answer|is|1|2|:){0,60}") {
            let _ = read_choice(&text);
        }
    }
}
