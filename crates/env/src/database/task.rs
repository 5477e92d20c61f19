//! One task over a database: what the user wants, the calls that do it, and what has to be said.

use serde_json::{Map, Value};
use stateset_core::Message;

use super::user::UserScript;

/// A call that a task expects, or that is made before the conversation begins.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectedCall {
    /// The tool.
    pub name: String,
    /// Its arguments, an object.
    pub arguments: Value,
    /// Which arguments must agree where calls are compared; `None` means all of them.
    pub compared: Option<Vec<String>>,
    /// True for a call of the user's own.
    pub by_user: bool,
}

impl ExpectedCall {
    /// A call of the agent's of which every argument counts.
    pub fn new(name: impl Into<String>, arguments: Value) -> ExpectedCall {
        ExpectedCall { name: name.into(), arguments, compared: None, by_user: false }
    }
}

/// A function that looks at the final database and must say true, or false.
#[derive(Clone, Debug, PartialEq)]
pub struct StateAssertion {
    /// The function and its arguments; a tool of the domain that answers true or false.
    pub call: ExpectedCall,
    /// What it must say.
    pub wanted: bool,
}

/// What happened before the conversation begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskStart {
    /// Laid over the database.
    pub data: Map<String, Value>,
    /// Made on it, in order.
    pub calls: Vec<ExpectedCall>,
    /// Said already, with the calls in it made already.
    pub messages: Vec<Message>,
}

/// Which parts decide whether a task was done; all that are counted must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis {
    /// The final database equals that of the expected calls.
    pub database: bool,
    /// The required outputs were said.
    pub outputs: bool,
    /// The expected calls were made.
    pub calls: bool,
    /// The assertions about the final database hold.
    pub assertions: bool,
    /// The statements in natural language hold, which only a judge can say.
    pub statements: bool,
}

impl Basis {
    /// Database and outputs.
    pub const USUAL: Basis =
        Basis { database: true, outputs: true, calls: false, assertions: false, statements: false };
}

/// One task.
#[derive(Clone, Debug, PartialEq)]
pub struct DatabaseTask {
    /// Unique in its domain.
    pub id: String,
    /// Short label; reports group by it.
    pub topic: String,
    /// What the user wants, addressed to whoever plays the user.
    pub instruction: String,
    /// The user's part word by word, for a user without a model.
    pub user: Option<UserScript>,
    /// What came before.
    pub start: TaskStart,
    /// The calls that do the task.
    pub calls: Vec<ExpectedCall>,
    /// What the agent must tell the user.
    pub outputs: Vec<String>,
    /// Wrong answers: once one is said, no output counts any more.
    pub forbidden: Vec<String>,
    /// What must be true of the final database.
    pub assertions: Vec<StateAssertion>,
    /// What a judge would have to confirm.
    pub statements: Vec<String>,
    /// Which of these decide.
    pub basis: Basis,
}

impl DatabaseTask {
    /// A task without calls, outputs and user.
    pub fn new(id: impl Into<String>, instruction: impl Into<String>) -> DatabaseTask {
        DatabaseTask {
            id: id.into(),
            topic: String::new(),
            instruction: instruction.into(),
            user: None,
            start: TaskStart::default(),
            calls: Vec::new(),
            outputs: Vec::new(),
            forbidden: Vec::new(),
            assertions: Vec::new(),
            statements: Vec::new(),
            basis: Basis::USUAL,
        }
    }
}
