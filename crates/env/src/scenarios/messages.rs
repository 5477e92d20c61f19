//! Messages inside scenarios and prompts, in OpenAI's chat layout.

use serde_json::Value;
use stateset_core::{Message, MessageRecord};

use super::scenario::{MAX_LINES, MAX_TEXT_CHARS};
use crate::fields::{Fields, kind_of};

const KEYS: &[&str] =
    &["role", "content", "reasoning_content", "tool_calls", "tool_call_id", "name"];

/// The messages under `key`; what is wrong with them goes to `fields`.
pub(super) fn read_messages(fields: &mut Fields<'_>, key: &str) -> Vec<Message> {
    let Some(value) = fields.value(key) else { return Vec::new() };
    let Some(items) = value.as_array() else {
        fields.problem(key, kind_of(value), "a list of messages");
        return Vec::new();
    };
    if items.len() > MAX_LINES {
        fields.problem(key, format!("{} messages", items.len()), format!("at most {MAX_LINES}"));
        return Vec::new();
    }
    let mut messages = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        match read_message(item) {
            Ok(message) => messages.push(message),
            Err(found) => {
                let allowed = "a message with role and content";
                fields.problem(&format!("{key}[{index}]"), found, allowed);
            }
        }
    }
    messages
}

fn read_message(item: &Value) -> Result<Message, String> {
    let object = item.as_object().ok_or_else(|| kind_of(item).to_owned())?;
    if let Some(problem) = Fields::new("", object, KEYS).into_problems().into_iter().next() {
        let hint = problem.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        return Err(format!("the unknown key `{}`{hint}", problem.key));
    }
    let record: MessageRecord =
        serde_json::from_value(item.clone()).map_err(|error| error.to_string())?;
    let message = Message::try_from(record).map_err(|error| error.to_string())?;
    match message.content.chars().count() {
        n if n > MAX_TEXT_CHARS => Err(format!("{n} characters, more than {MAX_TEXT_CHARS}")),
        0 if message.tool_calls.is_empty() && message.images.is_empty() => {
            Err("neither content nor tool_calls".to_owned())
        }
        _ => Ok(message),
    }
}
