//! Replaying the calls a task expects, as an agent would that knew them.
//!
//! A replay proves that a domain and its tools fit together: with every call and output the verdict must be
//! 1, and with a call left out that changed something it must be 0, unless another one covers it up.

use serde_json::Value;

use super::domain::DatabaseDomain;
use super::report::DatabaseReport;
use super::task::ExpectedCall;

/// What a replay is to leave out, or to add.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplayPlan {
    /// Index of an expected call that is not made.
    pub without_call: Option<usize>,
    /// Index of a required output that is not said.
    pub without_output: Option<usize>,
    /// Calls that are made after the expected ones.
    pub more_calls: Vec<ExpectedCall>,
}

/// One call of a replay.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayedCall {
    /// Index in the task's expected calls; further ones follow.
    pub index: usize,
    /// The tool.
    pub name: String,
    /// Its answer, or why nothing was done.
    pub result: Result<Value, String>,
    /// True where it changed the database.
    pub is_write: bool,
}

/// What a replay came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// The calls made.
    pub calls: Vec<ReplayedCall>,
    /// The report at the end.
    pub report: DatabaseReport,
}

/// Replays the task `id` of `domain`; `None` where there is no such task.
pub fn replay(domain: &DatabaseDomain, id: &str, plan: &ReplayPlan) -> Option<Replay> {
    let task = domain.task(id)?;
    let mut session = domain.session(id)?;
    let mut calls = Vec::new();
    for (index, call) in task.calls.iter().chain(&plan.more_calls).enumerate() {
        if plan.without_call == Some(index) {
            continue;
        }
        let before = session.database.clone();
        let result = if call.by_user {
            session.user_call(&call.name, &call.arguments)
        } else {
            session.call(&call.name, &call.arguments)
        };
        let is_write = !session.database.differing(&before).is_empty();
        calls.push(ReplayedCall { index, name: call.name.clone(), result, is_write });
    }
    for (index, output) in task.outputs.iter().enumerate() {
        if plan.without_output != Some(index) {
            session.hear(output);
        }
    }
    Some(Replay { calls, report: session.report() })
}
