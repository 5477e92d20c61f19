//! Words and phrases that rewards look for, as they stand in `words/*.txt`.
//!
//! A file holds sections, `[name]`, with a phrase in each line. A phrase is one word or several in a row;
//! a last word that ends in `*` stands for every word that begins so. What follows `#` is a comment. Words
//! are compared as [`crate::text`] cuts them: in lower case by Unicode's rules, with straight apostrophes,
//! and whole, so that `art` is not found in `start`. A phrase never reaches across a comma or full stop.
//!
//! A phrase that is denied ("I cannot help", "not sorry") is not found. A word of denial counts when it is
//! one of the three words before, in the same clause, or the next one behind. Nor is a phrase in double
//! quotation marks: who quotes it speaks about it.

use super::agent_turns::AgentTurn;
use crate::text::{Map, quoted_words};

/// A phrase in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    section: usize,
    start: usize,
    len: usize,
}

/// Everything that was found in one turn.
#[derive(Debug)]
pub(super) struct Hits<'a> {
    lexicon: &'a Lexicon,
    words: &'a [String],
    hits: Vec<Hit>,
}

/// The sections of one file.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    sections: Vec<String>,
    /// Phrases by their first word.
    by_word: Map<String, Vec<Phrase>>,
    /// Single words with a star, by the first letters of all of them.
    by_beginning: Map<String, Vec<(usize, String)>>,
}

#[derive(Debug)]
struct Phrase {
    section: usize,
    rest: Vec<String>,
    /// True where the last word only has to begin so.
    is_open: bool,
}

/// Letters by which words with a star are found; shorter beginnings are refused.
const LETTERS: usize = 3;

const DENIALS: &[&str] = &[
    "not",
    "never",
    "cannot",
    "can't",
    "don't",
    "doesn't",
    "didn't",
    "won't",
    "isn't",
    "aren't",
    "wasn't",
    "wouldn't",
    "couldn't",
    "shouldn't",
    "haven't",
    "hasn't",
    "unable",
    "without",
];

impl Lexicon {
    /// Reads the text of a file. Lines before the first section, and beginnings of fewer than three
    /// letters, are left out; a test holds that no file has such.
    pub(super) fn parse(text: &str) -> Lexicon {
        let mut lexicon = Lexicon::default();
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default().trim().to_lowercase();
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                lexicon.sections.push(name.to_owned());
            } else if !line.is_empty() && !lexicon.sections.is_empty() {
                lexicon.add(&line);
            }
        }
        lexicon
    }

    /// One section of these phrases.
    pub(super) fn of(section: &str, phrases: &[&str]) -> Lexicon {
        let mut lexicon = Lexicon { sections: vec![section.to_owned()], ..Lexicon::default() };
        for phrase in phrases {
            lexicon.add(&phrase.to_lowercase());
        }
        lexicon
    }

    fn add(&mut self, line: &str) {
        let section = self.sections.len() - 1;
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let is_open = words.last().is_some_and(|word| word.ends_with('*'));
        if let Some(last) = words.last_mut().filter(|_| is_open) {
            last.pop();
        }
        if words.is_empty() {
            return;
        }
        let first = words.remove(0);
        if is_open && words.is_empty() {
            if let Some((end, _)) = first.char_indices().nth(LETTERS - 1) {
                let end = end + first[end..].chars().next().map_or(0, char::len_utf8);
                self.by_beginning
                    .entry(first[..end].to_owned())
                    .or_default()
                    .push((section, first));
            }
        } else {
            let phrase = Phrase { section, rest: words, is_open };
            self.by_word.entry(first).or_default().push(phrase);
        }
    }

    /// The names of its sections.
    pub(super) fn sections(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().map(String::as_str)
    }

    /// True where it has a section called `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.sections.iter().any(|section| section == name)
    }

    /// Everything of it that `turn` says and does not deny.
    pub(super) fn scan<'a>(&'a self, turn: &'a AgentTurn<'_>) -> Hits<'a> {
        let mut hits = self.scan_words(&turn.words, &turn.starts);
        let quoted = quoted_words(turn.text);
        hits.hits.retain(|hit| !quoted.get(hit.start).copied().unwrap_or(false));
        hits
    }

    /// The same for words without a turn.
    pub(super) fn scan_words<'a>(&'a self, words: &'a [String], starts: &[bool]) -> Hits<'a> {
        let hits = (0..words.len()).flat_map(|start| self.hits_at(words, starts, start));
        Hits { lexicon: self, words, hits: hits.collect() }
    }

    /// True where `words` say anything of it that they do not deny.
    pub(super) fn has_any(&self, words: &[String], starts: &[bool]) -> bool {
        (0..words.len()).any(|start| self.hits_at(words, starts, start).next().is_some())
    }

    /// What begins with the word at `start`.
    fn hits_at(
        &self,
        words: &[String],
        starts: &[bool],
        start: usize,
    ) -> impl Iterator<Item = Hit> {
        let word = words[start].as_str();
        let phrases = self.by_word.get(word).map_or(&[][..], Vec::as_slice).iter();
        let phrases = phrases
            .filter(move |phrase| phrase.follows(&words[start + 1..], &starts[start + 1..]))
            .map(move |phrase| Hit { section: phrase.section, start, len: phrase.rest.len() + 1 });
        let beginnings = beginning(word).and_then(|beginning| self.by_beginning.get(beginning));
        let of_word = beginnings.map_or(&[][..], Vec::as_slice).iter();
        let of_word = of_word
            .filter(move |(_, begins)| word.starts_with(begins.as_str()))
            .map(move |(section, _)| Hit { section: *section, start, len: 1 });
        let all = phrases.chain(of_word);
        all.filter(move |hit| !is_denied(words, starts, hit.start, hit.len))
    }
}

