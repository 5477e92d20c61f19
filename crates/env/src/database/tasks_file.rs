//! Lists of tasks in our own format.
//!
//! ```json
//! {"id": "return-1", "topic": "returns", "instruction": "You want to send the lamp of order oak7 back.",
//!  "user": {"opening": "My lamp is broken.", "facts": [{"asked": ["order"], "says": "It is oak7."}]},
//!  "actions": [{"name": "return_order", "arguments": {"order": "oak7"}}],
//!  "outputs": ["returned"]}
//! ```
//!
//! `start` may hold `data` (laid over the tables) and `calls`; `assertions` are calls with what they must
//! say (`wanted`); `statements` are for a judge. `forbidden` lists wrong answers: once one of them is said, no
//! output counts any more, so that reciting everything says nothing. `basis` lists which of `database`, `outputs`, `actions`,
//! `assertions` and `statements` decide; without it, all that the task has.

use serde_json::{Map, Value};

use super::task::{Basis, DatabaseTask, ExpectedCall, StateAssertion, TaskStart};
use super::user::UserScript;
use crate::error::Problem;
use crate::fields::{Fields, kind_of};
use crate::names::named_enum;

named_enum! {
    /// What can decide whether a task was done.
    pub enum BasisPart {
        /// The final database.
        Database => "database",
        /// Required outputs.
        Outputs => "outputs",
        /// Expected calls.
        Actions => "actions",
        /// Assertions about the final database.
        Assertions => "assertions",
        /// Statements in natural language.
        Statements => "statements",
    }
}

const KEYS: &[&str] = &[
    "id",
    "topic",
    "instruction",
    "user",
    "start",
    "actions",
    "outputs",
    "forbidden",
    "assertions",
    "statements",
    "basis",
];
const MAX_ITEMS: usize = 1000;
const MAX_NAME_CHARS: usize = 200;
const MAX_TEXT_CHARS: usize = 100_000;

/// Reads a list of tasks found in the file `name`, each with its place.
pub(crate) fn read_tasks(
    name: &str,
    items: &[Value],
) -> Result<Vec<(String, DatabaseTask)>, Vec<Problem>> {
    let (mut tasks, mut problems) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let place = format!("{name} entry {index}");
        let empty = Map::new();
        let mut fields = Fields::new(&place, item.as_object().unwrap_or(&empty), KEYS);
        if !item.is_object() {
            fields.problem("", kind_of(item), "an object that describes a task");
        }
        let task = read_task(&mut fields, &place, format!("{name}-{index}"));
        problems.extend(fields.into_problems());
        tasks.push((place, task));
    }
    if problems.is_empty() { Ok(tasks) } else { Err(problems) }
}

fn read_task(fields: &mut Fields<'_>, place: &str, default_id: String) -> DatabaseTask {
    let user = fields.object("user").and_then(|user| match UserScript::read(place, user) {
        Ok(script) => Some(script),
        Err(found) => {
            fields.extend(found);
            None
        }
    });
    let assertions = read_items(fields, "assertions", &["name", "arguments", "wanted"]);
    let wanted = |item: &Map<String, Value>| item.get("wanted").is_none_or(|wanted| wanted == true);
    let task = DatabaseTask {
        id: fields.text("id", MAX_NAME_CHARS).unwrap_or(default_id),
        topic: fields.text("topic", MAX_NAME_CHARS).unwrap_or_default(),
        instruction: fields.text("instruction", MAX_TEXT_CHARS).unwrap_or_default(),
        user,
        start: read_start(fields, place),
        calls: read_calls(fields, "actions"),
        outputs: fields.texts("outputs", MAX_ITEMS, MAX_TEXT_CHARS),
        forbidden: fields.texts("forbidden", MAX_ITEMS, MAX_TEXT_CHARS),
        assertions: assertions
            .iter()
            .map(|item| StateAssertion { call: expected(item), wanted: wanted(item) })
            .collect(),
        statements: fields.texts("statements", MAX_ITEMS, MAX_TEXT_CHARS),
        basis: Basis::USUAL,
    };
    if task.user.is_none() && task.instruction.trim().is_empty() {
        fields.problem("instruction", "nothing", "an instruction, or a user with an opening");
    }
    if task.outputs.is_empty() && !task.forbidden.is_empty() {
        fields.problem("forbidden", "wrong answers without a right one", "outputs beside them");
    }
    DatabaseTask { basis: read_basis(fields, &task), ..task }
}

fn read_start(fields: &mut Fields<'_>, place: &str) -> TaskStart {
    let Some(object) = fields.object("start") else { return TaskStart::default() };
    let mut start = Fields::nested(place, "start.".to_owned(), object, &["data", "calls"]);
    let data = start.object("data").cloned().unwrap_or_default();
    let calls = read_calls(&mut start, "calls");
    fields.extend(start.into_problems());
    TaskStart { data, calls, messages: Vec::new() }
}

fn read_calls(fields: &mut Fields<'_>, key: &str) -> Vec<ExpectedCall> {
    let items = read_items(fields, key, &["name", "arguments"]);
    items.iter().map(expected).collect()
}

/// The objects of the list under `key`, each with a name and arguments.
fn read_items(fields: &mut Fields<'_>, key: &str, allowed: &[&str]) -> Vec<Map<String, Value>> {
    let Some(value) = fields.value(key) else { return Vec::new() };
    let Some(items) = value.as_array().filter(|items| items.len() <= MAX_ITEMS) else {
        fields.problem(key, kind_of(value), format!("a list of at most {MAX_ITEMS} calls"));
        return Vec::new();
    };
    let mut read = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let object = item.as_object();
        let has_name =
            object.is_some_and(|object| object.get("name").is_some_and(Value::is_string));
        let has_arguments =
            object.is_some_and(|object| object.get("arguments").is_none_or(Value::is_object));
        let is_known =
            object.is_some_and(|object| object.keys().all(|key| allowed.contains(&key.as_str())));
        match object.filter(|_| has_name && has_arguments && is_known) {
            Some(object) => read.push(object.clone()),
            None => {
                let allowed = format!("an object with {}", crate::names::listed(allowed));
                fields.problem(&format!("{key}[{index}]"), item.to_string(), allowed);
            }
        }
    }
    read
}

fn expected(item: &Map<String, Value>) -> ExpectedCall {
    let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
    let arguments = item.get("arguments").cloned().unwrap_or_else(|| Map::new().into());
    ExpectedCall::new(name, arguments)
}

fn read_basis(fields: &mut Fields<'_>, task: &DatabaseTask) -> Basis {
    let named = fields.texts("basis", 10, MAX_NAME_CHARS);
    let names: Vec<&str> = BasisPart::ALL.iter().map(|part| part.name()).collect();
    for name in named.iter().filter(|name| BasisPart::from_name(name).is_none()) {
        let hint =
            crate::names::nearest(name, &names).map(|near| format!("did you mean {near:?}?"));
        let allowed = crate::names::listed(&names);
        fields.problem_with_hint("basis", format!("{name:?}"), allowed, hint);
    }
    let is_given = fields.value("basis").is_some();
    let counts = |part: BasisPart, usual: bool| {
        if is_given { named.iter().any(|name| name == part.name()) } else { usual }
    };
    Basis {
        database: counts(BasisPart::Database, true),
        outputs: counts(BasisPart::Outputs, !task.outputs.is_empty()),
        calls: counts(BasisPart::Actions, false),
        assertions: counts(BasisPart::Assertions, !task.assertions.is_empty()),
        statements: counts(BasisPart::Statements, !task.statements.is_empty()),
    }
}
