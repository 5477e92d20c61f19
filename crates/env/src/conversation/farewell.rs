//! Does the agent say goodbye?
//!
//! A farewell is a clause of its own ("Goodbye!", "Thanks, see you soon."). The word inside another
//! sentence ("say goodbye to delays", "see you have two orders") or inside another word is none.

use std::sync::LazyLock;

use regex::Regex;

static FAREWELL: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?ix)
        (?:^|[.!?,;:\n–—-])\s*
        (?:(?:ok|okay|well|alright|thanks|thank\ you|and|so|then)\s+)*
        (?:good\s?-?bye | bye(?:[\s-]bye)? | farewell
          | see\ (?:you|ya)(?:\ (?:soon|later|again|then|around|tomorrow|next\ time))?
          | (?:talk|speak)\ to\ you\ (?:later|soon|then) )
        (?:\s+(?:for\ now|now|then|everyone|all|sir|madam|my\ friend|and\ (?:take\ care|thank\ you
          |thanks|good\ luck|have\ an?\ [\w\ ]+)))*
        \s*(?:$|[.!?,;:\n–—-])";
    #[expect(clippy::expect_used, reason = "the pattern is a constant, compiled by the tests")]
    Regex::new(pattern).expect("a constant pattern compiles")
});

/// True where `text` holds a farewell.
pub(crate) fn is_farewell(text: &str) -> bool {
    const MAX_BYTES: usize = 20_000;
    let end = text.len().min(MAX_BYTES);
    let end = (0..=end).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0);
    FAREWELL.is_match(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standalone_farewells() {
        for text in [
            "Goodbye!",
            "Your refund is on its way. Goodbye",
            "Thanks, bye!",
            "ok bye",
            "See you later.",
            "Have a nice day, goodbye and take care!",
            "Talk to you later!",
            "GOOD BYE.",
            "Bye-bye",
            "Anything else?\nSee you",
        ] {
            assert!(is_farewell(text), "{text}");
        }
    }

    #[test]
    fn the_word_inside_something_else() {
        for text in [
            "",
            "Say goodbye to late parcels.",
            "I see you have two orders.",
            "The kilobyte limit is reached.",
            "We stand by, to help you.",
            "We will talk to you later about the refund.",
            "Standby mode",
            "Have a nice day!",
        ] {
            assert!(!is_farewell(text), "{text}");
        }
    }
}
