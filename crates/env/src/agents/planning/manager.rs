//! The plan of a conversation from turn to turn.
//!
//! A state machine: from the state after the last turn, the messages and the context comes the state of this turn.
//! The goal is the context's, or the first message of the user that is long enough. The choice a reader would
//! question: the text that is shown is part of the state, because with an `update_interval` above 1 it is older
//! than the plan.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stateset_core::{Message, PLAN_GOAL, PLAN_UPDATE, Role};

use super::config::PlanningConfig;
use super::plan::{Plan, PlanStatus};
use super::planner::plan_from_goal;
use super::update::PlanUpdate;
use crate::error::{EnvError, Problem};
use crate::fields::kind_of;

/// A plan and what was shown of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanState {
    /// The plan as it stands.
    pub plan: Plan,
    /// What the model reads of it; empty where nothing is shown.
    pub shown: String,
    /// Turns of the agent since that was written.
    pub n_turns: usize,
}

/// Keeps plans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanningManager {
    /// Its settings.
    pub config: PlanningConfig,
}

impl PlanningManager {
    /// A manager with these settings.
    pub fn new(config: PlanningConfig) -> Self {
        PlanningManager { config }
    }

    /// The state for this turn; `None` where planning is off or there is no goal yet.
    ///
    /// # Errors
    /// [`EnvError::Agent`] where the context says something impossible about the plan.
    pub fn next(
        &self,
        before: Option<PlanState>,
        messages: &[Message],
        context: &Map<String, Value>,
    ) -> Result<Option<PlanState>, EnvError> {
        if !self.config.enabled {
            return Ok(None);
        }
        let wanted = goal_of(context)?;
        let (mut plan, mut shown, mut n_turns, mut is_new) = match before {
            Some(state) => (state.plan, state.shown, state.n_turns + 1, false),
            None => {
                let Some(goal) = wanted.or_else(|| self.goal_said(messages)) else {
                    return Ok(None);
                };
                (plan_from_goal(goal, self.config.max_steps), String::new(), 0, true)
            }
        };
        if let Some(goal) = wanted.filter(|_| self.config.allow_goal_update) {
            let next = plan_from_goal(goal, self.config.max_steps);
            if next.goal != plan.goal {
                plan = self.carried_over(&plan, next);
                is_new = true;
            }
        }
        if let Some(value) = context.get(PLAN_UPDATE).filter(|value| !value.is_null()) {
            PlanUpdate::read(value, &plan)?.apply(&mut plan);
        }
        if is_new || n_turns >= self.config.update_interval {
            let is_shown = self.config.include_plan_in_context;
            shown = if is_shown { plan.to_text(&self.config) } else { String::new() };
            n_turns = 0;
        }
        Ok(Some(PlanState { plan, shown, n_turns }))
    }

    /// The new plan after the newest completed steps of the old one.
    fn carried_over(&self, old: &Plan, new: Plan) -> Plan {
        let done = old.steps.iter().filter(|step| step.status == PlanStatus::Completed);
        let mut kept: Vec<_> = done.rev().take(self.config.keep_completed).cloned().collect();
        kept.reverse();
        let mut steps: Vec<_> = kept.into_iter().chain(new.steps).collect();
        for (index, step) in steps.iter_mut().enumerate() {
            step.step_id = format!("step-{}", index + 1);
        }
        Plan { goal: new.goal, steps }
    }

    fn goal_said<'a>(&self, messages: &'a [Message]) -> Option<&'a str> {
        let said = messages.iter().filter(|message| message.role == Role::User);
        said.map(|message| message.content.trim())
            .find(|text| !text.is_empty() && text.chars().count() >= self.config.goal_min_chars)
    }
}

