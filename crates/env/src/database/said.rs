//! Was a required output said?
//!
//! Texts are compared in lower case, with runs of blanks as one, and where no letter or digit touches them.
//! An output that is a number is found among the numbers of the text by its value, so `$1,299.50` says
//! `1299.5` and `25.00` says `25`, but `125` does not.
//!
//! # Known ways to cheat
//! Reciting everything says everything. A turn with more than 20 different numbers says none of them; a
//! recital of words is noticed only where the task lists wrong answers (`forbidden`).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, compiled by the tests")]
    Regex::new(r"-?\d+(?:,\d{3})*(?:\.\d+)?").expect("a constant pattern compiles")
});

const MAX_NUMBERS: usize = 20;
/// Longer texts are read only so far.
const MAX_BYTES: usize = 50_000;

/// True where `text` says `output`.
pub fn is_said(output: &str, text: &str) -> bool {
    let text = head(text);
    match value(output.trim().trim_start_matches(['$', '€', '£'])) {
        Some(wanted) => says_number(wanted, text),
        None => says_words(&normalised(output), &normalised(text)),
    }
}

fn says_number(wanted: f64, text: &str) -> bool {
    let before = |start: usize| text[..start].chars().next_back();
    let touches = |c: char| c.is_alphanumeric() || c == '_' || c == '#';
    let followed = |end: usize| text[end..].chars().next().is_some_and(char::is_alphabetic);
    let numbers = NUMBER.find_iter(text).filter_map(|found| {
        let number = found.as_str();
        // Behind a letter or digit a dash is a hyphen: `2-4` holds 4.
        let hyphen = number.starts_with('-') && before(found.start()).is_some_and(touches);
        let number = if hyphen { &number[1..] } else { number };
        let start = found.end() - number.len();
        let is_apart = !before(start).is_some_and(touches) && !followed(found.end());
        is_apart.then(|| value(number)).flatten()
    });
    let numbers: Vec<f64> = numbers.collect();
    let different: BTreeSet<u64> = numbers.iter().map(|number| number.to_bits()).collect();
    different.len() <= MAX_NUMBERS && numbers.contains(&wanted)
}

fn says_words(output: &str, text: &str) -> bool {
    if output.is_empty() {
        return true;
    }
    let touches = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (first, last) = (output.chars().next(), output.chars().next_back());
    text.match_indices(output).any(|(start, found)| {
        let before = text[..start].chars().next_back();
        let after = text[start + found.len()..].chars().next();
        let is_inside_a_word = touches(before) && touches(first) || touches(after) && touches(last);
        !is_inside_a_word
    })
}

/// The number that `text` is, with or without thousands separators.
fn value(text: &str) -> Option<f64> {
    let is_whole = NUMBER.find(text).is_some_and(|found| found.as_str().len() == text.len());
    if is_whole { text.replace(',', "").parse().ok() } else { None }
}

fn normalised(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

fn head(text: &str) -> &str {
    let end = (0..=text.len().min(MAX_BYTES)).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn says_it() {
        for (output, text) in [
            ("54.04", "It is $54.04 in all."),
            ("1299.5", "You get $1,299.50 back."),
            ("1,299", "1299 euros"),
            ("$25", "A lamp costs 25.00 crowns."),
            ("25", "It costs 25."),
            ("4", "There are 2-4 left."),
            ("-3", "The balance is -3."),
            ("Sold Out", "It is sold  out, sorry."),
            ("ÜBER", "das Wort über, ja"),
            ("#W12", "Order #W12 is sent."),
            ("sent", "It was SENT!"),
        ] {
            assert!(is_said(output, text), "{output:?} in {text:?}");
        }
    }

    #[test]
    fn does_not_say_it() {
        let recital: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        for (output, text) in [
            ("25", "It costs 125."),
            ("25", "It costs 25.50."),
            ("25", "It costs 2,500."),
            ("7", "Order oak7 is sent."),
            ("5", "a 5kg bag"),
            ("-3", "It is 3."),
            ("sent", "It was presented."),
            ("sold out", "It is sold."),
            ("sent", ""),
            ("25", &recital.join(" ")),
        ] {
            assert!(!is_said(output, text), "{output:?} in {text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(output in "\\PC{0,12}", text in "\\PC{0,60}") {
            let _ = is_said(&output, &text);
            prop_assert!(is_said(&output, &output) || NUMBER.is_match(&output) || output.trim() != output);
        }
    }
}
