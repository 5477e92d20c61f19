//! What a finished conversation with a simulated customer looks like in numbers.
//!
//! The environment writes these fields into [`stateset_core::EnvironmentState::metadata`] after every
//! turn, each under its own name; rewards and reports read them back from there.

use serde::de::value::MapDeserializer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stateset_core::Trajectory;

use super::{CustomerSpec, CustomerState, Ending, Fault};

/// How a conversation stands or ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomerReport {
    /// Whether the customer got what they came for.
    pub goal_reached: bool,
    /// Facts the issue needs.
    pub facts_required: usize,
    /// How many of them the agent knows.
    pub facts_collected: usize,
    /// How many of them the first message told.
    pub facts_in_opening: usize,
    /// Whether the agent showed that it understands the trouble.
    pub acknowledged: bool,
    /// Whether the customer's mood calls for that.
    pub wants_acknowledgement: bool,
    /// Patience at the start.
    pub patience: u32,
    /// Patience that is left.
    pub patience_left: u32,
    /// Facts asked for although they had been told.
    pub n_repeated_questions: u32,
    /// Turns that repeated an earlier one, or the customer.
    pub n_repeated_turns: u32,
    /// Turns with another kind of help than needed.
    pub n_wrong: u32,
    /// Turns that stated a fact wrongly.
    pub n_wrong_facts: u32,
    /// Turns that promised the right help too early.
    pub n_premature: u32,
    /// Turns that could not be followed or did too much at once.
    pub n_confusing: u32,
    /// Turns that insulted.
    pub n_rude: u32,
    /// Turns that led nowhere.
    pub n_unhelpful: u32,
    /// How content the customer is, from 0 to 1.
    pub satisfaction: f64,
    /// How it ended; `None` while it goes on or where time ran out.
    pub ended_by: Option<Ending>,
}

impl CustomerReport {
    /// The numbers of a conversation.
    pub fn of(spec: &CustomerSpec, state: &CustomerState) -> CustomerReport {
        let facts_required = spec.fact_order.len();
        let mut report = CustomerReport {
            goal_reached: state.ending == Some(Ending::Solved),
            facts_required,
            facts_collected: facts_required - state.missing(spec).len(),
            facts_in_opening: spec.n_opening_facts.min(facts_required),
            acknowledged: state.acknowledged,
            wants_acknowledgement: spec.mood.wants_acknowledgement(),
            patience: spec.patience,
            patience_left: state.patience_left,
            n_repeated_questions: state.n_faults(Fault::RepeatedQuestion),
            n_repeated_turns: state.n_faults(Fault::RepeatedTurn),
            n_wrong: state.n_faults(Fault::WrongHelp),
            n_wrong_facts: state.n_faults(Fault::WrongFact),
            n_premature: state.n_faults(Fault::Premature),
            n_confusing: state.n_faults(Fault::Confusing),
            n_rude: state.n_faults(Fault::Rude),
            n_unhelpful: state.n_faults(Fault::Unhelpful),
            satisfaction: 0.0,
            ended_by: state.ending,
        };
        report.satisfaction = report.satisfaction();
        report
    }

    /// The report in the last state of a trajectory; `None` where no simulated customer took part.
    pub fn read(trajectory: &Trajectory) -> Option<CustomerReport> {
        CustomerReport::from_metadata(&trajectory.final_state.as_ref()?.metadata)
    }

    /// The report in an environment's metadata; `None` where there is none.
    pub fn from_metadata(metadata: &Map<String, Value>) -> Option<CustomerReport> {
        CustomerReport::deserialize(MapDeserializer::new(
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

    /// Share of the facts that had to be asked for and were told; 1 where nothing had to be asked.
    pub fn share_of_facts_asked(&self) -> f64 {
        let n_to_ask = self.facts_required.saturating_sub(self.facts_in_opening);
        let n_asked = self.facts_collected.saturating_sub(self.facts_in_opening);
        if n_to_ask == 0 { 1.0 } else { n_asked as f64 / n_to_ask as f64 }
    }

    /// A solved problem is worth 0.6, kept patience up to 0.4 more; an upset customer who heard no kind
    /// word takes 0.1 off. Unsolved, only progress without lost patience counts, up to 0.3.
    fn satisfaction(&self) -> f64 {
        let kept = f64::from(self.patience_left) / f64::from(self.patience.max(1));
        let unkind = self.wants_acknowledgement && !self.acknowledged;
        if self.goal_reached {
            0.6 + 0.4 * kept - if unkind { 0.1 } else { 0.0 }
        } else if self.facts_in_opening < self.facts_required {
            0.3 * kept * self.share_of_facts_asked()
        } else {
            0.0
        }
    }
}
