//! Settings of planning, under the documented names.

use serde_json::{Map, Value};

use crate::error::EnvError;
use crate::fields::Fields;

const KEYS: &[&str] = &[
    "enabled",
    "max_steps",
    "update_interval",
    "include_plan_in_context",
    "allow_goal_update",
    "goal_min_chars",
    "keep_completed",
    "plan_prefix",
];

/// Longest prefix in characters.
const MAX_PREFIX_CHARS: usize = 200;

/// How an agent plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanningConfig {
    /// Whether it plans at all.
    pub enabled: bool,
    /// Most steps of a plan that is made from a goal; 1 to 50. What is over goes into the last one.
    pub max_steps: usize,
    /// Turns of the agent after which it sees how the plan stands; a change in between is shown then.
    pub update_interval: usize,
    /// Whether the plan is shown to the model. It is kept either way.
    pub include_plan_in_context: bool,
    /// Whether another goal makes another plan.
    pub allow_goal_update: bool,
    /// Shortest message, in characters, that is taken as a goal where none is given.
    pub goal_min_chars: usize,
    /// Completed steps that are shown, and that are kept when the goal changes: the newest ones.
    pub keep_completed: usize,
    /// First line of what is shown.
    pub plan_prefix: String,
}

impl Default for PlanningConfig {
    fn default() -> Self {
        PlanningConfig {
            enabled: false,
            max_steps: 6,
            update_interval: 1,
            include_plan_in_context: true,
            allow_goal_update: true,
            goal_min_chars: 8,
            keep_completed: 2,
            plan_prefix: "Long-term plan".to_owned(),
        }
    }
}

impl PlanningConfig {
    /// Reads settings over the defaults. `place` says where they stand. Settings that are given mean that planning is
    /// on, unless they say otherwise.
    ///
    /// # Errors
    /// [`EnvError::Agent`] with everything that does not fit.
    pub fn from_object(place: &str, object: &Map<String, Value>) -> Result<Self, EnvError> {
        let base = PlanningConfig::default();
        let mut fields = Fields::new(place, object, KEYS);
        let config = PlanningConfig {
            enabled: fields.flag("enabled").unwrap_or(true),
            max_steps: fields.count("max_steps", 1..=50).unwrap_or(base.max_steps),
            update_interval: fields
                .count("update_interval", 1..=1000)
                .unwrap_or(base.update_interval),
            include_plan_in_context: fields
                .flag("include_plan_in_context")
                .unwrap_or(base.include_plan_in_context),
            allow_goal_update: fields.flag("allow_goal_update").unwrap_or(base.allow_goal_update),
            goal_min_chars: fields
                .count("goal_min_chars", 0..=10_000)
                .unwrap_or(base.goal_min_chars),
            keep_completed: fields.count("keep_completed", 0..=50).unwrap_or(base.keep_completed),
            plan_prefix: fields.text("plan_prefix", MAX_PREFIX_CHARS).unwrap_or(base.plan_prefix),
        };
        let problems = fields.into_problems();
        if problems.is_empty() { Ok(config) } else { Err(EnvError::Agent { problems }) }
    }

    /// The settings under their names, as [`PlanningConfig::from_object`] reads them.
    pub fn to_object(&self) -> Map<String, Value> {
        let pairs: [(&str, Value); 8] = [
            ("enabled", self.enabled.into()),
            ("max_steps", self.max_steps.into()),
            ("update_interval", self.update_interval.into()),
            ("include_plan_in_context", self.include_plan_in_context.into()),
            ("allow_goal_update", self.allow_goal_update.into()),
            ("goal_min_chars", self.goal_min_chars.into()),
            ("keep_completed", self.keep_completed.into()),
            ("plan_prefix", self.plan_prefix.clone().into()),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documented_defaults() {
        let config = PlanningConfig::default();
        assert!(!config.enabled && config.include_plan_in_context && config.allow_goal_update);
        assert_eq!((config.max_steps, config.update_interval), (6, 1));
        assert_eq!((config.goal_min_chars, config.keep_completed), (8, 2));
        assert_eq!(config.plan_prefix, "Long-term plan");
    }

    #[test]
    fn settings_are_read_and_all_problems_named() {
        let read = |value: Value| {
            let object = value.as_object().cloned().unwrap_or_default();
            PlanningConfig::from_object("planning_config", &object)
        };
        let config = read(json!({"max_steps": 4})).unwrap();
        assert!(config.enabled);
        assert_eq!(config.max_steps, 4);
        assert_eq!(read(Value::Object(config.to_object())).unwrap(), config);
        let error = read(json!({"max_step": 4, "keep_completed": -1})).unwrap_err().to_string();
        assert!(error.contains("did you mean `max_steps`"), "{error}");
        assert!(error.contains("`keep_completed`: found -1"), "{error}");
    }
}
