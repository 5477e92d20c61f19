//! How users write, in figures: fitted to real dialogues or set by hand.
//!
//! Misspellings are estimated without a dictionary: a word counts as misspelt where it is rare in the
//! corpus and a swap, a missing, a doubled or a wrong letter away from a frequent one. Names that
//! happen to look like frequent words count as well, so the estimate is an upper one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Problem;
use crate::fields::{Fields, kind_of};
use crate::text::words;

/// How a user writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Style {
    /// Mean number of facts in a message that tells any; from 1 to 4.
    pub facts_per_turn: f64,
    /// Share of messages with polite words.
    pub politeness: f64,
    /// Share of messages of three words or fewer among those that tell a fact.
    pub terseness: f64,
    /// Share of words that are misspelt.
    pub typos: f64,
    /// Share of messages that break off.
    pub truncation: f64,
    /// Share of messages without a capital at the start and a mark at the end.
    pub carelessness: f64,
}

const KEYS: &[&str] =
    &["facts_per_turn", "politeness", "terseness", "typos", "truncation", "carelessness"];

impl Default for Style {
    /// Neat writing, mostly one fact at a time.
    fn default() -> Style {
        Style {
            facts_per_turn: 1.2,
            politeness: 0.3,
            terseness: 0.3,
            typos: 0.0,
            truncation: 0.0,
            carelessness: 0.0,
        }
    }
}

/// One message of a real user.
#[derive(Clone, Debug, PartialEq)]
pub struct UserTurn {
    /// The words.
    pub text: String,
    /// How many facts they tell, as the corpus' annotation has it.
    pub n_facts: usize,
}

impl Style {
    /// The style of `turns`; the default without any.
    pub fn fit(turns: &[UserTurn]) -> Style {
        if turns.is_empty() {
            return Style::default();
        }
        let telling: Vec<&UserTurn> = turns.iter().filter(|turn| turn.n_facts > 0).collect();
        let n_facts: usize = telling.iter().map(|turn| turn.n_facts).sum();
        let mean = if telling.is_empty() { 1.0 } else { n_facts as f64 / telling.len() as f64 };
        Style {
            facts_per_turn: mean.clamp(1.0, 4.0),
            politeness: share(turns.iter(), |turn| is_polite(&turn.text)),
            terseness: share(telling.iter().copied(), |turn| words(&turn.text).len() <= 3),
            typos: typos(turns).min(0.5),
            truncation: share(turns.iter(), |turn| breaks_off(&turn.text)),
            carelessness: share(turns.iter(), |turn| is_careless(&turn.text)),
        }
    }

    /// Reads the object found at `place`; problems name their keys after `prefix`.
    pub(super) fn check(value: &Value, place: &str, prefix: String) -> Result<Style, Vec<Problem>> {
        let empty = Map::new();
        let object = value.as_object().unwrap_or(&empty);
        let mut fields = Fields::nested(place, prefix, object, KEYS);
        if !value.is_object() {
            fields.problem("", kind_of(value), "an object that describes a style");
            return Err(fields.into_problems());
        }
        let mut style = Style::default();
        for (key, figure) in [
            ("politeness", &mut style.politeness),
            ("terseness", &mut style.terseness),
            ("typos", &mut style.typos),
            ("truncation", &mut style.truncation),
            ("carelessness", &mut style.carelessness),
        ] {
            *figure = fields.share(key).unwrap_or(*figure);
        }
        if let Some(facts) = fields.value("facts_per_turn") {
            match facts.as_f64().filter(|mean| (1.0..=4.0).contains(mean)) {
                Some(mean) => style.facts_per_turn = mean,
                None => fields.problem("facts_per_turn", facts.to_string(), "a number from 1 to 4"),
            }
        }
        let problems = fields.into_problems();
        if problems.is_empty() { Ok(style) } else { Err(problems) }
    }
}

