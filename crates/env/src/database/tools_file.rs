//! Lists of tools: OpenAI function objects, with what each of them does.
//!
//! ```json
//! {"type": "function",
//!  "function": {"name": "get_order", "description": "Look an order up.",
//!               "parameters": {"type": "object", "properties": {"order": {"type": "string"}}}},
//!  "steps": [{"op": "get", "table": "orders", "key": "$order"}]}
//! ```
//!
//! `ends: true` marks a tool that ends the conversation, `by_user: true` one of the user's own. A tool with
//! neither steps nor a Rust function of its name is refused: it would do nothing and look as if it did.

use serde_json::{Map, Value};
use stateset_core::ToolSpec;

use super::declared::read_steps;
use super::tool::{DatabaseTool, Operation, ToolFunction, Toolbox};
use crate::error::Problem;
use crate::fields::{Fields, kind_of};

const KEYS: &[&str] = &["type", "function", "steps", "ends", "by_user"];
const FUNCTION_KEYS: &[&str] = &["name", "description", "parameters", "strict"];
const MAX_NAME_CHARS: usize = 200;
const MAX_TEXT_CHARS: usize = 20_000;

/// Reads a list of tools found in the file `name`.
pub(crate) fn read_tools(
    name: &str,
    items: &[Value],
    tables: &[&str],
    functions: &[(&str, ToolFunction)],
) -> Result<Toolbox, Vec<Problem>> {
    let (mut tools, mut problems) = (Toolbox::default(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        let place = format!("{name} entry {index}");
        match read_tool(&place, item, tables, functions) {
            Ok(tool) => problems.extend(tools.add(&place, tool).err()),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(tools) } else { Err(problems) }
}

fn read_tool(
    place: &str,
    item: &Value,
    tables: &[&str],
    functions: &[(&str, ToolFunction)],
) -> Result<DatabaseTool, Vec<Problem>> {
    let empty = Map::new();
    let object = item.as_object().unwrap_or(&empty);
    let mut fields = Fields::new(place, object, KEYS);
    if fields.value("type").is_some_and(|kind| kind != "function") {
        fields.problem("type", object["type"].to_string(), "\"function\"");
    }
    let Some(function) = fields.object("function") else {
        if fields.value("function").is_none() {
            let found = if item.is_object() { "nothing" } else { kind_of(item) };
            fields.problem("function", found, "an object with name, description and parameters");
        }
        return Err(fields.into_problems());
    };
    let spec = read_spec(place, &mut fields, function);
    let ends_episode = flag(&mut fields, "ends");
    let is_users = flag(&mut fields, "by_user");
    let operation = match (fields.value("steps"), &spec) {
        (Some(steps), Some(spec)) => {
            let properties = spec.parameters.get("properties").and_then(Value::as_object);
            let names: Vec<String> =
                properties.into_iter().flat_map(|names| names.keys().cloned()).collect();
            match read_steps(place, steps, &names, tables) {
                Ok(steps) => Some(Operation::Steps(steps)),
                Err(found) => {
                    fields.extend(found);
                    None
                }
            }
        }
        (None, Some(spec)) => {
            let function = functions.iter().find(|(name, _)| *name == spec.name);
            if function.is_none() {
                let found = format!("nothing that {:?} does", spec.name);
                fields.problem("steps", found, "steps, or a function in Rust of this name");
            }
            function.map(|(_, function)| Operation::Function(function.clone()))
        }
        (_, None) => None,
    };
    let mut problems = fields.into_problems();
    let tool =
        spec.zip(operation).map(|(spec, operation)| DatabaseTool::new(place, spec, operation));
    match tool {
        Some(Ok(tool)) if problems.is_empty() => {
            Ok(DatabaseTool { ends_episode, is_users, ..tool })
        }
        Some(Err(problem)) => {
            problems.push(problem);
            Err(problems)
        }
        _ => Err(problems),
    }
}

fn read_spec(
    place: &str,
    fields: &mut Fields<'_>,
    object: &Map<String, Value>,
) -> Option<ToolSpec> {
    let mut function = Fields::nested(place, "function.".to_owned(), object, FUNCTION_KEYS);
    let name = function.text("name", MAX_NAME_CHARS).unwrap_or_default();
    if name.trim().is_empty() {
        function.problem("name", "nothing", "the tool's name");
    }
    let description = function.text("description", MAX_TEXT_CHARS).unwrap_or_default();
    let no_arguments = || serde_json::json!({"type": "object", "properties": {}});
    let parameters = function.value("parameters").cloned().unwrap_or_else(no_arguments);
    fields.extend(function.into_problems());
    (!name.trim().is_empty()).then_some(ToolSpec { name, description, parameters })
}

fn flag(fields: &mut Fields<'_>, key: &str) -> bool {
    let Some(value) = fields.value(key) else { return false };
    value.as_bool().unwrap_or_else(|| {
        fields.problem(key, kind_of(value), "true or false");
        false
    })
}
