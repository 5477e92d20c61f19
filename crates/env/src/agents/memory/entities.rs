//! Things that a text names: addresses, numbers, dates, amounts, orders and people.
//!
//! Patterns, no model: what is found is certain to stand there, and what is not found is only missing. Kinds are
//! looked for in the order of [`EntityKind`], and a stretch of text that one kind has taken is closed to the
//! others, so a digit of an order number is no phone number. The choice a reader would question: people are found
//! only where somebody says a name in so many words, because capitals alone say little, least of all in scripts
//! that have none.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::names::named_enum;

/// Characters of a text that are looked at; a runaway text must not cost more than its turn.
const MAX_CHARS: usize = 8_000;
/// Entities of one text.
const MAX_FOUND: usize = 64;

named_enum! {
    /// What an entity is.
    pub enum EntityKind {
        /// An email address.
        Email => "email",
        /// A web address.
        Url => "url",
        /// A calendar date.
        Date => "date",
        /// An amount of money.
        Money => "money",
        /// The number of an order, a ticket or the like.
        OrderId => "order_id",
        /// A phone number: 8 to 15 digits, with a plus sign or divided into groups.
        Phone => "phone",
        /// The name of a person.
        Name => "name",
    }
}

/// Something that was named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// As it was written.
    pub text: String,
}

/// What a text names, in the order of the text, each once.
pub fn entities_of(text: &str) -> Vec<Entity> {
    let end = text.char_indices().nth(MAX_CHARS).map_or(text.len(), |(index, _)| index);
    let text = &text[..end];
    let mut found: Vec<(Range<usize>, EntityKind)> = Vec::new();
    for (kind, pattern) in PATTERNS.iter() {
        for capture in pattern.captures_iter(text) {
            // The first group is the thing itself where a pattern has one.
            let Some(part) = capture.iter().flatten().nth(1).or_else(|| capture.get(0)) else {
                continue;
            };
            let part = trimmed(text, part.range());
            let is_free = found.iter().all(|(r, _)| r.end <= part.start || part.end <= r.start);
            if is_free && is_sound(*kind, &text[part.clone()]) && found.len() < MAX_FOUND {
                found.push((part, *kind));
            }
        }
    }
    found.sort_by_key(|(range, _)| range.start);
    let mut entities: Vec<Entity> = Vec::with_capacity(found.len());
    for (range, kind) in found {
        let entity = Entity { kind, text: text[range].to_owned() };
        if !entities.contains(&entity) {
            entities.push(entity);
        }
    }
    entities
}

/// Without the punctuation that ends a sentence.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = text[range.clone()].trim_end_matches(['.', ',', ';', ':', '!', '?', '-', ' ']);
    range.start..range.start + part.len()
}

fn is_sound(kind: EntityKind, text: &str) -> bool {
    let n_digits = text.chars().filter(|c| c.is_numeric()).count();
    match kind {
        EntityKind::OrderId => n_digits > 0,
        EntityKind::Phone => {
            let is_grouped = text.starts_with('+') || text.contains([' ', '-', '.', '(', '/']);
            (8..=15).contains(&n_digits) && is_grouped
        }
        _ => !text.is_empty(),
    }
}