fn share<T>(items: impl Iterator<Item = T>, is: impl Fn(&T) -> bool) -> f64 {
    let (mut n, mut n_met) = (0_usize, 0_usize);
    for item in items {
        n += 1;
        n_met += usize::from(is(&item));
    }
    if n == 0 { 0.0 } else { n_met as f64 / n as f64 }
}

fn is_polite(text: &str) -> bool {
    const POLITE: [&str; 8] =
        ["please", "thank", "thanks", "could", "would", "appreciate", "kindly", "sorry"];
    words(text).iter().any(|word| POLITE.contains(&word.as_str()))
}

/// A message that ends in a word after which nobody stops.
fn breaks_off(text: &str) -> bool {
    const OPEN: [&str; 12] =
        ["the", "a", "and", "or", "of", "to", "with", "my", "is", "for", "in", "from"];
    let ends_plain = text.trim_end().ends_with(char::is_alphanumeric);
    ends_plain && words(text).last().is_some_and(|word| OPEN.contains(&word.as_str()))
}

fn is_careless(text: &str) -> bool {
    let text = text.trim();
    let starts_small = text.chars().next().is_some_and(char::is_lowercase);
    starts_small && text.ends_with(char::is_alphanumeric)
}

fn typos(turns: &[UserTurn]) -> f64 {
    const FREQUENT: usize = 20;
    const RARE: usize = 2;
    const MIN_CHARS: usize = 4;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for word in turns.iter().flat_map(|turn| words(&turn.text)) {
        *counts.entry(word).or_default() += 1;
    }
    let is_word =
        |word: &str| word.len() >= MIN_CHARS && word.bytes().all(|b| b.is_ascii_lowercase());
    let frequent: BTreeSet<&str> = counts
        .iter()
        .filter(|(word, n)| **n >= FREQUENT && is_word(word))
        .map(|(word, _)| word.as_str())
        .collect();
    let n_words: usize = counts.values().sum();
    let is_misspelt = |word: &str| {
        let is_near = |other: &&str| strsim::osa_distance(word, other) == 1;
        let plural = |other: &str| {
            word.strip_suffix('s') == Some(other) || other.strip_suffix('s') == Some(word)
        };
        frequent.iter().any(|other| is_near(other) && !plural(other))
    };
    let n_misspelt: usize = counts
        .iter()
        .filter(|(word, n)| **n <= RARE && is_word(word) && is_misspelt(word))
        .map(|(_, n)| n)
        .sum();
    if n_words == 0 { 0.0 } else { n_misspelt as f64 / n_words as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(text: &str, n_facts: usize) -> UserTurn {
        UserTurn { text: text.to_owned(), n_facts }
    }

    #[test]
    fn figures_are_shares_of_messages() {
        let mut turns = vec![turn("Please book it for monday.", 1); 20];
        turns.extend([
            turn("in the", 0),
            turn("Thai food in the east", 2),
            turn("Plaese book it.", 1),
        ]);
        turns.push(turn("east", 1));
        let style = Style::fit(&turns);
        assert!((style.facts_per_turn - 24.0 / 23.0).abs() < 1e-12);
        assert!((style.politeness - 20.0 / 24.0).abs() < 1e-12);
        assert!((style.terseness - 2.0 / 23.0).abs() < 1e-12);
        assert!((style.truncation - 1.0 / 24.0).abs() < 1e-12);
        assert!((style.carelessness - 2.0 / 24.0).abs() < 1e-12);
        let n_words = 100 + 2 + 5 + 3 + 1;
        assert!((style.typos - 1.0 / f64::from(n_words)).abs() < 1e-12, "{}", style.typos);
        assert_eq!(Style::fit(&[]), Style::default());
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let value = serde_json::json!({"typos": 2, "facts_per_turn": 9, "politness": 0.1});
        let problems = Style::check(&value, "", "style.".into()).unwrap_err();
        assert_eq!(problems.len(), 3);
        assert!(problems[0].to_string().contains("did you mean `politeness`?"));
    }
}
