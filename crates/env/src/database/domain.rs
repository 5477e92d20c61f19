//! A domain: a policy, tools, a database and tasks, checked against each other.
//!
//! What the expected calls of every task come to is computed once, when the domain is made; a call that
//! names an unknown tool or does not fit its schema is a problem then, and one that the rules of the domain
//! refuse is noted ([`DatabaseDomain::refused`]): data from elsewhere contains such calls.

use std::collections::HashMap;

use serde_json::{Value, json};
use stateset_core::Scenario;

use super::rows::Database;
use super::session::Session;
use super::task::{DatabaseTask, ExpectedCall};
use super::tool::{DatabaseTool, Toolbox};
use crate::error::{EnvError, Problem};
use crate::names::{listed, nearest};

/// An expected call that the domain refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCall {
    /// Index of the call in its task.
    pub index: usize,
    /// Why, as the agent would read it.
    pub why: String,
}

/// A task with what was computed of it.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) task: DatabaseTask,
    pub(crate) start: Database,
    pub(crate) end: Database,
    pub(crate) refused: Vec<RefusedCall>,
}

/// A domain.
#[derive(Clone, Debug)]
pub struct DatabaseDomain {
    name: String,
    policy: String,
    tools: Toolbox,
    checks: Toolbox,
    users_tables: Vec<String>,
    database: Database,
    tasks: Vec<Checked>,
    by_id: HashMap<String, usize>,
}

/// What a domain is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    pub(crate) name: String,
    pub(crate) policy: String,
    pub(crate) tools: Toolbox,
    /// Functions that only assertions and beginnings use.
    pub(crate) checks: Toolbox,
    /// Tables that belong to the user and are not compared.
    pub(crate) users_tables: Vec<String>,
    pub(crate) database: Database,
    /// Tasks with the places at which they were found.
    pub(crate) tasks: Vec<(String, DatabaseTask)>,
}

impl DatabaseDomain {
    pub(crate) fn new(parts: Parts) -> Result<DatabaseDomain, EnvError> {
        let mut domain = DatabaseDomain {
            name: parts.name,
            policy: parts.policy,
            tools: parts.tools,
            checks: parts.checks,
            users_tables: parts.users_tables,
            database: parts.database,
            tasks: Vec::new(),
            by_id: HashMap::new(),
        };
        let mut problems = Vec::new();
        for (place, task) in parts.tasks {
            let found = domain.misfits(&place, &task);
            let is_sound = found.is_empty();
            problems.extend(found);
            if is_sound {
                match domain.computed(&place, task) {
                    Ok(checked) => {
                        domain.by_id.insert(checked.task.id.clone(), domain.tasks.len());
                        domain.tasks.push(checked);
                    }
                    Err(problem) => problems.push(problem),
                }
            }
        }
        if problems.is_empty() {
            Ok(domain)
        } else {
            Err(EnvError::Entries { name: domain.name, problems })
        }
    }

    /// Its name, for messages and reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the agent is told of the rules.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// Its tools.
    pub fn tools(&self) -> &Toolbox {
        &self.tools
    }

    /// The database before any task.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Its tasks, in the order of the file.
    pub fn tasks(&self) -> impl Iterator<Item = &DatabaseTask> {
        self.tasks.iter().map(|checked| &checked.task)
    }

    /// The task of this id.
    pub fn task(&self, id: &str) -> Option<&DatabaseTask> {
        self.checked(id).map(|checked| &checked.task)
    }

    /// Expected calls of a task that the domain refuses.
    pub fn refused(&self, id: &str) -> &[RefusedCall] {
        self.checked(id).map(|checked| checked.refused.as_slice()).unwrap_or_default()
    }

