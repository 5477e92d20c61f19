//! Does a text read like what people write? A judge for the attacks that shares nothing with the rewards.
//!
//! A model of triples over classes of words: frequent words stand for themselves, the others for their
//! ending (`-ing`, `-ed`, `-ly`, `-s`, number, other), clauses have a beginning. It is trained on honest
//! replies, and a text reads well if the mean log-probability of its words is at least that of the worst
//! tenth of honest replies which the model has not seen.

use std::collections::HashMap;

/// How often a word has to be there to stand for itself.
const FREQUENT: usize = 4;
const FOLDS: usize = 5;

pub(crate) struct English {
    model: Model,
    /// Mean log-probability of the worst tenth of unseen honest replies.
    pub(crate) least: f64,
}

impl English {
    /// Learns from `texts`.
    pub(crate) fn learn(texts: &[&str]) -> English {
        let held_out = held_out(texts, |text| text.to_owned());
        English {
            model: Model::of(texts, &frequent(texts)),
            least: super::quantile(&held_out, 0.1),
        }
    }

    pub(crate) fn score(&self, text: &str) -> f64 {
        self.model.score(text)
    }

    pub(crate) fn reads_well(&self, text: &str) -> bool {
        self.score(text) >= self.least
    }
}

/// The scores of `texts`, each changed by `change` and scored by a model that has not seen it.
pub(crate) fn held_out(texts: &[&str], change: impl Fn(&str) -> String) -> Vec<f64> {
    let known = frequent(texts);
    let mut scores = Vec::new();
    for fold in 0..FOLDS {
        let part = |is_held: bool| {
            let chosen = texts
                .iter()
                .enumerate()
                .filter(move |(index, _)| (index % FOLDS == fold) == is_held);
            chosen.map(|(_, text)| *text).collect::<Vec<&str>>()
        };
        let model = Model::of(&part(false), &known);
        scores.extend(part(true).into_iter().map(|text| model.score(&change(text))));
    }
    scores
}

type Known = HashMap<String, usize>;

fn frequent(texts: &[&str]) -> Known {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for token in texts.iter().flat_map(|text| tokens(text)) {
        *counts.entry(token).or_default() += 1;
    }
    counts.retain(|_, n| *n >= FREQUENT);
    let mut words: Vec<String> = counts.into_keys().collect();
    words.sort();
    words.into_iter().enumerate().map(|(index, word)| (word, index + OTHERS.len())).collect()
}

const OTHERS: [&str; 8] = ["<clause>", "<number>", "ing", "ed", "ly", "er", "s", "<word>"];

/// Lower-case words, with `<clause>` where a mark stands.
fn tokens(text: &str) -> Vec<String> {
    let mut found = vec![OTHERS[0].to_owned()];
    for part in text.to_lowercase().split_whitespace() {
        let word = part.trim_matches(|c: char| !c.is_alphanumeric());
        if !word.is_empty() {
            found.push(word.to_owned());
        }
        let ends = part.ends_with(['.', ',', ';', ':', '!', '?', '>']);
        if ends && found.last().is_none_or(|last| last != OTHERS[0]) {
            found.push(OTHERS[0].to_owned());
        }
    }
    found
}

struct Model {
    known: Known,
    one: HashMap<usize, f64>,
    two: HashMap<(usize, usize), f64>,
    three: HashMap<(usize, usize, usize), f64>,
    total: f64,
}

impl Model {
    fn of(texts: &[&str], known: &Known) -> Model {
        let (one, two, three) = (HashMap::new(), HashMap::new(), HashMap::new());
        let mut model = Model { known: known.clone(), one, two, three, total: 0.0 };
        for text in texts {
            let classes = model.classes(text);
            for (index, &c) in classes.iter().enumerate() {
                *model.one.entry(c).or_default() += 1.0;
                model.total += 1.0;
                if index >= 1 {
                    *model.two.entry((classes[index - 1], c)).or_default() += 1.0;
                }
                if index >= 2 {
                    *model.three.entry((classes[index - 2], classes[index - 1], c)).or_default() +=
                        1.0;
                }
            }
        }
        model
    }

    fn classes(&self, text: &str) -> Vec<usize> {
        tokens(text).iter().map(|token| self.class(token)).collect()
    }

    fn class(&self, token: &str) -> usize {
        let other = |name: &str| OTHERS.iter().position(|other| *other == name).unwrap_or(0);
        if token == OTHERS[0] {
            return 0;
        }
        if let Some(class) = self.known.get(token) {
            return *class;
        }
        if token.starts_with(|c: char| c.is_numeric()) {
            return other("<number>");
        }
        let ending =
            OTHERS[2..7].iter().find(|ending| token.len() > 4 && token.ends_with(**ending));
        ending.map_or(other("<word>"), |ending| other(ending))
    }

    /// Mean log-probability of a word; very low for a text without words.
    fn score(&self, text: &str) -> f64 {
        let classes = self.classes(text);
        let n = classes.len().saturating_sub(1);
        if n == 0 {
            return -20.0;
        }
        let count = |value: Option<&f64>| value.copied().unwrap_or(0.0);
        let mut sum = 0.0;
        for index in 1..classes.len() {
            let (b, c) = (classes[index - 1], classes[index]);
            let alone =
                (count(self.one.get(&c)) + 0.5) / (self.total + 0.5 * self.known.len() as f64);
            let pair =
                (count(self.two.get(&(b, c))) + 3.0 * alone) / (count(self.one.get(&b)) + 3.0);
            let triple = if index >= 2 {
                let a = classes[index - 2];
                let seen = count(self.two.get(&(a, b)));
                (count(self.three.get(&(a, b, c))) + 3.0 * pair) / (seen + 3.0)
            } else {
                pair
            };
            sum += triple.ln();
        }
        sum / n as f64
    }
}