impl Phrase {
    fn follows(&self, words: &[String], starts: &[bool]) -> bool {
        let Some((last, inner)) = self.rest.split_last() else { return true };
        let n = self.rest.len();
        let (Some(words), Some(starts)) = (words.get(..n), starts.get(..n)) else { return false };
        let matches_last =
            if self.is_open { words[n - 1].starts_with(last) } else { words[n - 1] == *last };
        matches_last && words[..n - 1] == *inner && !starts.contains(&true)
    }
}

fn beginning(word: &str) -> Option<&str> {
    let (end, last) = word.char_indices().nth(LETTERS - 1)?;
    Some(&word[..end + last.len_utf8()])
}

/// True where the `len` words from `start` on are denied; see the rules above.
pub(super) fn is_denied(words: &[String], starts: &[bool], start: usize, len: usize) -> bool {
    let denies = |word: &String| DENIALS.contains(&word.as_str());
    let end = start + len;
    if words.get(end).is_some_and(denies) && !starts.get(end).copied().unwrap_or(true) {
        return true;
    }
    let mut index = start;
    while index > 0 && index + 3 > start && !starts[index] {
        index -= 1;
        if denies(&words[index]) {
            return true;
        }
    }
    false
}

impl<'a> Hits<'a> {
    /// The first phrase of `section` that is there.
    pub(super) fn first(&self, section: &str) -> Option<String> {
        self.of(section).next().map(|hit| self.text_of(hit))
    }

    /// The different phrases of `section` that are there, in the order of the text.
    pub(super) fn distinct(&self, section: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for phrase in self.of(section).map(|hit| self.text_of(hit)) {
            if !found.contains(&phrase) {
                found.push(phrase);
            }
        }
        found
    }

    /// How many phrases of each section are there, in the order of the sections.
    pub(super) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.lexicon.sections.len()];
        for hit in &self.hits {
            counts[hit.section] += 1;
        }
        counts
    }

    fn of(&self, section: &str) -> impl Iterator<Item = &Hit> {
        let index = self.lexicon.sections.iter().position(|name| name == section);
        self.hits.iter().filter(move |hit| Some(hit.section) == index)
    }

    fn text_of(&self, hit: &Hit) -> String {
        self.words[hit.start..hit.start + hit.len].join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::words_in_clauses;

    fn found(lexicon: &str, section: &str, text: &str) -> Vec<String> {
        let lexicon = Lexicon::parse(lexicon);
        let (words, starts) = words_in_clauses(text);
        lexicon.scan_words(&words, &starts).distinct(section)
    }

    const LISTS: &str =
        "# a comment\n[a]\nsorry to hear\napolog* # more\nÄrger\n[b]\nit's on its wa*";

    #[test]
    fn phrases_are_found_as_whole_words() {
        assert_eq!(found(LISTS, "a", "So SORRY to hear, sorry to hear!"), ["sorry to hear"]);
        assert_eq!(found(LISTS, "a", "We apologise. My apologies."), ["apologise", "apologies"]);
        assert_eq!(found(LISTS, "a", "Kein ÄRGER"), ["ärger"]);
        assert_eq!(found(LISTS, "b", "It’s on its way."), ["it's on its way"]);
        assert!(found(LISTS, "a", "I am sorry. To hear is to obey").is_empty(), "two sentences");
        assert!(found(LISTS, "a", "sorry to").is_empty());
        assert!(found(LISTS, "none", "sorry to hear").is_empty());
    }

    #[test]
    fn every_line_of_the_files_is_read() {
        for file in [
            include_str!("words/action.txt"),
            include_str!("words/domains.txt"),
            include_str!("words/engagement.txt"),
            include_str!("words/sales.txt"),
            include_str!("words/service.txt"),
            include_str!("words/technical.txt"),
        ] {
            let lexicon = Lexicon::parse(file);
            for section in lexicon.sections() {
                assert!(
                    lexicon.sections().filter(|other| *other == section).count() == 1,
                    "{section}"
                );
            }
            let mut section = "";
            for line in file.lines().map(|line| line.split('#').next().unwrap().trim()) {
                if let Some(name) = line.strip_prefix('[') {
                    section = name.trim_end_matches(']');
                } else if !line.is_empty() {
                    let text = line.replace('*', "");
                    let (words, starts) = words_in_clauses(&text);
                    let found = lexicon.scan_words(&words, &starts).distinct(section);
                    assert!(found.contains(&words.join(" ")), "{section}: {line}");
                }
            }
        }
    }

    #[test]
    fn what_is_denied_is_not_found() {
        for text in ["I am not sorry to hear it", "I don't ever apologise", "I apologise not"] {
            assert!(found(LISTS, "a", text).is_empty(), "{text}");
        }
        assert_eq!(found(LISTS, "a", "It is not here, I apologise."), ["apologise"]);
    }
}
