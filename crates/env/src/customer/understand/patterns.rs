//! Tables of patterns, matched all at once.
//!
//! Patterns are regular expressions on plain text (see [`super::plain`]) with two short cuts: each is
//! bounded by word boundaries, and `~3 ` stands for up to three words of any kind. They match inside
//! one clause, because the comma is no word.

use regex::{RegexSet, RegexSetBuilder};

/// What each pattern of a table means.
pub(crate) struct Patterns<T> {
    set: RegexSet,
    meanings: Vec<T>,
}

impl<T: Copy + PartialEq> Patterns<T> {
    /// Compiles a table.
    ///
    /// # Panics
    /// Where a pattern is no regular expression; the tables are constants and all are compiled by the
    /// tests of this folder.
    #[expect(clippy::expect_used, reason = "the tables are constants, compiled by the tests")]
    pub(crate) fn new(table: &[(T, &str)]) -> Patterns<T> {
        const DFA_BYTES: usize = 32 << 20;
        let patterns = table.iter().map(|(_, pattern)| with_gaps(pattern));
        let set = RegexSetBuilder::new(patterns)
            .unicode(false)
            .size_limit(DFA_BYTES)
            .dfa_size_limit(DFA_BYTES)
            .build()
            .expect("constant patterns compile");
        Patterns { set, meanings: table.iter().map(|(meaning, _)| *meaning).collect() }
    }

    /// The meanings that occur in `text`, each once, in the order of the table.
    pub(crate) fn all_in(&self, text: &str) -> Vec<T> {
        let mut found = Vec::new();
        for index in self.set.matches(text) {
            let meaning = self.meanings[index];
            if !found.contains(&meaning) {
                found.push(meaning);
            }
        }
        found
    }
}

/// Bounds a pattern by word boundaries and writes its gaps out.
fn with_gaps(pattern: &str) -> String {
    let mut written = String::from(r"\b(?:");
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek().and_then(|next| next.to_digit(10))) {
            ('~', Some(n_words)) => {
                chars.next();
                chars.next_if_eq(&' ');
                written.push_str(&format!(r"(?:[\w.@]+ ){{0,{n_words}}}"));
            }
            _ => written.push(c),
        }
    }
    written + r")\b"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_count_words_and_stop_at_commas() {
        let patterns = Patterns::new(&[(1, "start ~2 refund"), (2, "refund"), (1, "begin")]);
        assert_eq!(patterns.all_in("start refund"), [1, 2]);
        assert_eq!(patterns.all_in("start the big refund"), [1, 2]);
        assert_eq!(patterns.all_in("start the big green refund"), [2]);
        assert_eq!(patterns.all_in("start , refund"), [2]);
        assert!(patterns.all_in("restart refunds").is_empty());
        assert_eq!(patterns.all_in("begin to start a refund"), [1, 2]);
    }
}
