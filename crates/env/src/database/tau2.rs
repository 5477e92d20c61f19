//! Tasks of tau2-bench's layout, and its small domain of to-do items with tools of our own writing.
//!
//! A folder holds `db.json`, `user_db.json` (tables of the user's, may be absent), `policy.md` and
//! `tasks.json`. Of a task's `evaluation_criteria` the `reward_basis` says what decides; without it database
//! and communicated information do. A part that the task does not have does not decide: no `actions` says
//! nothing about the database. A task of which nothing is left but assertions in natural language has no
//! verdict without a judge.
//!
//! Deviation: the database is compared without the user's own tables, which are judged by assertions; a
//! task whose user acts would otherwise never equal the agent's expected actions.
//!
//! Source: Barres et al. 2025, "tau2-bench: Evaluating Conversational Agents in a Dual-Control Environment".

use std::path::Path;

use serde_json::{Map, Value};
use stateset_core::{Message, Role, ToolCall};

use super::domain::{DatabaseDomain, Parts};
use super::files::{TextFile, kept};
use super::mock::{mock_checks, mock_tools};
use super::rows::Database;
use super::task::{Basis, DatabaseTask, ExpectedCall, StateAssertion, TaskStart};
use crate::error::{EnvError, Problem};

/// The files of the domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tau2Files {
    /// The rules.
    pub policy: String,
    /// Tables of the agent's.
    pub database: TextFile,
    /// Tables of the user's.
    pub users_database: Option<TextFile>,
    /// Tasks.
    pub tasks: TextFile,
}

/// Reads the domain of to-do items.
///
/// # Errors
/// [`EnvError::TooLarge`], or [`EnvError::Entries`] with everything that does not fit.
pub fn tau2_mock_from_files(files: &Tau2Files) -> Result<DatabaseDomain, EnvError> {
    let mut problems = Vec::new();
    let mut tables = files.database.object()?;
    let users = files.users_database.as_ref().map(TextFile::object).transpose()?;
    let users = users.unwrap_or_default();
    let users_tables: Vec<String> = users.keys().cloned().collect();
    for name in ["tasks", "users"] {
        tables.entry(name).or_insert_with(|| Map::new().into());
    }
    tables.extend(users);
    tables.entry("notifications").or_insert_with(|| Map::new().into());
    let database = kept(Database::new(tables, &files.database.name), &mut problems);
    let mut tasks = Vec::new();
    for (index, item) in files.tasks.list()?.iter().enumerate() {
        let place = format!("{} entry {index}", files.tasks.name);
        match read_task(item) {
            Ok(task) => tasks.push((place, task)),
            Err((key, found, allowed)) => {
                problems.push(Problem { place, key, found, allowed, hint: None });
            }
        }
    }
    let tools = kept(mock_tools(&database.tables()), &mut problems);
    let checks = kept(mock_checks(), &mut problems);
    if !problems.is_empty() {
        return Err(EnvError::Entries { name: "tau2-mock".to_owned(), problems });
    }
    DatabaseDomain::new(Parts {
        name: "tau2-mock".to_owned(),
        policy: files.policy.clone(),
        tools,
        checks,
        users_tables,
        database,
        tasks,
    })
}

/// Reads the domain of to-do items from its folder.
///
/// # Errors
/// [`EnvError::Read`], or as [`tau2_mock_from_files`].
pub fn load_tau2_mock(folder: &Path) -> Result<DatabaseDomain, EnvError> {
    let has_users = folder.join("user_db.json").is_file();
    let users = has_users.then(|| TextFile::read(folder, "user_db.json")).transpose()?;
    tau2_mock_from_files(&Tau2Files {
        policy: TextFile::read(folder, "policy.md")?.text()?,
        database: TextFile::read(folder, "db.json")?,
        users_database: users,
        tasks: TextFile::read(folder, "tasks.json")?,
    })
}

/// Key, what was found, and what is allowed.
type Misfit = (String, String, String);

fn misfit(key: &str, found: &Value, allowed: &str) -> Misfit {
    (key.to_owned(), found.to_string(), allowed.to_owned())
}

fn read_task(item: &Value) -> Result<DatabaseTask, Misfit> {
    let id = item.get("id").and_then(Value::as_str);
    let id = id.ok_or_else(|| misfit("id", &Value::Null, "the task's name"))?;
    let instruction = match item.pointer("/user_scenario/instructions") {
        Some(Value::String(text)) => text.clone(),
        Some(other) if other.is_object() => other.to_string(),
        _ => {
            let allowed = "user_scenario with instructions";
            return Err(misfit("user_scenario", &Value::Null, allowed));
        }
    };
    let criteria = item.get("evaluation_criteria").cloned().unwrap_or_default();
    let start = item.get("initial_state").cloned().unwrap_or_default();
    let calls = read_calls(&criteria, "actions", "name")?;
    let outputs = read_texts(&criteria, "communicate_info")?;
    let statements = read_texts(&criteria, "nl_assertions")?;
    let assertions = read_assertions(&criteria)?;
    let basis = read_basis(&criteria, !outputs.is_empty(), !assertions.is_empty())?;
    let topic = calls.first().map(|call| call.name.clone()).unwrap_or_default();
    Ok(DatabaseTask {
        topic,
        start: TaskStart {
            data: start
                .pointer("/initialization_data/agent_data")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            calls: read_calls(&start, "initialization_actions", "func_name")?,
            messages: read_history(&start)?,
        },
        calls,
        outputs,
        assertions,
        statements,
        basis,
        ..DatabaseTask::new(id, instruction)
    })
}

