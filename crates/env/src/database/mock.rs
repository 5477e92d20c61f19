//! The tools of the domain of to-do items: declared, as a domain's file would declare them.
//!
//! The agent makes tasks and sets their state, the user has an inbox of notifications. Assertions are Rust:
//! a declared tool cannot answer true or false.

use std::sync::Arc;

use serde_json::{Value, json};
use stateset_core::ToolSpec;

use super::rows::Database;
use super::tool::{Arguments, DatabaseTool, Operation, ToolFunction, Toolbox};
use super::tools_file::read_tools;
use crate::error::Problem;

/// Tools of agent and user.
pub(crate) fn mock_tools(tables: &[&str]) -> Result<Toolbox, Vec<Problem>> {
    let transfer: ToolFunction = Arc::new(|_, _| Ok("Transfer successful".into()));
    let items = [
        tool(
            "create_task",
            "Make a task for a user.",
            &["user_id", "title"],
            &["description"],
            json!([
            {"op": "get", "table": "users", "key": "$user_id"},
            {"op": "insert", "table": "tasks", "key": "task_#", "set": {
                "task_id": "#", "title": "$title", "description": "$description", "status": "pending"}},
            {"op": "update", "table": "users", "key": "$user_id", "push": {"tasks": "$tasks.task_id"}},
            {"op": "get", "table": "tasks", "key": "$tasks.task_id"}]),
        ),
        tool("get_users", "List the users.", &[], &[], json!([{"op": "filter", "table": "users"}])),
        with_states(tool(
            "update_task_status",
            "Set the state of a task.",
            &["task_id", "status"],
            &[],
            json!([{"op": "update", "table": "tasks", "key": "$task_id", "set": {"status": "$status"}}]),
        )),
        with(
            tool(
                "transfer_to_human_agents",
                "Hand the user over to a person, with a summary of the issue.",
                &["summary"],
                &[],
                Value::Null,
            ),
            "ends",
        ),
        with(
            tool(
                "check_notifications",
                "List the notifications of the inbox.",
                &[],
                &[],
                json!([{"op": "filter", "table": "notifications"}]),
            ),
            "by_user",
        ),
        with(
            tool(
                "dismiss_notification",
                "Mark a notification as read.",
                &["notification_id"],
                &[],
                json!([
            {"op": "update", "table": "notifications", "key": "$notification_id",
             "set": {"status": "read"}}]),
            ),
            "by_user",
        ),
    ];
    read_tools("built-in tools", &items, tables, &[("transfer_to_human_agents", transfer)])
}

/// What beginnings and assertions use.
pub(crate) fn mock_checks() -> Result<Toolbox, Vec<Problem>> {
    let mut checks = Toolbox::default();
    let mut add = |name: &str, is_users: bool, function: ToolFunction| {
        let spec = ToolSpec {
            name: name.to_owned(),
            description: String::new(),
            parameters: json!({"type": "object"}),
        };
        let tool = DatabaseTool::new("built-in checks", spec, Operation::Function(function))?;
        checks.add("built-in checks", DatabaseTool { is_users, ..tool })
    };
    let is = |table: &'static str, key: &'static str| -> ToolFunction {
        Arc::new(move |database: &mut Database, arguments: &Arguments| {
            let row = database.row(table, text(arguments, key));
            let status = row.and_then(|row| row.get("status"));
            Ok((status.is_some() && status == arguments.get("expected_status")).into())
        })
    };
    let note: ToolFunction = Arc::new(|database, arguments| {
        let mut row = Value::Object(arguments.clone());
        row["status"] = "unread".into();
        database.put("notifications", text(arguments, "notification_id"), row.clone());
        Ok(row)
    });
    let result = add("assert_task_status", false, is("tasks", "task_id"))
        .and_then(|()| {
            add("assert_notification_status", true, is("notifications", "notification_id"))
        })
        .and_then(|()| add("add_notification", true, note));
    match result {
        Ok(()) => Ok(checks),
        Err(problem) => Err(vec![problem]),
    }
}

fn text<'a>(arguments: &'a Arguments, key: &str) -> &'a str {
    arguments.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn tool(name: &str, about: &str, needed: &[&str], more: &[&str], steps: Value) -> Value {
    let properties: serde_json::Map<String, Value> = needed
        .iter()
        .chain(more)
        .map(|key| ((*key).to_owned(), json!({"type": "string"})))
        .collect();
    let mut tool = json!({"type": "function", "function": {
        "name": name, "description": about,
        "parameters": {"type": "object", "properties": properties, "required": needed}}});
    if !steps.is_null() {
        tool["steps"] = steps;
    }
    tool
}

fn with(mut tool: Value, mark: &str) -> Value {
    tool[mark] = true.into();
    tool
}

fn with_states(mut tool: Value) -> Value {
    tool["function"]["parameters"]["properties"]["status"]["enum"] =
        json!(["pending", "completed"]);
    tool
}
