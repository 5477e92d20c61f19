//! One entry of a scenario file becomes a [`Scenario`].
//!
//! | key | what |
//! |---|---|
//! | `id` | unique in its set; made of the file's name and the entry's number where left out |
//! | `topic`, `context`, `system_prompt` | texts |
//! | `user_responses` | what a scripted user says, in order |
//! | `customer` | a simulated user: [`crate::customer::CustomerSpec`], [`crate::agenda::AgendaSpec`] or [`crate::pupil::PupilSpec`], by its `kind` |
//! | `messages` | messages before the agent's first turn, in OpenAI's layout |
//! | `prompt` | short for one user message |
//! | `expected` or `answer` | the reference answer |
//! | `metadata` | an object; `task_id` and `difficulty` may stand beside it and are put into it |
//!
//! An entry needs somebody who speaks first: a customer, a line of a script, or a last message of the
//! user; and not both a customer and a script.

use serde_json::{Map, Value};
use stateset_core::{Message, MessageRecord, Role, Scenario};

use super::entries::Entry;
use super::messages::read_messages;
use crate::conversation::UserSpec;
use crate::error::Problem;
use crate::fields::Fields;

/// Longest text of a scenario, in characters.
pub const MAX_TEXT_CHARS: usize = 100_000;
/// Most lines of a script, and most messages, in one scenario.
pub const MAX_LINES: usize = 1_000;
/// Longest id and topic, in characters.
const MAX_NAME_CHARS: usize = 200;

const KEYS: &[&str] = &[
    "id",
    "topic",
    "context",
    "system_prompt",
    "user_responses",
    "messages",
    "prompt",
    "expected",
    "answer",
    "customer",
    "metadata",
    "task_id",
    "difficulty",
];

/// The scenario of an entry, called `default_id` where it has no id of its own.
pub(super) fn read_scenario(entry: &Entry, default_id: &str) -> Result<Scenario, Vec<Problem>> {
    let mut fields = Fields::new(&entry.place, &entry.object, KEYS);
    let scenario = Scenario {
        id: read_id(&mut fields, default_id),
        topic: fields.text("topic", MAX_NAME_CHARS).unwrap_or_default(),
        context: fields.text("context", MAX_TEXT_CHARS).unwrap_or_default(),
        system_prompt: fields.text("system_prompt", MAX_TEXT_CHARS),
        user_responses: fields.texts("user_responses", MAX_LINES, MAX_TEXT_CHARS),
        messages: read_opening(&mut fields),
        expected: read_expected(&mut fields),
        customer: read_customer(&mut fields, &entry.place),
        metadata: read_metadata(&mut fields),
    };
    check_speaker(&mut fields, &scenario);
    let problems = fields.into_problems();
    if problems.is_empty() { Ok(scenario) } else { Err(problems) }
}

/// The entry that [`read_scenario`] reads as `scenario`; what is empty is left out.
pub fn scenario_to_object(scenario: &Scenario) -> Map<String, Value> {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| {
        let is_empty = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        };
        if !is_empty {
            object.insert(key.to_owned(), value);
        }
    };
    let messages = scenario.messages.iter().map(MessageRecord::from);
    put("id", scenario.id.clone().into());
    put("topic", scenario.topic.clone().into());
    put("context", scenario.context.clone().into());
    put("system_prompt", scenario.system_prompt.clone().into());
    put("user_responses", scenario.user_responses.clone().into());
    put("messages", messages.filter_map(|m| serde_json::to_value(m).ok()).collect());
    put("expected", scenario.expected.clone().into());
    put("customer", scenario.customer.clone().unwrap_or(Value::Null));
    put("metadata", scenario.metadata.clone().into());
    object
}

/// The id of an entry, or `default_id`.
pub(super) fn read_id(fields: &mut Fields<'_>, default_id: &str) -> String {
    let id = fields.text("id", MAX_NAME_CHARS);
    if id.as_ref().is_some_and(|id| id.trim().is_empty()) {
        fields.problem("id", "an empty text", "a text, or no id at all");
    }
    id.unwrap_or_else(|| default_id.to_owned())
}

/// The messages, or the one that `prompt` is short for.
pub(super) fn read_opening(fields: &mut Fields<'_>) -> Vec<Message> {
    let messages = read_messages(fields, "messages");
    let Some(prompt) = fields.text("prompt", MAX_TEXT_CHARS) else { return messages };
    if fields.value("messages").is_some() {
        fields.problem("prompt", "both prompt and messages", "one of them");
    }
    if prompt.trim().is_empty() {
        fields.problem("prompt", "an empty text", "a text");
    }
    vec![Message::user(prompt)]
}

/// The reference answer under either of its names.
pub(super) fn read_expected(fields: &mut Fields<'_>) -> Option<String> {
    let expected = fields.text_or_number("expected", MAX_TEXT_CHARS);
    let answer = fields.text_or_number("answer", MAX_TEXT_CHARS);
    if expected.is_some() && answer.is_some() {
        fields.problem("answer", "both expected and answer", "one of them");
    }
    expected.or(answer)
}

fn read_customer(fields: &mut Fields<'_>, place: &str) -> Option<Value> {
    let customer = fields.value("customer")?;
    match UserSpec::check(customer, place, "customer.".to_owned()) {
        Ok(spec) => return Some(spec.to_value()),
        Err(problems) => fields.extend(problems),
    }
    // The problems are noted; that there is a customer still answers who speaks first.
    Some(Value::Null)
}

fn read_metadata(fields: &mut Fields<'_>) -> Map<String, Value> {
    let mut metadata = fields.object("metadata").cloned().unwrap_or_default();
    for key in ["task_id", "difficulty"] {
        let Some(value) = fields.value(key) else { continue };
        if metadata.insert(key.to_owned(), value.clone()).is_some() {
            fields.problem(key, "the key here and in metadata", "one of them");
        }
    }
    metadata
}

fn check_speaker(fields: &mut Fields<'_>, scenario: &Scenario) {
    let has_script = fields.value("user_responses").is_some();
    let is_empty_list = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    let speaks_last = scenario.messages.last().is_some_and(|last| last.role == Role::User);
    if scenario.customer.is_some() && speaks_last {
        let key = if fields.value("prompt").is_some() { "prompt" } else { "messages" };
        fields.problem(key, "last words of the user", "none, because the customer speaks first");
    }
    if scenario.customer.is_some() && has_script {
        fields.problem("user_responses", "both a customer and a script", "one of them");
    } else if fields.value("user_responses").is_some_and(is_empty_list) {
        fields.problem("user_responses", "an empty list", "one line or more");
    } else if scenario.customer.is_none() && !has_script && !ends_with_user(fields, scenario) {
        fields.problem(
            "user_responses",
            "nobody who speaks first",
            "user_responses, a customer, or messages that end with the user's",
        );
    }
}

/// True also where messages were given but could not be read, which is reported already.
fn ends_with_user(fields: &Fields<'_>, scenario: &Scenario) -> bool {
    let unread = scenario.messages.is_empty()
        && (fields
            .value("messages")
            .is_some_and(|value| !value.as_array().is_some_and(Vec::is_empty))
            || fields.value("prompt").is_some());
    unread || scenario.messages.last().is_some_and(|message| message.role == Role::User)
}
