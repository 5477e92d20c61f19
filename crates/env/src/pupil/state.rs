//! What a pupil remembers during one conversation. Plain data, so that an episode can be stored and
//! continued elsewhere.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::spec::PupilSpec;
use crate::customer::{Ending, Fault};

/// The memory of one pupil in one conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PupilState {
    /// Help that has been taken up; with [`PupilSpec::need`] of it the pupil understands.
    pub understanding: u32,
    /// Whether the pupil was asked how they got there.
    pub was_probed: bool,
    /// Whether an example or a simpler case was given.
    pub had_example: bool,
    /// Hints taken up, by their numbers in the misconception's list.
    pub hints: Vec<usize>,
    /// How often the answer was told before the pupil had found it.
    pub n_told: u32,
    /// Whether the pupil heard that they are doing well.
    pub was_encouraged: bool,
    /// How keen the pupil is, from 0 to 1. Nobody sees it during the conversation.
    pub satisfaction: f64,
    /// Patience that is left.
    pub patience_left: u32,
    /// How often the tutor did not help, by kind.
    pub faults: BTreeMap<Fault, u32>,
    /// How it ended; `None` while it goes on.
    pub ending: Option<Ending>,
    /// What the pupil said last.
    pub last_said: String,
    /// The words of the tutor's earlier turns, shortened.
    pub earlier_turns: Vec<String>,
}

impl PupilState {
    /// The memory of a pupil who has just said `opening`.
    pub(super) fn new(spec: &PupilSpec, opening: &str) -> PupilState {
        PupilState {
            understanding: 0,
            was_probed: false,
            had_example: false,
            hints: Vec::new(),
            n_told: 0,
            was_encouraged: false,
            satisfaction: 0.5,
            patience_left: spec.persona.patience,
            faults: BTreeMap::new(),
            ending: None,
            last_said: opening.to_owned(),
            earlier_turns: Vec::new(),
        }
    }
}
