//! Do the small words of a text stand where English puts them?
//!
//! Shuffled sentences and lists of keywords with small words strewn in pass a count of small words. They
//! do not pass a look at neighbours: "the of", "will will", "to your is" and the like are said by nobody.
//! A join is bad where two neighbouring words of one clause cannot stand together, where more than four
//! words without a small word or number between them follow each other, or where a clause ends in a word
//! that opens something, or says a pair of words again that are not both small; and every clause of
//! three words or fewer from the eighth on that follow each other, as in endless lists. Of the agents' turns of a published corpus of spoken-style orders fewer than one
//! in a hundred has a bad join, of the same turns shuffled two thirds have (a test counts both).
//!
//! The rules are this project's own and English only. They forgive: most word salad has some good joins,
//! so the share of bad ones is what counts, and who uses it decides how much it costs.

use std::sync::LazyLock;

use super::hash::Map;
use super::words::function_words;

/// Longest run of content words that is nothing special.
const LONGEST_RUN: usize = 4;

/// Longest row of short clauses, as in a list of things, and how many words a short one has.
const LONGEST_LIST: usize = 7;
const SHORT: usize = 3;

/// Bad joins for each word of the text; `starts` says where clauses begin. 0 for an empty text.
pub(crate) fn share_of_bad_joins(words: &[String], starts: &[bool]) -> f64 {
    let mut n_bad = 0;
    let mut run = 0;
    let mut before = 0;
    let mut last = 0;
    let mut clause = 0;
    let mut n_short = 0;
    for (index, word) in words.iter().enumerate() {
        let kinds = kinds_of(word);
        if starts.get(index).copied().unwrap_or(true) {
            n_bad += usize::from(index > 0 && last & OPENERS != 0);
            n_short = if index > 0 && index - clause <= SHORT { n_short + 1 } else { 0 };
            n_bad += usize::from(n_short > LONGEST_LIST);
            (before, run, clause) = (0, 0, index);
        } else {
            let stutters = words[index - 1] == *word && kinds & TWICE == 0;
            let is_again = run > 0 || !is_small(word, kinds);
            let is_again = is_again && says_pair_again(&words[clause..=index]);
            n_bad += usize::from(stutters || is_again || is_bad(before, last, kinds));
            before = last;
        }
        run = if is_small(word, kinds) { 0 } else { run + 1 };
        n_bad += usize::from(run > LONGEST_RUN);
        last = kinds;
    }
    n_bad += usize::from(words.len() > 1 && last & OPENERS != 0);
    n_bad as f64 / words.len().max(1) as f64
}

/// True where the last two words of a clause stand in it before, not too far back.
fn says_pair_again(clause: &[String]) -> bool {
    const MOST_BACK: usize = 12;
    let (before, pair) = clause.split_at(clause.len().saturating_sub(2));
    before[before.len().saturating_sub(MOST_BACK)..].windows(2).any(|earlier| earlier == pair)
}

fn is_small(word: &str, kinds: u32) -> bool {
    kinds != 0 || word.starts_with(|c: char| c.is_numeric())
}

const ARTICLE: u32 = 1;
const OF: u32 = 1 << 1;
const PLACE: u32 = 1 << 2;
const LINK: u32 = 1 << 3;
const MODAL: u32 = 1 << 4;
const FINITE: u32 = 1 << 5;
const BASE: u32 = 1 << 6;
const SUBJECT: u32 = 1 << 7;
const OBJECT: u32 = 1 << 8;
const CONTRACTED: u32 = 1 << 9;
const TO: u32 = 1 << 10;
const PLEASE: u32 = 1 << 11;
const NOT: u32 = 1 << 12;
const YOU: u32 = 1 << 13;
const IT: u32 = 1 << 14;
const THIS: u32 = 1 << 15;
const PLURAL_VERB: u32 = 1 << 16;
const SINGULAR_VERB: u32 = 1 << 17;
const AM: u32 = 1 << 18;
const I: u32 = 1 << 19;
const PLURAL: u32 = 1 << 20;
const WILL: u32 = 1 << 21;
const TWICE: u32 = 1 << 22;
const BEEN: u32 = 1 << 23;
const ONLY_OF: u32 = 1 << 24;
/// No rule; only that it is a small word.
const SMALL: u32 = 1 << 25;

const PREPOSITION: u32 = OF | PLACE;
const VERB: u32 = MODAL | FINITE | BASE | BEEN;
/// What a clause cannot end in.
const OPENERS: u32 = ARTICLE | LINK | SUBJECT;

