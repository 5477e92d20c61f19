//! Preference data of a run: read, made into tokens, and divided into what is learned and what is
//! measured.

use std::path::Path;

use sha2::{Digest, Sha256};
use stateset_core::{Purpose, RunSeed, StreamKey};
use stateset_nn::{ChatFormat, NnError};

use super::batch::{Answer, PreferenceBatch};
use super::dialogue::Chat;
use super::lines::{JudgedExample, PairExample, read_judged, read_pairs};
use crate::{SftRow, TrainError};

/// Problems that are listed one by one.
const MAX_LISTED: usize = 20;

/// What a run learns from.
#[derive(Clone, Debug, PartialEq)]
pub enum PreferenceData {
    /// Pairs of answers.
    Pairs(Vec<PairExample>),
    /// Answers judged by themselves.
    Judged(Vec<JudgedExample>),
}

impl PreferenceData {
    /// Reads a file of JSON lines; `of_pairs` says of which kind they are.
    ///
    /// # Errors
    /// [`TrainError`] where the file cannot be read, or with its bad lines.
    pub fn read(path: &Path, of_pairs: bool) -> Result<PreferenceData, TrainError> {
        let text = std::fs::read_to_string(path).map_err(|e| TrainError::io("read", path, e))?;
        let data = match of_pairs {
            true => read_pairs(&text).map(PreferenceData::Pairs),
            false => read_judged(&text).map(PreferenceData::Judged),
        };
        data.map_err(|problems| refused(&path.display().to_string(), problems))
    }

    /// As [`PreferenceData::read`], for goals that learn from both kinds: answers judged alone where the
    /// first line has a `label`, else pairs.
    ///
    /// # Errors
    /// As [`PreferenceData::read`].
    pub fn read_either(path: &Path) -> Result<PreferenceData, TrainError> {
        let text = std::fs::read_to_string(path).map_err(|e| TrainError::io("read", path, e))?;
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let object: Option<serde_json::Value> = serde_json::from_str(first).ok();
        let has_label = object.is_some_and(|line| line.get("label").is_some());
        PreferenceData::read(path, !has_label)
    }

    /// Examples.
    pub fn len(&self) -> usize {
        match self {
            PreferenceData::Pairs(pairs) => pairs.len(),
            PreferenceData::Judged(judged) => judged.len(),
        }
    }

    /// True without examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// True where the examples are pairs.
    pub fn is_pairs(&self) -> bool {
        matches!(self, PreferenceData::Pairs(_))
    }

    /// The examples that a share of them is held back from, and those held back, drawn by the seed.
    pub(super) fn divided(self, share: f64, seed: RunSeed) -> (PreferenceData, PreferenceData) {
        let n_held = (self.len() as f64 * share) as usize;
        match self {
            PreferenceData::Pairs(pairs) => {
                let (learned, held) = divided(pairs, n_held, seed);
                (PreferenceData::Pairs(learned), PreferenceData::Pairs(held))
            }
            PreferenceData::Judged(judged) => {
                let (learned, held) = divided(judged, n_held, seed);
                (PreferenceData::Judged(learned), PreferenceData::Judged(held))
            }
        }
    }

    /// The examples as tokens.
    ///
    /// # Errors
    /// [`TrainError::Invalid`] with every example that cannot be rendered.
    pub(super) fn prepared(
        &self,
        format: &ChatFormat,
        max_tokens: usize,
    ) -> Result<Prepared, TrainError> {
        let mut prepared = Prepared::default();
        let mut problems = Vec::new();
        let mut take = |index: usize, example: Result<Option<Example>, NnError>| match example {
            Ok(Some(example)) => prepared.examples.push(example),
            Ok(None) => prepared.n_dropped += 1,
            Err(error) => problems.push(format!("example {}: failed to {error}", index + 1)),
        };
        match self {
            PreferenceData::Pairs(pairs) => {
                for (index, pair) in pairs.iter().enumerate() {
                    take(index, pair_rows(pair, format, max_tokens));
                }
            }
            PreferenceData::Judged(judged) => {
                for (index, one) in judged.iter().enumerate() {
                    take(index, judged_rows(one, format, max_tokens));
                }
            }
        }
        match problems.is_empty() {
            true => Ok(prepared),
            false => Err(refused("the examples", problems)),
        }
    }
}

/// An example as tokens.
#[derive(Clone, Debug)]
pub(super) enum Example {
    /// A pair.
    Pair { chosen: Vec<SftRow>, rejected: Vec<SftRow>, margin: f64 },
    /// An answer judged by itself; the conversation is kept, to put its answer to another prompt.
    Judged { chat: Chat, rows: Vec<SftRow>, desirable: bool },
}

/// Examples as tokens.
#[derive(Clone, Debug, Default)]
pub(super) struct Prepared {
    /// Those that can be used.
    pub(super) examples: Vec<Example>,
    /// Those of which an answer was cut away whole.
    pub(super) n_dropped: usize,
}

impl Prepared {
    /// Good and bad answers judged alone.
    pub(super) fn n_judged(&self) -> (usize, usize) {
        let count = |wanted: bool| {
            let is = |e: &&Example| matches!(e, Example::Judged { desirable, .. } if *desirable == wanted);
            self.examples.iter().filter(is).count()
        };
        (count(true), count(false))
    }

