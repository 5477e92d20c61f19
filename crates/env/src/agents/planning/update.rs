//! What to change in a plan, as it comes through the agent's context.
//!
//! `{"action": "advance"}`, or `{"step_id": "step-2", "status": "completed", "notes": ".."}` with `step_index` (from 0)
//! in the place of `step_id` where that is handier.

use serde_json::Value;

use super::plan::{Plan, PlanStatus};
use crate::error::{EnvError, Problem};
use crate::fields::{Fields, kind_of};

const PLACE: &str = "plan_update";
const KEYS: &[&str] = &["action", "step_id", "step_index", "status", "notes"];
const MAX_CHARS: usize = 500;

/// A change of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanUpdate {
    /// The current step is done and the next one begins.
    Advance,
    /// A step stands otherwise than before.
    Step {
        /// Index of the step, from 0.
        index: usize,
        /// How it stands now.
        status: Option<PlanStatus>,
        /// What is to be noted about it.
        notes: Option<String>,
    },
}

#[derive(Clone, Copy)]
struct Advance;

impl PlanUpdate {
    /// Reads a change of `plan`.
    ///
    /// # Errors
    /// [`EnvError::Agent`] naming the key, what was found and what is allowed.
    pub fn read(value: &Value, plan: &Plan) -> Result<PlanUpdate, EnvError> {
        let Some(object) = value.as_object() else {
            return Err(problem("", kind_of(value), "an object with an action or a step"));
        };
        let mut fields = Fields::new(PLACE, object, KEYS);
        let action = fields.choice("action", &[Advance], |_| "advance");
        let by_id = fields.text("step_id", MAX_CHARS);
        let last = plan.steps.len().saturating_sub(1);
        let by_index = fields.count("step_index", 0..=last);
        let status = fields.choice("status", PlanStatus::ALL, PlanStatus::name);
        let notes = fields.text("notes", MAX_CHARS);
        let problems = fields.into_problems();
        if !problems.is_empty() {
            return Err(EnvError::Agent { problems });
        }
        if action.is_some() {
            return Ok(PlanUpdate::Advance);
        }
        let index = match (by_id, by_index) {
            (Some(id), _) => {
                let ids: Vec<&str> = plan.steps.iter().map(|step| step.step_id.as_str()).collect();
                let found = ids.iter().position(|known| *known == id);
                let allowed = || format!("one of {}", ids.join(", "));
                found.ok_or_else(|| problem("step_id", &format!("{id:?}"), &allowed()))?
            }
            (None, Some(index)) => index,
            (None, None) => {
                let allowed = "an action, a step_id or a step_index";
                return Err(problem("", "none of them", allowed));
            }
        };
        if status.is_none() && notes.is_none() {
            return Err(problem("status", "nothing", "a status, or notes"));
        }
        Ok(PlanUpdate::Step { index, status, notes })
    }

    /// Makes the change. A step that begins takes the place of the one under way, which waits again.
    pub fn apply(self, plan: &mut Plan) {
        match self {
            PlanUpdate::Advance => plan.advance(),
            PlanUpdate::Step { index, status, notes } => {
                if status == Some(PlanStatus::InProgress) {
                    for step in &mut plan.steps {
                        if step.status == PlanStatus::InProgress {
                            step.status = PlanStatus::Pending;
                        }
                    }
                }
                if let Some(step) = plan.steps.get_mut(index) {
                    step.status = status.unwrap_or(step.status);
                    step.notes = notes.or(step.notes.take());
                }
                plan.begin_next();
            }
        }
    }
}

fn problem(key: &str, found: &str, allowed: &str) -> EnvError {
    let problem = Problem {
        place: PLACE.to_owned(),
        key: key.to_owned(),
        found: found.to_owned(),
        allowed: allowed.to_owned(),
        hint: None,
    };
    EnvError::Agent { problems: vec![problem] }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::planner::plan_from_goal;
    use super::*;

    fn marks(plan: &Plan) -> String {
        plan.steps.iter().map(|step| step.status.mark()).collect()
    }

    #[test]
    fn changes_are_made() {
        let cases = [
            (json!({"action": "advance"}), "[x][>][ ]"),
            (json!({"step_id": "step-1", "status": "completed"}), "[x][>][ ]"),
            (json!({"step_index": 2, "status": "in_progress"}), "[ ][ ][>]"),
            (json!({"step_index": 1, "status": "skipped"}), "[>][-][ ]"),
            (json!({"step_id": "step-1", "status": "blocked"}), "[!][>][ ]"),
            (json!({"step_index": 0, "notes": "asked"}), "[>][ ][ ]"),
        ];
        for (value, expected) in cases {
            let mut plan = plan_from_goal("a, b, c", 6);
            PlanUpdate::read(&value, &plan).unwrap().apply(&mut plan);
            assert_eq!(marks(&plan), expected, "{value}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let plan = plan_from_goal("a, b, c", 6);
        let cases = [
            (json!(3), "a number"),
            (json!({}), "none of them"),
            (json!({"action": "advanc"}), "did you mean \"advance\"?"),
            (json!({"step_id": "step-9", "status": "completed"}), "step-1, step-2, step-3"),
            (json!({"step_index": 3, "status": "completed"}), "from 0 to 2"),
            (json!({"step_index": 1, "status": "complete"}), "did you mean \"completed\"?"),
            (json!({"step_index": 1}), "a status, or notes"),
            (json!({"stepindex": 1}), "did you mean `step_index`?"),
        ];
        for (value, expected) in cases {
            let error = PlanUpdate::read(&value, &plan).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains("plan_update"), "{value}: {error}");
        }
    }
}
