//! The answers of one optimiser step as arrays.

use stateset_algo::{Preference, RowData, StepData, TrajectoryData};
use stateset_nn::TokenRow;

use crate::SftRow;

pub(super) use stateset_algo::Preference as Answer;

/// One token row of an answer.
#[derive(Clone, Debug)]
pub(super) struct PreferenceRow {
    /// Index into [`PreferenceBatch::answers`].
    pub(super) answer: usize,
    pub(super) tokens: Vec<u32>,
    /// True at each token that is learned; nowhere for a reward model.
    pub(super) mask: Vec<bool>,
    /// NaN for each of these: nobody sampled them.
    behaviour: Vec<f32>,
    /// The value after the last token is wanted.
    scores_end: bool,
}

/// The answers of a step.
#[derive(Clone, Debug)]
pub struct PreferenceBatch {
    /// Group and label of each answer. The answers of a pair have one group.
    pub(super) answers: Vec<(usize, Preference)>,
    pub(super) rows: Vec<PreferenceRow>,
    scores_end: bool,
}

/// What is known of the rows before the losses.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Log-probs of the reference.
    pub(super) reference: Option<Vec<Vec<f32>>>,
    /// Log-probs of the present weights for mismatched rows, empty for the others.
    pub(super) current: Vec<Vec<f32>>,
}

impl PreferenceBatch {
    /// Nothing yet. Where `scores_end`, the state after the last token of an answer is scored and none
    /// of its tokens is.
    pub fn new(scores_end: bool) -> PreferenceBatch {
        PreferenceBatch { answers: Vec::new(), rows: Vec::new(), scores_end }
    }

    /// Adds an answer.
    pub fn push(&mut self, group: usize, label: Preference, rows: &[SftRow]) {
        let answer = self.answers.len();
        self.answers.push((group, label));
        if self.scores_end {
            let last = rows.last().map(|row| PreferenceRow {
                answer,
                tokens: row.tokens.clone(),
                mask: vec![false; row.tokens.len()],
                behaviour: Vec::new(),
                scores_end: true,
            });
            self.rows.extend(last);
            return;
        }
        self.rows.extend(rows.iter().map(|row| PreferenceRow {
            answer,
            tokens: row.tokens.clone(),
            mask: row.mask.clone(),
            behaviour: vec![f32::NAN; row.n_targets()],
            scores_end: false,
        }));
    }

    /// Group of a row's answer.
    pub(super) fn group(&self, row: usize) -> usize {
        self.answers[self.rows[row].answer].0
    }

    /// The row is measured only.
    pub(super) fn is_mismatched(&self, row: usize) -> bool {
        self.answers[self.rows[row].answer].1 == Preference::Mismatched
    }

    /// Pairs, or answers judged alone.
    pub(super) fn n_examples(&self) -> usize {
        let counts = |(_, label): &&(usize, Preference)| {
            !matches!(label, Preference::Rejected | Preference::Mismatched)
        };
        self.answers.iter().filter(counts).count()
    }

    /// Tokens of all rows.
    pub(super) fn n_tokens(&self) -> usize {
        self.rows.iter().map(|row| row.tokens.len()).sum()
    }

    /// The arrays as an algorithm reads them.
    pub(super) fn step_data<'a>(&'a self, known: &'a Known) -> StepData<'a> {
        let trajectory = |(group, label): &(usize, Preference)| TrajectoryData {
            group: *group,
            preference: Some(*label),
            ..TrajectoryData::default()
        };
        let row = |(index, row): (usize, &'a PreferenceRow)| RowData {
            trajectory: row.answer,
            behaviour: &row.behaviour,
            reference: known.reference.as_ref().map(|all| all[index].as_slice()),
            current: known.current.get(index).filter(|all| !all.is_empty()).map(Vec::as_slice),
            ..RowData::default()
        };
        StepData {
            trajectories: self.answers.iter().map(trajectory).collect(),
            rows: self.rows.iter().enumerate().map(row).collect(),
            ..StepData::default()
        }
    }
}

impl PreferenceRow {
    /// The row as a learner reads it.
    pub(super) fn token_row(&self) -> TokenRow<'_> {
        let row = TokenRow::new(&self.tokens, &self.mask);
        if self.scores_end { row.with_end() } else { row }
    }

    /// Tokens that the model reads of it.
    pub(super) fn n_read(&self) -> usize {
        self.token_row().n_read()
    }
}