/// What may not follow each kind; every row is one kind of word and the kinds barred behind it.
const BARRED: &[(u32, u32)] = &[
    (
        ARTICLE,
        ARTICLE
            | PREPOSITION
            | LINK
            | VERB
            | SUBJECT
            | OBJECT
            | CONTRACTED
            | TO
            | YOU
            | IT
            | NOT
            | PLEASE,
    ),
    (OF, MODAL | FINITE | LINK | SUBJECT | ONLY_OF | TO | CONTRACTED | PLEASE | BEEN),
    (LINK, LINK | ONLY_OF),
    (TO, MODAL | FINITE | LINK | SUBJECT | ONLY_OF | TO | BEEN | PLEASE | CONTRACTED),
    (MODAL, MODAL | FINITE | LINK | OF | TO | BEEN | OBJECT),
    (SUBJECT, ARTICLE | OF | OBJECT | TO | YOU | IT | NOT | PLEASE | SUBJECT | CONTRACTED),
    (I, PLURAL_VERB | SINGULAR_VERB),
    (PLURAL, SINGULAR_VERB),
    (YOU, SINGULAR_VERB | AM),
    (IT, PLURAL_VERB | AM),
    (CONTRACTED, MODAL | FINITE | LINK | SUBJECT | ONLY_OF | CONTRACTED),
    (WILL, ARTICLE | PREPOSITION),
    (PLEASE, MODAL | FINITE | LINK | OF | SUBJECT),
    (NOT, SUBJECT | FINITE | MODAL | ONLY_OF),
];

fn is_bad(before: u32, last: u32, kinds: u32) -> bool {
    // A question may have an article behind its modal: "would the seat do", but not "it would the".
    let is_told = before & (SUBJECT | YOU | IT | THIS | TO) != 0;
    let told_article = is_told && last & MODAL != 0 && kinds & ARTICLE != 0;
    told_article || BARRED.iter().any(|(kind, barred)| last & kind != 0 && kinds & barred != 0)
}

fn kinds_of(word: &str) -> u32 {
    if word.len() > LONGEST_LISTED { 0 } else { KINDS.get(word).copied().unwrap_or(0) }
}

/// Bytes of the longest word in the table.
const LONGEST_LISTED: usize = 10;

static KINDS: LazyLock<Map<&'static str, u32>> = LazyLock::new(|| {
    let mut kinds: Map<&'static str, u32> = function_words().map(|word| (word, SMALL)).collect();
    for (words, kind) in LISTS {
        for word in words.split_whitespace() {
            *kinds.entry(word).or_default() |= kind;
        }
    }
    kinds
});

const LISTS: &[(&str, u32)] = &[
    ("a an the my your our their every its", ARTICLE),
    ("of at with from into for by without during between", OF),
    ("of", ONLY_OF),
    ("in on about through", PLACE),
    ("and or but because", LINK),
    ("will would can could should may might must can't won't couldn't wouldn't shouldn't", MODAL),
    ("am is are was were has had did does isn't aren't wasn't doesn't didn't", FINITE),
    ("is has does isn't doesn't", SINGULAR_VERB),
    ("are were aren't", PLURAL_VERB),
    ("am", AM),
    ("be have do", BASE),
    ("been", BEEN),
    ("i we he she they", SUBJECT),
    ("i", I),
    ("we they", PLURAL),
    ("me him us them", OBJECT),
    ("i'm i'll i've i'd you're you'll you've we'll we've we're it's that's they're", CONTRACTED),
    ("i'll you'll we'll", WILL),
    ("to", TO),
    ("please", PLEASE),
    ("not", NOT),
    ("you", YOU),
    ("it", IT),
    ("this that", THIS),
    ("within whether two three four five six seven eight nine ten near along behind", SMALL),
    ("had that very bye no ha so really many", TWICE),
];

#[cfg(test)]
mod tests {
    use super::super::words_in_clauses;
    use super::*;

    fn share(text: &str) -> f64 {
        let (words, starts) = words_in_clauses(text);
        share_of_bad_joins(&words, &starts)
    }

    #[test]
    fn no_listed_word_is_longer_than_stated() {
        assert_eq!(KINDS.keys().map(|word| word.len()).max(), Some(LONGEST_LISTED));
        assert!(is_small("everything", kinds_of("everything")));
    }

    #[test]
    fn english_has_no_bad_joins() {
        for text in [
            "",
            "Hello.",
            "I am sorry about that. May I have your order number, please?",
            "Please hold the power button for ten seconds and then turn the laptop on again.",
            "Would the window seat do? If not, I'll put you on the aisle.",
            "Is it the one that had had a scratch, or what is it for?",
            "We don't charge you for this, and I've sent it to you by post.",
            "We have vanilla, sugar free vanilla, hazelnut, caramel, honey, mint and sugar.",
            "Order number 4821 was sent to 12 Mill Lane, Unit 4, York.",
        ] {
            assert_eq!(share(text), 0.0, "{text}");
        }
    }

    #[test]
    fn endless_lists_are_not_sentences() {
        let list =
            "sorry to hear, i understand, thank you, please, i will, refund, let me, ".repeat(3);
        assert!(share(&list) > 0.3, "{}", share(&list));
    }

    #[test]
    fn salad_has_many() {
        for text in [
            "the of order will will to your is",
            "I the refund can of help you to and please are",
            "refund order label number parcel street help",
            "We is send you the",
            "please please thank thank you you",
            "Please thank you sorry please thank you sorry welcome kindly.",
        ] {
            assert!(share(text) >= 0.2, "{text}: {}", share(text));
        }
    }
}
