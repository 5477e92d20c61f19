//! What a conversation with an agenda user looks like in numbers.
//!
//! The environment writes these fields into [`stateset_core::EnvironmentState::metadata`] after every
//! turn, each under its own name; rewards and reports read them back from there.

use serde::de::value::MapDeserializer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stateset_core::Trajectory;

use super::spec::AgendaSpec;
use super::state::AgendaState;
use crate::customer::Ending;

/// How a conversation stands or ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgendaReport {
    /// Whether everything was told, answered truly as far as that is known, and done.
    pub goal_reached: bool,
    /// Constraints of the goal.
    pub n_constraints: usize,
    /// How many of them the agent knows.
    pub n_told: usize,
    /// How many of them the first message told.
    pub n_told_at_first: usize,
    /// Requests of the goal.
    pub n_requests: usize,
    /// How many of them were asked.
    pub n_asked: usize,
    /// How many of them have an answer.
    pub n_answered: usize,
    /// How many of the answers are not the true ones.
    pub n_wrong_answers: usize,
    /// Whether the agent has to say that it is done.
    pub needs_booking: bool,
    /// Whether it has, at a time when it could.
    pub is_booked: bool,
    /// How content the user is, from 0 to 1.
    pub satisfaction: f64,
    /// Patience at the start.
    pub patience: u32,
    /// Patience that is left.
    pub patience_left: u32,
    /// Faults of the agent, of all kinds.
    pub n_faults: u32,
    /// How it ended; `None` while it goes on or where time ran out.
    pub ended_by: Option<Ending>,
}

impl AgendaReport {
    /// The numbers of a conversation.
    pub fn of(spec: &AgendaSpec, state: &AgendaState) -> AgendaReport {
        let n_constraints = spec.goal.constraints.len();
        AgendaReport {
            goal_reached: state.ending == Some(Ending::Solved) && state.wrong_answers.is_empty(),
            n_constraints,
            n_told: n_constraints - state.untold().count(),
            n_told_at_first: spec.n_opening.min(n_constraints),
            n_requests: spec.goal.requests.len(),
            n_asked: state.asked.iter().filter(|n| **n > 0).count(),
            n_answered: spec.goal.requests.len() - state.unanswered().count(),
            n_wrong_answers: state.wrong_answers.len(),
            needs_booking: spec.goal.needs_booking,
            is_booked: state.is_booked,
            satisfaction: state.satisfaction,
            patience: spec.persona.patience,
            patience_left: state.patience_left,
            n_faults: state.faults.values().sum(),
            ended_by: state.ending,
        }
    }

    /// The report in the last state of a trajectory; `None` where no agenda user took part.
    pub fn read(trajectory: &Trajectory) -> Option<AgendaReport> {
        AgendaReport::from_metadata(&trajectory.final_state.as_ref()?.metadata)
    }

    /// The report in an environment's metadata; `None` where there is none.
    pub fn from_metadata(metadata: &Map<String, Value>) -> Option<AgendaReport> {
        AgendaReport::deserialize(MapDeserializer::new(
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

    /// Share of the goal that is reached, from 0 to 1: constraints that came after the first message,
    /// true answers, and the thing done, each counted once.
    pub fn coverage(&self) -> f64 {
        let n_to_tell = self.n_constraints.saturating_sub(self.n_told_at_first);
        let n_told = self.n_told.saturating_sub(self.n_told_at_first);
        let n_true = self.n_answered.saturating_sub(self.n_wrong_answers);
        let n_booking = usize::from(self.needs_booking);
        let n_all = n_to_tell + self.n_requests + n_booking;
        let n_met = n_told + n_true + usize::from(self.needs_booking && self.is_booked);
        if n_all == 0 {
            f64::from(u8::from(self.goal_reached))
        } else {
            n_met as f64 / n_all as f64
        }
    }
}
