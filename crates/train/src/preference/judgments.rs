//! People's judgments of replies, as Taskmaster-4 has them: a dialogue, a reply, and 1 or 0.
//!
//! A file is a JSON list of `{"conversation_id", "context", "generation", "reward"}` where context and
//! generation are JSON texts of messages with the roles agent, user and api. Calls of the agent and
//! results of the api become text, so that every chat template can show them. The choice a reader may
//! question: every judgment has a conversation id of its own although many judge the same dialogue, so
//! dialogues are told apart by what the user says first, and are held out whole.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use stateset_core::{Message, Purpose, Role, RunSeed, StreamKey};

use super::data::PreferenceData;
use super::dialogue::Chat;
use super::lines::JudgedExample;

/// Characters of an api's result that are kept.
const MAX_RESULT: usize = 240;

/// Judged replies, by the dialogue they belong to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgments {
    /// Under the user's first words.
    pub dialogues: BTreeMap<String, Vec<JudgedExample>>,
}

/// An entry of a file.
#[derive(Deserialize)]
struct Entry {
    context: String,
    generation: String,
    reward: f64,
}

/// Reads a file. Of each dialogue before a reply the last `n_messages` are kept, because what a reply is
/// judged by stands near it and long rows lose their end.
///
/// # Errors
/// Every bad entry, with its number from 1.
pub fn read_judgments(json: &str, n_messages: usize) -> Result<Judgments, Vec<String>> {
    let entries: Vec<Value> = serde_json::from_str(json).map_err(|e| vec![e.to_string()])?;
    let (mut judgments, mut problems) = (Judgments::default(), Vec::new());
    for (index, value) in entries.into_iter().enumerate() {
        match entry(value, n_messages) {
            Ok((dialogue, example)) => {
                judgments.dialogues.entry(dialogue).or_default().push(example);
            }
            Err(problem) => problems.push(format!("entry {}: {problem}", index + 1)),
        }
    }
    if problems.is_empty() { Ok(judgments) } else { Err(problems) }
}

impl Judgments {
    /// Takes in those of another file.
    pub fn add(&mut self, other: Judgments) {
        for (dialogue, examples) in other.dialogues {
            self.dialogues.entry(dialogue).or_default().extend(examples);
        }
    }

    /// Judgments.
    pub fn len(&self) -> usize {
        self.dialogues.values().map(Vec::len).sum()
    }

    /// True without judgments.
    pub fn is_empty(&self) -> bool {
        self.dialogues.is_empty()
    }

    /// What is learned and what is held out: whole dialogues, drawn by the seed until they are `share` of
    /// the judgments.
    pub fn divided(self, share: f64, seed: RunSeed) -> (PreferenceData, PreferenceData) {
        let wanted = (self.len() as f64 * share) as usize;
        let mut dialogues: Vec<Vec<JudgedExample>> = self.dialogues.into_values().collect();
        let key = StreamKey { step: u32::MAX, ..StreamKey::default() };
        seed.stream(Purpose::Shuffle, key).shuffle(&mut dialogues);
        let (mut learned, mut held_out) = (Vec::new(), Vec::new());
        for examples in dialogues {
            let part = if held_out.len() < wanted { &mut held_out } else { &mut learned };
            part.extend(examples);
        }
        (PreferenceData::Judged(learned), PreferenceData::Judged(held_out))
    }
}

fn entry(value: Value, n_messages: usize) -> Result<(String, JudgedExample), String> {
    let entry: Entry = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let desirable = match entry.reward {
        1.0 => true,
        0.0 => false,
        other => return Err(format!("`reward` is {other}, allowed are 0 and 1")),
    };
    let list = |what: &str, text: &str| -> Result<Vec<Message>, String> {
        let values: Value = serde_json::from_str(text).map_err(|e| format!("`{what}`: {e}"))?;
        match values {
            Value::Array(values) => values.iter().map(message).collect(),
            value => Ok(vec![message(&value)?]),
        }
    };
    let context = list("context", &entry.context)?;
    let answer = list("generation", &entry.generation)?;
    let first = context.iter().find(|m| m.role == Role::User);
    let dialogue = first.map_or(String::new(), |m| m.content.trim().to_lowercase());
    let from = context.len().saturating_sub(n_messages);
    let chat = Chat::new(context[from..].to_vec(), answer, Vec::new());
    if !chat.has_answer() {
        return Err("`generation` says nothing".to_owned());
    }
    Ok((dialogue, JudgedExample { chat, desirable }))
}

fn message(value: &Value) -> Result<Message, String> {
    let role = value["role"].as_str().unwrap_or_default();
    let text = value["text"].as_str();
    match (role, text) {
        ("user", Some(text)) => Ok(Message::user(text)),
        ("agent", Some(text)) => Ok(Message::assistant(text)),
        ("agent", None) if value["api"].is_object() => {
            Ok(Message::assistant(format!("call {}", plain(&value["api"]))))
        }
        ("api", _) => {
            let result: String = plain(&value["response"]).chars().take(MAX_RESULT).collect();
            Ok(Message::new(Role::Tool, result))
        }
        _ => Err(format!("a message with the role {role:?} has neither a text nor a call")),
    }
}

/// A value in words: JSON without its quotes and braces.
fn plain(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| match value {
                Value::Object(_) => format!("{name} {}", plain(value)),
                _ => format!("{}: {}", name.replace('_', " "), plain(value)),
            };
            fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join("; "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"[
        {"conversation_id": "a", "context": "[{\"role\": \"agent\", \"text\": \"Hello\"}, {\"role\": \"user\", \"text\": \"a Latte\"}, {\"role\": \"agent\", \"api\": {\"get_menu\": {\"query\": \"latte\"}}}, {\"role\": \"api\", \"response\": {\"get_menu\": {\"items\": [{\"name\": \"Latte\"}]}}}]", "generation": "{\"role\": \"agent\", \"text\": \"What size?\"}", "reward": 1.0},
        {"conversation_id": "b", "context": "[{\"role\": \"user\", \"text\": \"A latte\"}]", "generation": "{\"role\": \"agent\", \"api\": {\"get_menu\": {\"query\": \"tea\"}}}", "reward": 0.0}
    ]"#;

    #[test]
    fn judgments_of_one_dialogue_stay_together() {
        let judgments = read_judgments(FILE, 3).unwrap();
        assert_eq!((judgments.len(), judgments.dialogues.len()), (2, 1));
        let examples = &judgments.dialogues["a latte"];
        assert!(examples[0].desirable && !examples[1].desirable);
        let said: Vec<&str> =
            examples[0].chat.messages.iter().map(|m| m.content.as_str()).collect();
        assert_eq!(
            said,
            ["a Latte", "call get_menu query: latte", "get_menu items: name: Latte", "What size?"]
        );
        let (learned, held_out) = judgments.divided(0.5, RunSeed(1));
        assert_eq!((learned.len(), held_out.len()), (0, 2));
    }

    #[test]
    fn every_bad_entry_is_named() {
        let bad = FILE.replace("1.0", "0.5").replace(
            "\\\"api\\\": {\\\"get_menu\\\": {\\\"query\\\": \\\"tea\\\"}}",
            "\\\"x\\\": 1",
        );
        let problems = read_judgments(&bad, 3).unwrap_err();
        assert!(problems[0].starts_with("entry 1:") && problems[0].contains("0.5"), "{problems:?}");
        assert!(problems[1].starts_with("entry 2:"), "{problems:?}");
        assert!(read_judgments("{", 3).is_err());
    }
}