/// The list under `key`; an absent one is empty.
fn list<'a>(object: &'a Value, key: &str) -> Result<&'a [Value], Misfit> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(other) => Err(misfit(key, other, "a list")),
    }
}

fn read_texts(object: &Value, key: &str) -> Result<Vec<String>, Misfit> {
    let text = |item: &Value| {
        item.as_str().map(str::to_owned).ok_or_else(|| misfit(key, item, "a list of texts"))
    };
    list(object, key)?.iter().map(text).collect()
}

fn read_calls(object: &Value, key: &str, name_key: &str) -> Result<Vec<ExpectedCall>, Misfit> {
    list(object, key)?.iter().map(|item| read_call(item, key, name_key)).collect()
}

fn read_call(item: &Value, key: &str, name_key: &str) -> Result<ExpectedCall, Misfit> {
    let name = item.get(name_key).and_then(Value::as_str);
    let name = name.ok_or_else(|| misfit(key, item, &format!("calls with {name_key}")))?;
    let arguments = item.get("arguments").cloned().unwrap_or_else(|| Map::new().into());
    let compared = match item.get("compare_args") {
        None | Some(Value::Null) => None,
        Some(_) => Some(read_texts(item, "compare_args")?),
    };
    let is_users = |key: &str| item.get(key).is_some_and(|who| who == "user");
    let by_user = is_users("env_type") || is_users("requestor");
    Ok(ExpectedCall { compared, by_user, ..ExpectedCall::new(name, arguments) })
}

fn read_assertions(criteria: &Value) -> Result<Vec<StateAssertion>, Misfit> {
    let items = list(criteria, "env_assertions")?;
    let read = |item: &Value| -> Result<StateAssertion, Misfit> {
        let wanted = item.get("assert_value").is_none_or(|wanted| wanted == true);
        Ok(StateAssertion { call: read_call(item, "env_assertions", "func_name")?, wanted })
    };
    items.iter().map(read).collect()
}

fn read_basis(criteria: &Value, has_outputs: bool, has_assertions: bool) -> Result<Basis, Misfit> {
    let named = match criteria.get("reward_basis") {
        None | Some(Value::Null) => vec!["DB".to_owned(), "COMMUNICATE".to_owned()],
        Some(_) => read_texts(criteria, "reward_basis")?,
    };
    let known = ["DB", "COMMUNICATE", "ACTION", "ENV_ASSERTION", "NL_ASSERTION"];
    if let Some(unknown) = named.iter().find(|name| !known.contains(&name.as_str())) {
        let found = Value::String(unknown.clone());
        return Err(misfit("reward_basis", &found, &crate::names::listed(&known)));
    }
    let has = |name: &str| named.iter().any(|known| known == name);
    let has_calls = criteria.get("actions").is_some_and(Value::is_array);
    let decided = [
        has("DB") && has_calls,
        has("COMMUNICATE") && has_outputs,
        has("ACTION") && has_calls,
        has("ENV_ASSERTION") && has_assertions,
    ];
    let [database, outputs, calls, assertions] = decided;
    let nothing_else = decided == [false; 4];
    let statements = has("NL_ASSERTION") || nothing_else;
    Ok(Basis { database, outputs, calls, assertions, statements })
}

fn read_history(start: &Value) -> Result<Vec<Message>, Misfit> {
    list(start, "message_history")?.iter().map(read_message).collect()
}

fn read_message(item: &Value) -> Result<Message, Misfit> {
    let wrong = || misfit("message_history", item, "messages with role and content or tool_calls");
    let role = item.get("role").and_then(Value::as_str).and_then(Role::from_name);
    let role = role.ok_or_else(wrong)?;
    let text = item.get("content").and_then(Value::as_str).unwrap_or_default();
    let mut message = Message::new(role, text);
    for call in list(item, "tool_calls")? {
        let name = call.get("name").and_then(Value::as_str).ok_or_else(wrong)?;
        let id = call.get("id").and_then(Value::as_str).unwrap_or_default();
        let arguments = call.get("arguments").cloned().unwrap_or_default();
        message.tool_calls.push(ToolCall { id: id.to_owned(), name: name.to_owned(), arguments });
    }
    if role == Role::Tool {
        message.tool_call_id = item.get("id").and_then(Value::as_str).map(str::to_owned);
    }
    Ok(message)
}