    /// Tokens of the longest row.
    pub(super) fn longest(&self) -> usize {
        let rows = self.examples.iter().flat_map(Example::rows);
        rows.map(|row| row.tokens.len()).max().unwrap_or(0)
    }

    /// Tokens of the largest example, which may have to be read in one piece.
    pub(super) fn largest_example(&self) -> usize {
        let size = |e: &Example| e.rows().map(|row| row.tokens.len()).sum();
        self.examples.iter().map(size).max().unwrap_or(0)
    }

    /// Names these very tokens and labels.
    pub(super) fn digest(&self, hash: &mut Sha256) {
        for example in &self.examples {
            let label = match example {
                Example::Pair { margin, .. } => format!("{margin}"),
                Example::Judged { desirable, .. } => format!("{desirable}"),
            };
            hash.update(label.as_bytes());
            for row in example.rows() {
                hash.update((row.tokens.len() as u64).to_le_bytes());
                row.tokens.iter().for_each(|token| hash.update(token.to_le_bytes()));
                let marks: Vec<u8> = row.mask.iter().map(|mark| u8::from(*mark)).collect();
                hash.update(&marks);
            }
        }
    }

    /// The arrays of these examples as one step. `format` renders answers put to other prompts, where
    /// `with_mismatched` asks for them; each answer goes to the prompt before its own.
    pub(super) fn batch(
        &self,
        chosen: &[usize],
        scores_end: bool,
        mismatched: Option<(&ChatFormat, usize)>,
    ) -> Result<PreferenceBatch, TrainError> {
        let mut batch = PreferenceBatch::new(scores_end);
        for (group, example) in chosen.iter().map(|i| &self.examples[*i]).enumerate() {
            match example {
                Example::Pair { chosen, rejected, margin } => {
                    batch.push(group, Answer::Chosen { margin: *margin }, chosen);
                    batch.push(group, Answer::Rejected, rejected);
                }
                Example::Judged { rows, desirable, .. } => {
                    let label = match desirable {
                        true => Answer::Desirable,
                        false => Answer::Undesirable,
                    };
                    batch.push(group, label, rows);
                }
            }
        }
        let Some((format, max_tokens)) = mismatched else { return Ok(batch) };
        for (place, index) in chosen.iter().enumerate() {
            let other = chosen[(place + 1) % chosen.len()];
            let pair = (&self.examples[*index], &self.examples[other]);
            if let (Example::Judged { chat, .. }, Example::Judged { chat: next, .. }) = pair {
                let crossed = chat.with_answer_of(next).rows(format, max_tokens);
                let rows = crossed.map_err(NnError::from)?;
                if !rows.is_empty() {
                    batch.push(chosen.len() + place, Answer::Mismatched, &rows);
                }
            }
        }
        Ok(batch)
    }
}

impl Example {
    fn rows(&self) -> Box<dyn Iterator<Item = &SftRow> + '_> {
        match self {
            Example::Pair { chosen, rejected, .. } => Box::new(chosen.iter().chain(rejected)),
            Example::Judged { rows, .. } => Box::new(rows.iter()),
        }
    }
}

fn pair_rows(
    pair: &PairExample,
    format: &ChatFormat,
    max_tokens: usize,
) -> Result<Option<Example>, NnError> {
    let chosen = pair.chosen.rows(format, max_tokens)?;
    let rejected = pair.rejected.rows(format, max_tokens)?;
    let is_whole = !chosen.is_empty() && !rejected.is_empty();
    Ok(is_whole.then_some(Example::Pair { chosen, rejected, margin: pair.margin }))
}

fn judged_rows(
    one: &JudgedExample,
    format: &ChatFormat,
    max_tokens: usize,
) -> Result<Option<Example>, NnError> {
    let rows = one.chat.rows(format, max_tokens)?;
    let (chat, desirable) = (one.chat.clone(), one.desirable);
    Ok((!rows.is_empty()).then_some(Example::Judged { chat, rows, desirable }))
}

/// Learned and held-back examples, both in their old order.
fn divided<T>(all: Vec<T>, n_held: usize, seed: RunSeed) -> (Vec<T>, Vec<T>) {
    let key = StreamKey { step: u32::MAX, ..StreamKey::default() };
    let mut order: Vec<usize> = (0..all.len()).collect();
    seed.stream(Purpose::Shuffle, key).shuffle(&mut order);
    let mut held = order[..n_held.min(all.len())].to_vec();
    held.sort_unstable();
    let (mut learned, mut kept) = (Vec::new(), Vec::new());
    for (index, example) in all.into_iter().enumerate() {
        match held.binary_search(&index) {
            Ok(_) => kept.push(example),
            Err(_) => learned.push(example),
        }
    }
    (learned, kept)
}

fn refused(source: &str, mut problems: Vec<String>) -> TrainError {
    let n_more = problems.len().saturating_sub(MAX_LISTED);
    problems.truncate(MAX_LISTED);
    if n_more > 0 {
        problems.push(format!("and {n_more} more"));
    }
    let message = format!("{source} cannot be used\n  {}", problems.join("\n  "));
    TrainError::Invalid { what: "read preference data", message }
}
