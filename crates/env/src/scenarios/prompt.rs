//! One entry of a prompt file becomes a [`Scenario`] for [`crate::prompts::PromptEnvironment`].
//!
//! Keys: `prompt` (or `question`: one user message) or `messages`; `answer` (or `expected`), `id`; and
//! how the answer is checked: `check`, `choices`, `answers`, `pattern`, `schema`, see
//! [`crate::prompts::Check`]. What cannot be checked is a problem of the file.

use serde_json::{Map, Value};
use stateset_core::{Role, Scenario};

use super::entries::Entry;
use super::scenario::{read_expected, read_id, read_opening};
use crate::error::Problem;
use crate::fields::Fields;
use crate::prompts::Check;

const CHECK_KEYS: [&str; 5] = ["check", "choices", "answers", "pattern", "schema"];
const KEYS: &[&str] = &[
    "prompt", "question", "messages", "answer", "expected", "id", "check", "choices", "answers",
    "pattern", "schema",
];

/// The scenario of an entry, called `default_id` where it has no id of its own.
pub(super) fn read_prompt(entry: &Entry, default_id: &str) -> Result<Scenario, Vec<Problem>> {
    let object = with_prompt(&entry.object);
    let mut fields = Fields::new(&entry.place, &object, KEYS);
    let checked = CHECK_KEYS.iter().filter_map(|key| Some(((*key).to_owned(), fields.value(key)?)));
    let metadata = checked.map(|(key, value)| (key, value.clone())).collect();
    let mut scenario = Scenario {
        metadata,
        messages: read_opening(&mut fields),
        expected: None,
        ..Scenario::new(read_id(&mut fields, default_id))
    };
    scenario.expected = read_answer(&mut fields);
    if let Err(problem) = Check::of(&scenario) {
        let (found, allowed) = (problem.found, problem.allowed);
        fields.problem_with_hint(problem.key, found, allowed, problem.hint);
    }
    if fields.value("question").is_some() {
        fields.problem("question", "both prompt and question", "one of them");
    }
    let has_opening = fields.value("prompt").is_some() || fields.value("messages").is_some();
    let last = scenario.messages.last().map(|message| message.role);
    if !has_opening
        || fields.value("messages").is_some_and(|list| list.as_array().is_some_and(Vec::is_empty))
    {
        fields.problem("prompt", "nothing to answer", "a prompt, or a list of messages");
    } else if matches!(last, Some(Role::Assistant | Role::System)) {
        fields.problem(
            "messages",
            "a last message of nobody who asks",
            "one of the user or a tool",
        );
    }
    let problems = fields.into_problems();
    if problems.is_empty() { Ok(scenario) } else { Err(problems) }
}

/// `question`, as many data sets say, is another name of `prompt`.
fn with_prompt(object: &Map<String, Value>) -> Map<String, Value> {
    let mut object = object.clone();
    if !object.contains_key("prompt")
        && let Some(question) = object.remove("question")
    {
        object.insert("prompt".to_owned(), question);
    }
    object
}

/// The answer; beside a schema it may be any JSON.
fn read_answer(fields: &mut Fields<'_>) -> Option<String> {
    let is_json = |value: &Value| value.is_object() || value.is_array() || value.is_boolean();
    match fields.value("answer").filter(|value| is_json(value)) {
        Some(value) if fields.value("schema").is_some() => Some(value.to_string()),
        _ => read_expected(fields),
    }
}
