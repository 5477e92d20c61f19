//! What a lesson with a pupil looks like in numbers.
//!
//! The environment writes these fields into [`stateset_core::EnvironmentState::metadata`] after every
//! turn, each under its own name; rewards and reports read them back from there.

use serde::de::value::MapDeserializer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stateset_core::Trajectory;

use super::spec::PupilSpec;
use super::state::PupilState;
use crate::customer::Ending;

/// How a lesson stands or ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PupilReport {
    /// Whether the pupil understood.
    pub goal_reached: bool,
    /// Share of the help that was needed and taken up, from 0 to 1.
    pub understanding: f64,
    /// Hints taken up.
    pub n_hints: usize,
    /// Whether the pupil was asked how they got there.
    pub was_probed: bool,
    /// How often the answer was told.
    pub n_told: u32,
    /// Whether the pupil heard that they are doing well.
    pub was_encouraged: bool,
    /// How keen the pupil is, from 0 to 1.
    pub satisfaction: f64,
    /// Patience at the start.
    pub patience: u32,
    /// Patience that is left.
    pub patience_left: u32,
    /// Faults of the tutor, of all kinds.
    pub n_faults: u32,
    /// How it ended; `None` while it goes on or where time ran out.
    pub ended_by: Option<Ending>,
}

impl PupilReport {
    /// The numbers of a lesson.
    pub fn of(spec: &PupilSpec, state: &PupilState) -> PupilReport {
        PupilReport {
            goal_reached: state.ending == Some(Ending::Solved),
            understanding: f64::from(state.understanding) / f64::from(spec.need()),
            n_hints: state.hints.len(),
            was_probed: state.was_probed,
            n_told: state.n_told,
            was_encouraged: state.was_encouraged,
            satisfaction: state.satisfaction,
            patience: spec.persona.patience,
            patience_left: state.patience_left,
            n_faults: state.faults.values().sum(),
            ended_by: state.ending,
        }
    }

    /// The report in the last state of a trajectory; `None` where no pupil took part.
    pub fn read(trajectory: &Trajectory) -> Option<PupilReport> {
        PupilReport::from_metadata(&trajectory.final_state.as_ref()?.metadata)
    }

    /// The report in an environment's metadata; `None` where there is none.
    pub fn from_metadata(metadata: &Map<String, Value>) -> Option<PupilReport> {
        PupilReport::deserialize(MapDeserializer::new(
            metadata.iter().map(|(key, value)| (key.as_str(), value)),
        ))
        .ok()
    }

    /// Writes every field under its name.
    pub fn write(&self, metadata: &mut Map<String, Value>) {
        if let Ok(Value::Object(fields)) = serde_json::to_value(self) {
            metadata.extend(fields);
        }
    }
}