    /// The beginning of a task; `None` for an unknown id.
    pub fn session(&self, id: &str) -> Option<Session<'_>> {
        self.checked(id).map(|checked| Session::new(self, checked))
    }

    /// A scenario for each task; the policy is each one's system prompt.
    pub fn scenarios(&self) -> Vec<Scenario> {
        self.tasks().map(|task| self.scenario(task)).collect()
    }

    fn scenario(&self, task: &DatabaseTask) -> Scenario {
        let mut scenario = Scenario::new(&task.id);
        scenario.topic = task.topic.clone();
        scenario.context = task.instruction.clone();
        scenario.system_prompt = (!self.policy.is_empty()).then(|| self.policy.clone());
        scenario.metadata.insert("domain".to_owned(), json!(self.name));
        scenario
    }

    pub(crate) fn checked(&self, id: &str) -> Option<&Checked> {
        self.by_id.get(id).and_then(|index| self.tasks.get(*index))
    }

    /// Rows that are not as the expected calls leave them; the user's own tables do not count.
    pub(crate) fn wrong_rows(
        &self,
        checked: &Checked,
        database: &Database,
    ) -> Vec<(String, String)> {
        let mut rows = checked.end.differing(database);
        rows.retain(|(table, _)| !self.users_tables.contains(table));
        rows
    }

    /// Calls a function of assertions and beginnings, or any tool.
    pub(crate) fn check(
        &self,
        database: &mut Database,
        call: &ExpectedCall,
    ) -> Result<Value, String> {
        let of_checks = self.checks.get(&call.name).filter(|tool| tool.is_users == call.by_user);
        let tools = if of_checks.is_some() { &self.checks } else { &self.tools };
        tools.call(database, &call.name, &call.arguments, call.by_user)
    }

    /// What is wrong with a task's id and calls.
    fn misfits(&self, place: &str, task: &DatabaseTask) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.by_id.contains_key(&task.id) {
            let found = format!("{:?} again", task.id);
            problems.push(problem(place, "id", found, "an id that no other task has", None));
        }
        let made = task.start.messages.iter().flat_map(|message| &message.tool_calls);
        let made: Vec<ExpectedCall> =
            made.map(|call| ExpectedCall::new(&call.name, call.arguments.clone())).collect();
        let checks = task.assertions.iter().map(|assertion| &assertion.call);
        for (part, calls, may_check) in [
            ("actions", task.calls.iter().collect::<Vec<_>>(), false),
            ("start.calls", task.start.calls.iter().collect(), true),
            ("start.messages", made.iter().collect(), false),
            ("assertions", checks.collect(), true),
        ] {
            for (index, call) in calls.into_iter().enumerate() {
                let key = format!("{part}[{index}]");
                problems.extend(self.misfit(place, &key, call, may_check));
            }
        }
        problems
    }

    fn misfit(
        &self,
        place: &str,
        key: &str,
        call: &ExpectedCall,
        may_check: bool,
    ) -> Option<Problem> {
        let fits = |tool: &&DatabaseTool| tool.is_users == call.by_user;
        let check = self.checks.get(&call.name).filter(|_| may_check);
        match check.or_else(|| self.tools.get(&call.name)).filter(fits) {
            Some(tool) => {
                let misfit = tool.misfit(&call.arguments)?;
                let key = format!("{key}.arguments");
                Some(problem(place, &key, misfit, &format!("arguments of {}", call.name), None))
            }
            None => {
                let mut known = self.tools.names(call.by_user);
                if may_check {
                    known.extend(self.checks.names(call.by_user));
                }
                let hint =
                    nearest(&call.name, &known).map(|near| format!("did you mean {near:?}?"));
                let key = format!("{key}.name");
                let allowed = format!("a tool: {}", listed(&known));
                Some(problem(
                    place,
                    &key,
                    format!("the unknown tool {:?}", call.name),
                    &allowed,
                    hint,
                ))
            }
        }
    }

    /// Beginning and end of a task.
    fn computed(&self, place: &str, task: DatabaseTask) -> Result<Checked, Problem> {
        let mut start = self.database.clone();
        start.merge(&task.start.data);
        for (index, call) in task.start.calls.iter().enumerate() {
            self.check(&mut start, call).map_err(|why| {
                let key = format!("start.calls[{index}]");
                problem(place, &key, format!("a call that fails: {why}"), "one that works", None)
            })?;
        }
        for call in task.start.messages.iter().flat_map(|message| &message.tool_calls) {
            // A conversation may hold calls that failed; the agent has read why.
            let _ = self.tools.call(&mut start, &call.name, &call.arguments, false);
        }
        let (mut end, mut refused) = (start.clone(), Vec::new());
        for (index, call) in task.calls.iter().enumerate() {
            let result = self.tools.call(&mut end, &call.name, &call.arguments, call.by_user);
            refused.extend(result.err().map(|why| RefusedCall { index, why }));
        }
        Ok(Checked { task, start, end, refused })
    }
}

fn problem(place: &str, key: &str, found: String, allowed: &str, hint: Option<String>) -> Problem {
    Problem {
        place: place.to_owned(),
        key: key.to_owned(),
        found,
        allowed: allowed.to_owned(),
        hint,
    }
}
