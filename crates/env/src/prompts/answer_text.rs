//! Answers that are texts: where they stand in a reply, and when two are the same.
//!
//! Normalised as SQuAD's evaluation does it (Rajpurkar et al. 2016, arXiv 1606.05250, section 6.1):
//! lower case, without punctuation, without the articles a, an and the, with single spaces. Anything
//! that is neither letter nor digit counts as punctuation and parts words, but for marks inside a number.
//!
//! A list may be lines with bullets or numbers, plain lines, or one line with commas; one of the three
//! readings has to give the expected items, no more and no fewer.

/// Marks behind which an answer stands, the later one counting; in lower case.
const PHRASES: [&str; 5] = ["answer:", "answer**:", "answer is", "option is", "choice is"];

/// What stands behind the last mark of a reply; `None` without a mark.
///
/// `####` and phrases mark the rest of their line, `\boxed{..}` what is inside its braces.
pub(super) fn marked_answer(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let hashes = text.rfind("####").map(|start| (start, rest_of_line(text, start + 4)));
    let boxed = text.rfind("\\boxed{").map(|start| (start, inside_braces(text, start + 7)));
    let phrases = PHRASES.iter().filter_map(|phrase| {
        let start = lower.rfind(phrase)?;
        Some((start, rest_of_line(text, start + phrase.len())))
    });
    let marks = hashes.into_iter().chain(boxed).chain(phrases);
    let last = marks.max_by_key(|(start, _)| *start);
    last.map(|(_, answer)| answer.trim_matches([' ', '\t', ':', '*', '"']))
}

fn rest_of_line(text: &str, start: usize) -> &str {
    text[start..].trim_start().lines().next().unwrap_or_default()
}

fn inside_braces(text: &str, start: usize) -> &str {
    let mut depth = 1usize;
    for (index, c) in text[start..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[start..start + index];
        }
    }
    &text[start..]
}

/// The words of a text, normalised.
pub(super) fn normalised(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let chars: Vec<char> = lower.chars().collect();
    let is_digit = |place: Option<usize>| {
        place.and_then(|place| chars.get(place)).is_some_and(char::is_ascii_digit)
    };
    let kept = chars.iter().enumerate().filter_map(|(i, c)| {
        let in_number = is_digit(i.checked_sub(1)) && is_digit(Some(i + 1));
        match c {
            c if c.is_alphanumeric() => Some(*c),
            '.' if in_number => Some('.'),
            ',' if in_number => None,
            '\'' | '\u{2019}' => None,
            _ => Some(' '),
        }
    });
    let kept: String = kept.collect();
    let words = kept.split_whitespace().filter(|word| !matches!(*word, "a" | "an" | "the"));
    words.map(str::to_owned).collect()
}

/// What two choices are compared by: their words, or where they have none the text itself.
pub(super) fn words_or_text(text: &str) -> Vec<String> {
    let words = normalised(text);
    let text = text.trim();
    if words.is_empty() && !text.is_empty() { vec![text.to_owned()] } else { words }
}

/// True where `words` stand in `text` one behind the other.
pub(super) fn contains(text: &[String], words: &[String]) -> bool {
    !words.is_empty() && text.windows(words.len()).any(|window| window == words)
}

/// True where one reading of `reply` gives exactly these items.
pub(super) fn items_match(reply: &str, expected: &[Vec<String>]) -> bool {
    let is_expected = |items: Vec<&str>| {
        let words: Vec<Vec<String>> =
            items.into_iter().map(normalised).filter(|words| !words.is_empty()).collect();
        words == expected
    };
    let lines = || reply.lines().map(str::trim).filter(|line| !line.is_empty());
    let last = lines().next_back().unwrap_or_default();
    is_expected(lines().filter_map(without_bullet).collect())
        || is_expected(lines().collect())
        || is_expected(in_one_line(marked_answer(reply).unwrap_or(last)))
}

/// The text of a line that begins with a bullet or a number; `None` for any other line.
fn without_bullet(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix(['-', '*', '\u{2022}']) {
        return rest.starts_with(char::is_whitespace).then(|| rest.trim());
    }
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let has_number = rest.len() < line.len();
    let rest = rest.strip_prefix(['.', ')'])?;
    (has_number && rest.starts_with(char::is_whitespace)).then(|| rest.trim())
}

/// Items between commas, semicolons and `and`; a colon ends what introduces them.
fn in_one_line(line: &str) -> Vec<&str> {
    let line = line.rsplit_once(": ").map_or(line, |(_, list)| list);
    let parts = line.split([',', ';']).flat_map(|part| part.split(" and "));
    parts.map(|part| part.trim().trim_start_matches("and ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_answer_behind_the_last_mark() {
        for (text, expected) in [
            ("So it is\n#### 72 \nDone.", Some("72")),
            ("The answer is **Paris**.", Some("Paris**.")),
            ("Answer: Rome\nNo. Answer: Paris", Some("Paris")),
            ("\\boxed{\\frac{1}{2}} is it", Some("\\frac{1}{2}")),
            ("\\boxed{open", Some("open")),
            ("The answer is 3.\n#### 4", Some("4")),
            ("**Answer:** B", Some("B")),
            ("**Answer**: B", Some("B")),
            ("####", Some("")),
            ("Paris", None),
        ] {
            assert_eq!(marked_answer(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_the_same_text() {
        for (text, expected) in [
            ("The  Hague!", "hague"),
            ("It's an O'Neill", "its oneill"),
            ("1,200.50 km", "1200.50 km"),
            ("well-known", "well known"),
            ("Stra\u{df}e \u{c9}COLE", "stra\u{df}e \u{e9}cole"),
            ("a", ""),
        ] {
            assert_eq!(normalised(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn lists_in_every_layout() {
        let expected: Vec<Vec<String>> = ["red", "dark green", "blue"].map(normalised).into();
        for reply in [
            "Red, dark green, blue",
            "They are: red, dark green and blue.",
            "In this order:\n1. Red\n2) Dark green\n3. blue",
            "- red\n* dark green\n\u{2022} blue\n",
            "red\ndark green\nblue",
            "I thought a while.\nAnswer: red; dark green; and blue",
        ] {
            assert!(items_match(reply, &expected), "{reply}");
        }
        for reply in ["", "red", "blue, dark green, red", "red, dark green, blue, black", "1.red"] {
            assert!(!items_match(reply, &expected), "{reply}");
        }
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = normalised(&text);
            prop_assert_eq!(normalised(&once.join(" ")), once);
        }

        #[test]
        fn any_text_is_read(text in "[#\\\\{}boxed a-z:\u{e9}\u{1F600}\n]{0,60}") {
            let _ = marked_answer(&text);
            let _ = items_match(&text, &[normalised("x")]);
        }
    }
}