fn goal_of(context: &Map<String, Value>) -> Result<Option<&str>, EnvError> {
    match context.get(PLAN_GOAL) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(goal)) if !goal.trim().is_empty() => Ok(Some(goal)),
        Some(other) => {
            let found = other.as_str().map_or(kind_of(other), |_| "an empty text");
            let problem = Problem {
                place: PLAN_GOAL.to_owned(),
                key: String::new(),
                found: found.to_owned(),
                allowed: "a text".to_owned(),
                hint: None,
            };
            Err(EnvError::Agent { problems: vec![problem] })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manager(update_interval: usize) -> PlanningManager {
        PlanningManager::new(PlanningConfig {
            enabled: true,
            update_interval,
            ..PlanningConfig::default()
        })
    }

    fn context(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    fn advance() -> Map<String, Value> {
        context(json!({"plan_update": {"action": "advance"}}))
    }

    #[test]
    fn a_plan_begins_with_the_first_message_that_is_long_enough() {
        let manager = manager(1);
        let none = Map::new();
        let hello = [Message::user("Hi")];
        assert_eq!(manager.next(None, &hello, &none).unwrap(), None);
        let asks = [Message::user("Hi"), Message::user("Find my order and cancel it")];
        let state = manager.next(None, &asks, &none).unwrap().unwrap();
        assert_eq!(state.plan.steps.len(), 2);
        assert!(state.shown.starts_with("Long-term plan\nGoal: Find my order"), "{}", state.shown);
        let off = PlanningManager::default();
        assert_eq!(off.next(None, &asks, &none).unwrap(), None);
    }

    #[test]
    fn changes_are_shown_at_once_or_at_the_interval() {
        let goal = context(json!({"plan_goal": "a, b, c"}));
        let start = |m: &PlanningManager| m.next(None, &[], &goal).unwrap();
        let at_once = manager(1);
        let state = at_once.next(start(&at_once), &[], &advance()).unwrap().unwrap();
        assert!(state.shown.contains("2. [>] b"), "{}", state.shown);
        let later = manager(2);
        let state = later.next(start(&later), &[], &advance()).unwrap().unwrap();
        assert!(state.shown.contains("1. [>] a"), "{}", state.shown);
        let state = later.next(Some(state), &[], &Map::new()).unwrap().unwrap();
        assert!(state.shown.contains("2. [>] b"), "{}", state.shown);
    }

    #[test]
    fn another_goal_keeps_what_is_done() {
        let manager = manager(1);
        let mut state =
            manager.next(None, &[], &context(json!({"plan_goal": "a, b, c, d"}))).unwrap();
        for _ in 0..3 {
            state = manager.next(state, &[], &advance()).unwrap();
        }
        let new = context(json!({"plan_goal": "x, y"}));
        let changed = manager.next(state.clone(), &[], &new).unwrap().unwrap();
        let steps: Vec<String> = changed
            .plan
            .steps
            .iter()
            .map(|s| format!("{}{}", s.status.mark(), s.description))
            .collect();
        assert_eq!(steps, ["[x]b", "[x]c", "[>]x", "[ ]y"]);
        assert_eq!(changed.plan.steps[3].step_id, "step-4");
        let again = manager.next(Some(changed.clone()), &[], &new).unwrap().unwrap();
        assert_eq!(again, changed);
        let fixed = PlanningManager::new(PlanningConfig {
            allow_goal_update: false,
            ..manager.config.clone()
        });
        let kept = fixed.next(state.clone(), &[], &new).unwrap().unwrap();
        assert_eq!(kept.plan, state.unwrap().plan);
    }

    #[test]
    fn a_goal_that_is_no_text_is_refused() {
        for value in [json!({"plan_goal": 3}), json!({"plan_goal": " "})] {
            let error = manager(1).next(None, &[], &context(value)).unwrap_err().to_string();
            assert!(error.contains("plan_goal") && error.contains("a text"), "{error}");
        }
    }

    #[test]
    fn a_hidden_plan_is_kept() {
        let mut manager = manager(1);
        manager.config.include_plan_in_context = false;
        let goal = context(json!({"plan_goal": "a, b"}));
        let state = manager.next(None, &[], &goal).unwrap().unwrap();
        assert_eq!(state.shown, "");
        assert_eq!(state.plan.steps.len(), 2);
    }
}
