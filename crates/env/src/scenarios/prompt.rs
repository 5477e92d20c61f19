//! One entry of a prompt file becomes a [`Scenario`] for [`crate::prompts::PromptEnvironment`].
//!
//! Keys: `prompt` (one user message) or `messages`; `answer` (or `expected`), `id`.

use stateset_core::{Role, Scenario};

use super::entries::Entry;
use super::scenario::{read_expected, read_id, read_opening};
use crate::error::Problem;
use crate::fields::Fields;

const KEYS: &[&str] = &["prompt", "messages", "answer", "expected", "id"];

/// The scenario of an entry, called `default_id` where it has no id of its own.
pub(super) fn read_prompt(entry: &Entry, default_id: &str) -> Result<Scenario, Vec<Problem>> {
    let mut fields = Fields::new(&entry.place, &entry.object, KEYS);
    let scenario = Scenario {
        messages: read_opening(&mut fields),
        expected: read_expected(&mut fields),
        ..Scenario::new(read_id(&mut fields, default_id))
    };
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