static PATTERNS: LazyLock<Vec<(EntityKind, Regex)>> = LazyLock::new(|| {
    const MONTH: &str = "(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|\
         Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)";
    const DAY: &str = r"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?";
    const NAME: &str = r"\p{Lu}[\p{L}\p{M}'’\-]*(?: \p{Lu}[\p{L}\p{M}'’\-]*){0,2}";
    let sources = [
        (
            EntityKind::Email,
            r"[\p{L}\p{N}._%+\-]+@[\p{L}\p{N}\-]+(?:\.[\p{L}\p{N}\-]+)*\.\p{L}{2,}".to_owned(),
        ),
        (EntityKind::Url, r#"(?i)\b(?:https?://|www\.)[^\s<>"'()\[\]{}]+"#.to_owned()),
        (EntityKind::Date, r"\b\d{4}-\d{2}-\d{2}\b".to_owned()),
        (EntityKind::Date, r"\b\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d{2})\b".to_owned()),
        (EntityKind::Date, format!(r"\b{MONTH}\.? {DAY}\b(?:,? \d{{4}}\b)?")),
        (EntityKind::Date, format!(r"\b{DAY} (?:of )?{MONTH}\b\.?(?:,? \d{{4}}\b)?")),
        (EntityKind::Money, r"\p{Sc} ?\d[\d,]*(?:\.\d+)?".to_owned()),
        (
            EntityKind::Money,
            r"(?i)\b\d[\d,]*(?:\.\d+)? ?(?:\p{Sc}|(?:dollars?|euros?|pounds?|cents?|usd|eur|gbp|chf|jpy|cad|aud)\b)"
                .to_owned(),
        ),
        (
            EntityKind::OrderId,
            r"(?i)\b(?:order|ticket|invoice|case|tracking)(?: (?:number|no\.?|id|code))?(?: is|:)? ?#?([a-z]*-?\d[a-z0-9\-]{2,})\b"
                .to_owned(),
        ),
        (EntityKind::OrderId, r"#[\p{L}\p{N}][\p{L}\p{N}\-]{2,}".to_owned()),
        (EntityKind::OrderId, r"\b\p{Lu}{1,6}-?\d{3,}(?:-\d+)*\b".to_owned()),
        (EntityKind::Phone, r"(?:\+|\(|\b)\d[\d ().\-/]{6,20}\d\b".to_owned()),
        (
            EntityKind::Name,
            r"(?i:\bmy (?:full |first |last )?name(?: is|'s|’s) )(\p{L}[\p{L}\p{M}'’\-]*(?: \p{Lu}[\p{L}\p{M}'’\-]*){0,2})"
                .to_owned(),
        ),
        (EntityKind::Name, format!("(?i:\\b(?:call me|i am called|i'm called) )({NAME})")),
        (EntityKind::Name, format!("(?i:\\bthis is )({NAME})(?i: (?:speaking|here|from|calling)\\b)")),
        (EntityKind::Name, format!(r"\b(?:Mr|Mrs|Ms|Dr)\.? ({NAME})")),
    ];
    // Written out above and compiled by every test, so none can fail; one that did would find nothing.
    sources
        .into_iter()
        .filter_map(|(kind, source)| Some((kind, Regex::new(&source).ok()?)))
        .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        entities_of(text).iter().map(|e| format!("{}={}", e.kind, e.text)).collect()
    }

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(PATTERNS.len(), 16);
    }

    #[test]
    fn what_is_named_is_found() {
        let cases: &[(&str, &[&str])] = &[
            ("Write to anna.hill+x@example.co.uk.", &["email=anna.hill+x@example.co.uk"]),
            ("m\u{fc}ller@b\u{fc}cher.example", &["email=m\u{fc}ller@b\u{fc}cher.example"]),
            (
                "See https://shop.example/a?b=1, or www.shop.example!",
                &["url=https://shop.example/a?b=1", "url=www.shop.example"],
            ),
            ("By 2026-03-04 or 4.3.2026.", &["date=2026-03-04", "date=4.3.2026"]),
            ("March 3rd, 2026 and 12 of May", &["date=March 3rd, 2026", "date=12 of May"]),
            ("I paid $1,299.50 and \u{20ac}5.", &["money=$1,299.50", "money=\u{20ac}5"]),
            ("It costs 20 dollars or 30\u{20ac}", &["money=20 dollars", "money=30\u{20ac}"]),
            ("My order number is 4417-B.", &["order_id=4417-B"]),
            ("order ORD-4417, ticket #A12", &["order_id=ORD-4417", "order_id=#A12"]),
            ("Order 20260101 is late", &["order_id=20260101"]),
            ("Call +49 30 1234567 now", &["phone=+49 30 1234567"]),
            ("or (555) 123-4567.", &["phone=(555) 123-4567"]),
            ("my name is Anna Hill and I", &["name=Anna Hill"]),
            ("My name's jos\u{e9}", &["name=jos\u{e9}"]),
            ("my name is \u{592a}\u{90ce}", &["name=\u{592a}\u{90ce}"]),
            ("This is Bo Li speaking", &["name=Bo Li"]),
            ("Ask Dr. Stone", &["name=Stone"]),
        ];
        for (text, expected) in cases {
            assert_eq!(found(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_named_is_not_found() {
        for text in [
            "",
            "I have 3 lamps and 12 chairs",
            "the order is late",
            "This is Great",
            "version 2.3 of 4.5",
            "a@b",
            "12345678",
            "my name tag is lost",
        ] {
            assert_eq!(found(text), [""; 0], "{text:?}");
        }
    }

    #[test]
    fn each_stretch_is_taken_once_and_each_thing_told_once() {
        assert_eq!(found("order #1234567890 order #1234567890"), ["order_id=1234567890"]);
        assert_eq!(found("a@b.example a@b.example"), ["email=a@b.example"]);
        let many: String = (0..500).map(|n| format!("u{n}@b.example ")).collect();
        assert_eq!(entities_of(&many).len(), MAX_FOUND);
    }
}
