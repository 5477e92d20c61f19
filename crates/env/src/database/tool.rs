//! A tool over a database: what the agent is told, the check of its arguments, and what it does.
//!
//! A tool that fails changes nothing: its work is undone before the agent reads why. What a tool does is
//! declared in the domain's file ([`super::Step`]) or written in Rust ([`ToolFunction`]).

use std::fmt;
use std::sync::Arc;

use jsonschema::Validator;
use serde_json::{Map, Value};
use stateset_core::ToolSpec;

use super::declared::{Step, run_steps};
use super::rows::Database;
use crate::error::Problem;
use crate::names::{listed, nearest};

/// Arguments of a call, checked against the tool's schema.
pub type Arguments = Map<String, Value>;

/// A tool written in Rust: the answer, or the reason why nothing was done, in words for the agent.
pub type ToolFunction =
    Arc<dyn Fn(&mut Database, &Arguments) -> Result<Value, String> + Send + Sync>;

/// What a tool does.
#[derive(Clone)]
pub enum Operation {
    /// Steps that a domain's file declares.
    Steps(Vec<Step>),
    /// A Rust function.
    Function(ToolFunction),
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Steps(steps) => f.debug_tuple("Steps").field(steps).finish(),
            Operation::Function(_) => f.write_str("Function"),
        }
    }
}

/// One tool over a database.
#[derive(Clone, Debug)]
pub struct DatabaseTool {
    /// What the agent is told.
    pub spec: ToolSpec,
    /// True for a tool that ends the conversation, such as handing over to a person.
    pub ends_episode: bool,
    /// True for a tool of the user's; the agent is not told of it and cannot call it.
    pub is_users: bool,
    pub(crate) operation: Operation,
    pub(crate) validator: Arc<Validator>,
}

impl DatabaseTool {
    /// A tool of the agent's that was described at `place`.
    pub(crate) fn new(
        place: &str,
        spec: ToolSpec,
        operation: Operation,
    ) -> Result<DatabaseTool, Problem> {
        let invalid = |found: String| Problem {
            place: place.to_owned(),
            key: "parameters".to_owned(),
            found,
            allowed: "a JSON schema of an object".to_owned(),
            hint: None,
        };
        if spec.parameters.get("type").is_some_and(|kind| kind != "object") {
            return Err(invalid(format!("a schema of type {}", spec.parameters["type"])));
        }
        if !spec.parameters.is_object() {
            return Err(invalid(crate::fields::kind_of(&spec.parameters).to_owned()));
        }
        jsonschema::meta::validate(&spec.parameters)
            .map_err(|error| invalid(format!("no JSON schema ({error})")))?;
        let validator = jsonschema::validator_for(&spec.parameters)
            .map_err(|error| invalid(format!("no JSON schema ({error})")))?;
        Ok(DatabaseTool {
            spec,
            ends_episode: false,
            is_users: false,
            operation,
            validator: Arc::new(validator),
        })
    }

    /// What does not fit in these arguments, in words; `None` where they fit.
    pub fn misfit(&self, arguments: &Value) -> Option<String> {
        const MAX_SHOWN: usize = 3;
        let errors = self.validator.iter_errors(arguments).take(MAX_SHOWN).map(|error| {
            let place = error.instance_path().to_string();
            let place = place.trim_start_matches('/');
            if place.is_empty() { error.to_string() } else { format!("{place}: {error}") }
        });
        let errors: Vec<String> = errors.collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    }
}

/// The tools of a domain; no two have the same name.
#[derive(Clone, Debug, Default)]
pub struct Toolbox {
    tools: Vec<DatabaseTool>,
}

impl Toolbox {
    /// Adds a tool that was described at `place`.
    pub(crate) fn add(&mut self, place: &str, tool: DatabaseTool) -> Result<(), Problem> {
        if let Some(index) = self.tools.iter().position(|old| old.spec.name == tool.spec.name) {
            return Err(Problem {
                place: place.to_owned(),
                key: "name".to_owned(),
                found: format!("{:?} again", tool.spec.name),
                allowed: "a name that no other tool has".to_owned(),
                hint: Some(format!("tool {index} has it already")),
            });
        }
        self.tools.push(tool);
        Ok(())
    }

    /// The tool called `name`.
    pub fn get(&self, name: &str) -> Option<&DatabaseTool> {
        self.tools.iter().find(|tool| tool.spec.name == name)
    }

    /// Names of the tools: the agent's, or the user's.
    pub fn names(&self, users: bool) -> Vec<&str> {
        let tools = self.tools.iter().filter(|tool| tool.is_users == users);
        tools.map(|tool| tool.spec.name.as_str()).collect()
    }

    /// What the agent is told.
    pub fn specs(&self) -> Vec<ToolSpec> {
        let tools = self.tools.iter().filter(|tool| !tool.is_users);
        tools.map(|tool| tool.spec.clone()).collect()
    }

    /// Calls a tool of the agent's, or of the user's. Where it fails, the database is as before.
    ///
    /// # Errors
    /// Why nothing was done, in words for the caller.
    pub fn call(
        &self,
        database: &mut Database,
        name: &str,
        arguments: &Value,
        by_user: bool,
    ) -> Result<Value, String> {
        let Some(tool) = self.get(name).filter(|tool| tool.is_users == by_user) else {
            let known = self.names(by_user);
            let hint = nearest(name, &known).map(|near| format!("; did you mean {near}?"));
            let hint = hint.unwrap_or_default();
            return Err(format!("no tool is called {name:?}; tools are {}{hint}", listed(&known)));
        };
        if let Some(misfit) = tool.misfit(arguments) {
            return Err(format!("bad arguments: {misfit}"));
        }
        let empty = Map::new();
        let arguments = arguments.as_object().unwrap_or(&empty);
        let before = database.clone();
        let result = match &tool.operation {
            Operation::Steps(steps) => run_steps(steps, database, arguments),
            Operation::Function(function) => function(database, arguments),
        };
        if result.is_err() {
            *database = before;
        }
        result
    }
}

/// What the agent reads of a result.
pub(crate) fn answer_text(result: &Result<Value, String>) -> String {
    match result {
        Ok(Value::String(text)) => text.clone(),
        Ok(value) => value.to_string(),
        Err(why) => format!("Error: {why}"),
    }
}
