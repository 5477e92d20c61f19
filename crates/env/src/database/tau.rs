//! The retail benchmark of tau-bench: its files as they are, its tools in Rust ([`super::retail`]).
//!
//! A folder holds `retail_tools_openai_schema.json`, `wiki.md`, `db/{orders,products,users}.json` and any of
//! `retail_tasks_{train,dev,test}.json`. A task's id is its file and place: `train-12`, `dev-3`.
//!
//! Source: Yao et al. 2024, "tau-bench: A Benchmark for Tool-Agent-User Interaction in Real-World Domains",
//! section 3: reward 1 where the final database is that of the annotated actions and every annotated output
//! occurs in what the agent said.

use std::path::Path;

use serde_json::{Map, Value};

use super::domain::{DatabaseDomain, Parts};
use super::files::{TextFile, kept};
use super::retail::retail_functions;
use super::rows::Database;
use super::task::{DatabaseTask, ExpectedCall};
use super::tools_file::read_tools;
use crate::error::{EnvError, Problem};
use crate::fields::{Fields, kind_of};

/// The tool after which a person takes over.
const HAND_OVER: &str = "transfer_to_human_agents";

/// The files of the benchmark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TauFiles {
    /// The rules.
    pub policy: String,
    /// Tools, as OpenAI function objects.
    pub tools: TextFile,
    /// Each table's name and file.
    pub tables: Vec<(String, TextFile)>,
    /// Names for the ids of tasks, such as `train`, and the files of tasks.
    pub tasks: Vec<(String, TextFile)>,
}

/// Reads the retail domain.
///
/// # Errors
/// [`EnvError::TooLarge`], or [`EnvError::Entries`] with everything that does not fit.
pub fn tau_retail_from_files(files: &TauFiles) -> Result<DatabaseDomain, EnvError> {
    let mut problems = Vec::new();
    let mut tables = Map::new();
    for (name, file) in &files.tables {
        tables.insert(name.clone(), Value::Object(file.object()?));
    }
    let database = kept(Database::new(tables, "database"), &mut problems);
    let mut items = files.tools.list()?;
    for item in &mut items {
        let is_end = item.pointer("/function/name").is_some_and(|name| name == HAND_OVER);
        if let Some(object) = item.as_object_mut().filter(|_| is_end) {
            object.insert("ends".to_owned(), true.into());
        }
    }
    let functions = retail_functions();
    let tools = read_tools(&files.tools.name, &items, &database.tables(), &functions);
    let tools = kept(tools, &mut problems);
    let mut tasks = Vec::new();
    for (split, file) in &files.tasks {
        for (index, item) in file.list()?.iter().enumerate() {
            let place = format!("{} entry {index}", file.name);
            match read_task(&place, item, format!("{split}-{index}")) {
                Ok(task) => tasks.push((place, task)),
                Err(found) => problems.extend(found),
            }
        }
    }
    if !problems.is_empty() {
        return Err(EnvError::Entries { name: "tau-retail".to_owned(), problems });
    }
    let policy = files.policy.clone();
    DatabaseDomain::new(Parts {
        name: "tau-retail".to_owned(),
        policy,
        tools,
        database,
        tasks,
        ..Parts::default()
    })
}

/// Reads the retail domain from its folder.
///
/// # Errors
/// [`EnvError::Read`], or as [`tau_retail_from_files`].
pub fn load_tau_retail(folder: &Path) -> Result<DatabaseDomain, EnvError> {
    let table = |name: &str| -> Result<(String, TextFile), EnvError> {
        Ok((name.to_owned(), TextFile::read(folder, &format!("db/{name}.json"))?))
    };
    let mut tasks = Vec::new();
    for split in ["train", "dev", "test"] {
        let name = format!("retail_tasks_{split}.json");
        if folder.join(&name).is_file() {
            tasks.push((split.to_owned(), TextFile::read(folder, &name)?));
        }
    }
    tau_retail_from_files(&TauFiles {
        policy: TextFile::read(folder, "wiki.md")?.text()?,
        tools: TextFile::read(folder, "retail_tools_openai_schema.json")?,
        tables: vec![table("orders")?, table("products")?, table("users")?],
        tasks,
    })
}

const KEYS: &[&str] = &["annotator", "user_id", "instruction", "actions", "outputs"];
const MAX_CHARS: usize = 100_000;

fn read_task(place: &str, item: &Value, id: String) -> Result<DatabaseTask, Vec<Problem>> {
    let empty = Map::new();
    let mut fields = Fields::new(place, item.as_object().unwrap_or(&empty), KEYS);
    let instruction = fields.text("instruction", MAX_CHARS).unwrap_or_default();
    if instruction.is_empty() {
        fields.problem("instruction", kind_of(item), "an object with an instruction");
    }
    let outputs = fields.texts("outputs", 1000, MAX_CHARS);
    let mut calls = Vec::new();
    let actions = fields.value("actions").cloned().unwrap_or_default();
    for (index, action) in actions.as_array().into_iter().flatten().enumerate() {
        match (action.get("name").and_then(Value::as_str), action.get("kwargs")) {
            (Some(name), Some(arguments)) => {
                calls.push(ExpectedCall::new(name, arguments.clone()));
            }
            _ => {
                let key = format!("actions[{index}]");
                fields.problem(&key, action.to_string(), "an object with name and kwargs");
            }
        }
    }
    if !actions.is_array() {
        fields.problem("actions", kind_of(&actions), "a list of calls");
    }
    let problems = fields.into_problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    let topic = calls.first().map(|call| call.name.clone()).unwrap_or_default();
    Ok(DatabaseTask { topic, calls, outputs, ..DatabaseTask::new(id, instruction) })
}
