//! One episode's doings over a database: calls, what was said, and what it came to.
//!
//! A session is made from an episode's memory at every turn and written back after it; replays of expected
//! calls use it without a conversation.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::domain::{Checked, DatabaseDomain};
use super::report::{DatabaseReport, Part};
use super::rows::{Database, is_same};
use super::said::is_said;
use super::task::ExpectedCall;

/// Where the journal and the rest of the memory are in the state's context.
const DATABASE: &str = "database";
const CALLS: &str = "calls";
const SAID: &str = "outputs_said";
const MISLED: &str = "is_misled";
/// Most calls of one episode that are remembered; later ones are made but not compared.
const MAX_CALLS: usize = 500;
/// What the right tool with other arguments is worth as a step.
const RIGHT_TOOL: f64 = 0.25;

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MadeCall {
    /// The tool.
    pub name: String,
    /// Its arguments.
    pub arguments: Value,
    /// True where it did something.
    pub is_ok: bool,
}

/// One episode's doings.
#[derive(Clone, Debug)]
pub struct Session<'a> {
    domain: &'a DatabaseDomain,
    checked: &'a Checked,
    /// The episode's own database.
    pub database: Database,
    /// Calls of the agent's so far.
    pub calls: Vec<MadeCall>,
    /// For each required output, whether it was said.
    pub said: Vec<bool>,
    /// True once a wrong answer was said.
    pub is_misled: bool,
}

impl<'a> Session<'a> {
    /// The beginning of a task.
    pub(crate) fn new(domain: &'a DatabaseDomain, checked: &'a Checked) -> Session<'a> {
        Session {
            domain,
            checked,
            database: checked.start.clone(),
            calls: Vec::new(),
            said: vec![false; checked.task.outputs.len()],
            is_misled: false,
        }
    }

    /// Goes on from an episode's memory; `None` where it holds no session of this task.
    pub(crate) fn read(
        domain: &'a DatabaseDomain,
        checked: &'a Checked,
        context: &Map<String, Value>,
    ) -> Option<Session<'a>> {
        let database = domain.database().with_changes(context.get(DATABASE)?)?;
        let calls = serde_json::from_value(context.get(CALLS)?.clone()).ok()?;
        let said: Vec<bool> = serde_json::from_value(context.get(SAID)?.clone()).ok()?;
        let is_ours = said.len() == checked.task.outputs.len();
        let is_misled = context.get(MISLED)?.as_bool()?;
        is_ours.then_some(Session { domain, checked, database, calls, said, is_misled })
    }

    /// Writes the session into an episode's memory.
    pub(crate) fn write(&self, context: &mut Map<String, Value>) {
        context.insert(DATABASE.to_owned(), self.database.changes());
        context.insert(CALLS.to_owned(), serde_json::to_value(&self.calls).unwrap_or_default());
        context.insert(MISLED.to_owned(), self.is_misled.into());
        context.insert(SAID.to_owned(), serde_json::to_value(&self.said).unwrap_or_default());
    }

    /// Makes a call of the agent's.
    ///
    /// # Errors
    /// Why nothing was done, in words for the agent.
    pub fn call(&mut self, name: &str, arguments: &Value) -> Result<Value, String> {
        let result = self.domain.tools().call(&mut self.database, name, arguments, false);
        if self.calls.len() < MAX_CALLS {
            let (name, arguments) = (name.to_owned(), arguments.clone());
            self.calls.push(MadeCall { name, arguments, is_ok: result.is_ok() });
        }
        result
    }

    /// Makes a call of the user's own.
    ///
    /// # Errors
    /// Why nothing was done.
    pub fn user_call(&mut self, name: &str, arguments: &Value) -> Result<Value, String> {
        self.domain.tools().call(&mut self.database, name, arguments, true)
    }

    /// The user reads what the agent says.
    pub fn hear(&mut self, text: &str) {
        let forbidden = &self.checked.task.forbidden;
        self.is_misled = self.is_misled || forbidden.iter().any(|wrong| is_said(wrong, text));
        for (said, output) in self.said.iter_mut().zip(&self.checked.task.outputs) {
            *said = *said || is_said(output, text);
        }
    }

    /// What it has come to so far.
    pub fn report(&self) -> DatabaseReport {
        let task = &self.checked.task;
        let wrong = self.domain.wrong_rows(self.checked, &self.database);
        let n_said = self.said.iter().filter(|said| **said && !self.is_misled).count();
        let is_wrong = |(table, key): &&(String, String)| {
            let is_as_before =
                match (self.database.row(table, key), self.checked.start.row(table, key)) {
                    (Some(now), Some(before)) => is_same(now, before),
                    (now, before) => now.is_some() == before.is_some(),
                };
            !is_as_before
        };
        let n_wrong_rows = wrong.iter().filter(is_wrong).count();
        let agents: Vec<&ExpectedCall> = task.calls.iter().filter(|call| !call.by_user).collect();
        let n_made = agents.iter().filter(|call| self.made(call) == 1.0).count();
        DatabaseReport {
            database: part(1, usize::from(wrong.is_empty()), task.basis.database),
            outputs: part(task.outputs.len(), n_said, task.basis.outputs),
            calls: part(agents.len(), n_made, task.basis.calls),
            assertions: part(task.assertions.len(), self.n_assertions_met(), task.basis.assertions),
            statements: part(task.statements.len(), 0, task.basis.statements),
            n_wrong_rows,
            progress: self.progress(&agents, n_said, n_wrong_rows),
            n_calls: self.calls.len(),
            n_failed_calls: self.calls.iter().filter(|call| !call.is_ok).count(),
        }
    }

    fn progress(&self, expected: &[&ExpectedCall], n_said: usize, n_wrong_rows: usize) -> f64 {
        let n_steps = expected.len() + self.said.len();
        if n_steps == 0 {
            return if n_wrong_rows == 0 { 1.0 } else { 0.0 };
        }
        let made: f64 = expected.iter().map(|call| self.made(call)).sum();
        let done = made + n_said as f64 - n_wrong_rows as f64;
        (done / n_steps as f64).clamp(0.0, 1.0)
    }

    /// How far an expected call was made: 1, the share for the right tool, or 0.
    fn made(&self, expected: &ExpectedCall) -> f64 {
        let of_tool = || self.calls.iter().filter(|made| made.name == expected.name);
        if of_tool().any(|made| agrees(expected, &made.arguments)) {
            return 1.0;
        }
        if of_tool().any(|made| made.is_ok) { RIGHT_TOOL } else { 0.0 }
    }

    fn n_assertions_met(&self) -> usize {
        let holds = |call: &ExpectedCall, wanted: bool| {
            let mut database = self.database.clone();
            let said = self.domain.check(&mut database, call);
            said.as_ref().ok().and_then(Value::as_bool) == Some(wanted)
        };
        let assertions = self.checked.task.assertions.iter();
        assertions.filter(|assertion| holds(&assertion.call, assertion.wanted)).count()
    }
}

fn part(required: usize, met: usize, counts: bool) -> Part {
    Part { required, met, counts }
}

fn agrees(expected: &ExpectedCall, arguments: &Value) -> bool {
    let Some(compared) = &expected.compared else { return is_same(&expected.arguments, arguments) };
    compared.iter().all(|key| match (expected.arguments.get(key), arguments.get(key)) {
        (Some(a), Some(b)) => is_same(a, b),
        (a, b) => a.is_some() == b.is_some(),
    })
}
