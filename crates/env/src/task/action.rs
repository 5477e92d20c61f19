//! One required action: something the agent has to say it does, or has to do with a tool.

use serde_json::{Map, Value, json};

use crate::error::{EnvError, Problem};
use crate::fields::{Fields, kind_of};
use crate::text::words;

/// What the agent has to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequiredAction {
    /// Its name.
    pub name: String,
    /// It counts as done when a turn of the agent uses one of these words; in lower case.
    pub keywords: Vec<String>,
    /// It counts as done when this tool was called and worked.
    pub tool: Option<String>,
}

const KEYS: &[&str] = &["name", "keywords", "tool"];
const MAX_ITEMS: usize = 100;
const MAX_CHARS: usize = 200;

impl RequiredAction {
    /// An action that is known by words.
    pub fn said(name: impl Into<String>, keywords: &[&str]) -> RequiredAction {
        let keywords = keywords.iter().map(|word| word.to_lowercase()).collect();
        RequiredAction { name: name.into(), keywords, tool: None }
    }

    /// An action that is done with the tool of this name.
    pub fn called(name: impl Into<String>, tool: impl Into<String>) -> RequiredAction {
        RequiredAction { name: name.into(), keywords: Vec::new(), tool: Some(tool.into()) }
    }

    /// True where a turn with these words does it.
    pub(super) fn is_said(&self, text: &str) -> bool {
        let said = words(text);
        self.keywords.iter().any(|keyword| {
            let wanted = words(keyword);
            !wanted.is_empty() && said.windows(wanted.len()).any(|some| some == wanted)
        })
    }

    /// The object that [`read_required_actions`] reads.
    pub fn to_value(&self) -> Value {
        let mut object = json!({"name": self.name, "keywords": self.keywords});
        if let Some(tool) = &self.tool {
            object["tool"] = tool.clone().into();
        }
        object
    }
}

/// Reads a list of required actions: objects with `name` and `keywords` or `tool`, or plain names of tools.
///
/// # Errors
/// [`EnvError::Entries`] with everything that does not fit.
pub fn read_required_actions(value: &Value) -> Result<Vec<RequiredAction>, EnvError> {
    let refused = |problems| EnvError::Entries { name: "required actions".to_owned(), problems };
    let (mut actions, mut problems): (Vec<RequiredAction>, Vec<Problem>) = Default::default();
    let empty = Map::new();
    let items = value.as_array().filter(|items| !items.is_empty() && items.len() <= MAX_ITEMS);
    let Some(items) = items else {
        let mut fields = Fields::new("required_actions", &empty, KEYS);
        let allowed = format!("a list of 1 to {MAX_ITEMS} actions");
        fields.problem("", kind_of(value), allowed);
        return Err(refused(fields.into_problems()));
    };
    for (index, item) in items.iter().enumerate() {
        if let Some(name) = item.as_str() {
            actions.push(RequiredAction::called(name, name));
            continue;
        }
        let place = format!("required_actions[{index}]");
        let mut fields = Fields::new(&place, item.as_object().unwrap_or(&empty), KEYS);
        let name = fields.text("name", MAX_CHARS).unwrap_or_default();
        let keywords = fields.texts("keywords", MAX_ITEMS, MAX_CHARS);
        let keywords: Vec<String> = keywords.iter().map(|word| word.to_lowercase()).collect();
        let tool = fields.text("tool", MAX_CHARS);
        if name.is_empty() || (keywords.is_empty() && tool.is_none()) {
            fields.problem("", kind_of(item), "an action with a name, and keywords or a tool");
        }
        if actions.iter().any(|known| known.name == name) {
            fields.problem("name", format!("{name:?} again"), "a name that no other action has");
        }
        problems.extend(fields.into_problems());
        actions.push(RequiredAction { name, keywords, tool });
    }
    if problems.is_empty() { Ok(actions) } else { Err(refused(problems)) }
}
