//! What users say of themselves: "my name is Anna", "I live in Oslo", "my budget is 200 dollars".
//!
//! Patterns over single sentences. A fact has a key and a value in the user's words. Of most keys the last value
//! counts; likes and dislikes add up. The choice a reader would question: any "my X is Y" of up to three words
//! is taken, whatever X is, because what an agent must remember depends on its trade.

use std::sync::LazyLock;

use regex::Regex;

use crate::text::sentences;

/// Characters of a text that are looked at.
const MAX_CHARS: usize = 8_000;
/// Longest value in characters.
const MAX_VALUE_CHARS: usize = 80;

/// Something that a user said of themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about, such as `name` or `order number`; lower case.
    pub key: String,
    /// The value, in the user's words.
    pub value: String,
}

impl Fact {
    /// True where a newer fact with the same key does not replace this one.
    pub fn adds_up(&self) -> bool {
        ADDING.contains(&self.key.as_str())
    }
}

const ADDING: [&str; 4] = ["likes", "dislikes", "prefers", "allergic to"];

/// The facts of a user's message, in its order.
pub fn facts_of(text: &str) -> Vec<Fact> {
    let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(index, _)| index);
    sentences(&text[..end]).into_iter().flat_map(clauses).filter_map(fact_of).collect()
}

/// A sentence in parts that each begin with "I" or "my", as far as it has several.
fn clauses(sentence: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for joint in JOINT.captures_iter(sentence) {
        if let (Some(whole), Some(subject)) = (joint.get(0), joint.name("subject")) {
            parts.push(&sentence[start..whole.start()]);
            start = subject.start();
        }
    }
    parts.push(&sentence[start..]);
    parts
}

/// The fact that a clause states; a clause states one at most, the first pattern's.
fn fact_of(clause: &str) -> Option<Fact> {
    PATTERNS.iter().find_map(|(key, pattern)| {
        let capture = pattern.captures(clause.trim())?;
        let key = match *key {
            "" => capture.name("key")?.as_str().to_lowercase(),
            key => key.to_owned(),
        };
        let value = capture.name("value")?.as_str().trim_matches(|c: char| {
            c.is_whitespace() || matches!(c, '.' | ',' | ':' | '"' | '\u{201c}' | '\u{201d}')
        });
        let is_said = value.chars().any(char::is_alphanumeric)
            && value.chars().count() <= MAX_VALUE_CHARS
            && !DENIED.is_match(value);
        is_said.then(|| Fact { key, value: value.to_owned() })
    })
}

static JOINT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(?:,|\s(?:and|but))\s+(?P<subject>i|my)\b"));
static DENIED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^(?:not|no longer|unknown)\b"));

static PATTERNS: LazyLock<Vec<(&'static str, Regex)>> = LazyLock::new(|| {
    const IS: &str = "(?:'m|’m| am)";
    [
        ("name", r"\bmy (?:full )?name(?:'s|’s| is) (?P<value>.+)$".to_owned()),
        ("name", r"^(?:please |just |you can )*call me (?P<value>(?-i:\p{Lu}).*)$".to_owned()),
        ("home", format!(r"\bi(?: live|{IS} living) in (?P<value>.+)$")),
        ("from", format!(r"\bi{IS} from (?P<value>.+)$")),
        ("employer", r"\bi work (?:at|for) (?P<value>.+)$".to_owned()),
        ("occupation", r"\bi work as (?:an? )?(?P<value>.+)$".to_owned()),
        ("allergic to", format!(r"\bi{IS} allergic to (?P<value>.+)$")),
        (
            "dislikes",
            r"\bi (?:really )?(?:don't like|don’t like|do not like|hate|dislike) (?P<value>.+)$"
                .to_owned(),
        ),
        ("likes", r"\bi (?:really )?(?:like|love) (?P<value>.+)$".to_owned()),
        ("prefers", r"\bi(?:'d|’d| would)? (?:really )?prefer (?P<value>.+)$".to_owned()),
        (
            "",
            r"\bmy (?P<key>\p{L}[\p{L}\p{M}'’\-]*(?: \p{L}[\p{L}\p{M}'’\-]*){0,2}?) (?:is|are) (?P<value>.+)$"
                .to_owned(),
        ),
    ]
    .into_iter()
    .map(|(key, source)| (key, pattern(&format!("(?i){source}"))))
    .collect()
});

/// The patterns of this file; a test compiles every one.
fn pattern(source: &str) -> Regex {
    Regex::new(source).unwrap_or_else(|error| panic!("{source}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        facts_of(text).iter().map(|fact| format!("{}={}", fact.key, fact.value)).collect()
    }

    #[test]
    fn what_users_say_of_themselves_is_found() {
        let cases: &[(&str, &[&str])] = &[
            ("Hi, my name is Anna Hill.", &["name=Anna Hill"]),
            ("My name is Anna and I live in Oslo.", &["name=Anna", "home=Oslo"]),
            ("Please call me Bo!", &["name=Bo"]),
            ("I'm from Graz, my order number is 4417", &["from=Graz", "order number=4417"]),
            ("my email is a@b.example", &["email=a@b.example"]),
            ("I work for Acme Ltd", &["employer=Acme Ltd"]),
            ("I work as a nurse", &["occupation=nurse"]),
            ("I love jazz; I don't like rain", &["likes=jazz", "dislikes=rain"]),
            ("I'd prefer the blue one", &["prefers=the blue one"]),
            ("I am allergic to nuts", &["allergic to=nuts"]),
            ("My caf\u{e9} is closed", &["caf\u{e9}=closed"]),
            ("my name is \u{592a}\u{90ce}", &["name=\u{592a}\u{90ce}"]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn questions_and_denials_state_nothing() {
        for text in
            ["", "What is your name", "my name is not Bob", "Is it mine?", "I agree", "...", "is"]
        {
            assert_eq!(found(text), [""; 0], "{text:?}");
        }
    }

    #[test]
    fn likes_add_up_and_names_do_not() {
        let fact = |key: &str| Fact { key: key.into(), value: "x".into() };
        assert!(fact("likes").adds_up());
        assert!(!fact("name").adds_up());
    }
}
