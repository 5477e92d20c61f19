//! The built-in tasks by name: `data_analysis`, an analyst who is asked about a table.
//!
//! A task is a combination of table, question and wording; four actions are required: to load the data, to
//! look at them, to analyse them and to report. Combinations are shared out between the splits by a hash of
//! their names, so no split meets another's.

use std::sync::Arc;

use serde_json::json;
use stateset_core::{Environment, Scenario};

use super::action::RequiredAction;
use super::environment::TaskEnvironment;
use crate::customer::{Split, text_seed};
use crate::error::EnvError;
use crate::names::{listed, nearest};
use crate::sets::World;

/// One built-in kind of task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskConfig {
    /// Its name.
    pub name: &'static str,
    /// What the agent is told.
    pub system_prompt: &'static str,
    /// The required actions with their keywords.
    pub actions: &'static [(&'static str, &'static [&'static str])],
    /// Most turns of the agent.
    pub max_turns: usize,
}

/// Every built-in kind of task.
pub const TASK_CONFIGS: &[TaskConfig] = &[TaskConfig {
    name: "data_analysis",
    system_prompt: "You analyse data. Say what you do, step by step: load, look, analyse, report.",
    actions: &[
        ("load_data", &["load", "loaded", "loading", "import", "imported", "read"]),
        (
            "explore_data",
            &["explore", "explored", "look", "looked", "inspect", "summary", "overview"],
        ),
        (
            "analyse",
            &[
                "analyse", "analysed", "analyze", "analyzed", "compare", "compared", "compute",
                "average",
            ],
        ),
        (
            "report",
            &["report", "result", "results", "conclusion", "conclude", "finding", "findings"],
        ),
    ],
    max_turns: 8,
}];

/// The tables and what is asked about them.
const TABLES: &[(&str, &[&str])] = &[
    ("sales of the last year", &["month", "shop", "product", "region"]),
    ("visits to the website", &["day", "page", "country", "device"]),
    ("answers of customers", &["product", "age", "region", "mark"]),
    ("deliveries of the last quarter", &["carrier", "town", "weekday", "weight"]),
    ("temperatures of the greenhouse", &["hour", "month", "sensor", "bed"]),
    ("returned goods", &["reason", "product", "month", "shop"]),
    ("calls to the help desk", &["hour", "topic", "agent", "weekday"]),
];

const QUESTIONS: &[&str] = &[
    "Which {group} stands out in the {table}?",
    "Please find out how the {table} differ by {group}.",
    "I need to know whether the {table} depend on the {group}.",
    "Tell me the best and the worst {group} in the {table}.",
];

/// The kind of task called `name`.
///
/// # Errors
/// [`EnvError::UnknownSet`] with the names there are.
pub fn task_config(name: &str) -> Result<TaskConfig, EnvError> {
    let found = TASK_CONFIGS.iter().find(|config| config.name == name);
    found.copied().ok_or_else(|| {
        let known: Vec<&str> = TASK_CONFIGS.iter().map(|config| config.name).collect();
        EnvError::UnknownSet {
            found: name.to_owned(),
            hint: nearest(name, &known).map(str::to_owned),
            known: listed(&known),
        }
    })
}

impl TaskConfig {
    /// The required actions.
    pub fn required_actions(&self) -> Vec<RequiredAction> {
        self.actions.iter().map(|(name, words)| RequiredAction::said(*name, words)).collect()
    }
}

impl World for TaskConfig {
    fn name(&self) -> &'static str {
        self.name
    }

    fn summary(&self) -> &'static str {
        "an analyst who loads data, looks at them, analyses them and reports"
    }

    fn system_prompt(&self) -> String {
        self.system_prompt.to_owned()
    }

    fn max_turns(&self) -> usize {
        self.max_turns
    }

    fn reward(&self) -> &'static str {
        "task_completion"
    }

    fn scenarios(&self, split: Split) -> Vec<Scenario> {
        let mut scenarios = Vec::new();
        for (table, groups) in TABLES {
            for group in *groups {
                for question in QUESTIONS {
                    let text = question.replace("{table}", table).replace("{group}", group);
                    // Two of five are not for training, two thirds of them held out.
                    let of = match text_seed(&text) % 15 {
                        0..=3 => Split::HeldOut,
                        4..=5 => Split::Validation,
                        _ => Split::Train,
                    };
                    if of != split {
                        continue;
                    }
                    let mut scenario =
                        Scenario::new(format!("{}-{split}-{:03}", self.name, scenarios.len()));
                    scenario.topic = (*group).to_owned();
                    scenario.context = text;
                    scenario.metadata.insert("table".to_owned(), json!(table));
                    scenarios.push(scenario);
                }
            }
        }
        scenarios
    }

    fn environment(&self, max_turns: usize) -> Arc<dyn Environment> {
        Arc::new(TaskEnvironment::new(self.required_actions()).with_max_turns(max_turns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = task_config("data_analisys").unwrap_err().to_string();
        assert!(error.contains("did you mean \"data_analysis\"?"), "{error}");
    }
}
