//! Honest replies: the committed ones, and real agents' turns where the data is at hand.

use std::path::PathBuf;

use serde_json::{Value, json};
use stateset_core::{ConversationTurn, Message, Scenario, ToolCall, Trajectory};

/// A conversation up to the agent's last line, and that line.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) domain: String,
    pub(crate) scenario: Scenario,
    before: Vec<ConversationTurn>,
    pub(crate) reply: String,
}

impl Exchange {
    /// The conversation with `reply` as its last line.
    pub(crate) fn with_reply(&self, reply: &str) -> Trajectory {
        let mut turns = self.before.clone();
        turns.push(ConversationTurn::new(Message::assistant(reply)));
        Trajectory { turns, ..Trajectory::default() }
    }

    /// The conversation before the reply as a prompt.
    pub(crate) fn asked(&self) -> Scenario {
        let messages = self.before.iter().map(|turn| turn.message.clone()).collect();
        Scenario { messages, ..self.scenario.clone() }
    }

    /// True where the agent has not spoken before, so that all that is earned is the reply's.
    pub(crate) fn is_single(&self) -> bool {
        let is_text = |turn: &ConversationTurn| !turn.message.content.is_empty();
        let mut agent = self.before.iter().filter(|turn| turn.message.role.as_str() == "assistant");
        !agent.any(is_text)
    }

    /// What the user said last.
    pub(crate) fn user(&self) -> &str {
        let trajectory_users = self.before.iter().rev();
        let mut users = trajectory_users.filter(|turn| turn.message.role.as_str() == "user");
        users.next().map_or("", |turn| &turn.message.content)
    }
}

/// The committed replies.
pub(crate) fn honest() -> Vec<Exchange> {
    let lines = include_str!("../../../../tests/honest/replies.jsonl").lines();
    lines.map(|line| exchange(&serde_json::from_str(line).expect("JSON"))).collect()
}

fn exchange(entry: &Value) -> Exchange {
    let lines: Vec<&str> =
        entry["lines"].as_array().expect("lines").iter().filter_map(Value::as_str).collect();
    let (reply, before) = lines.split_last().expect("a reply");
    let mut scenario = Scenario::new(entry["id"].as_str().expect("an id"));
    scenario.expected = entry["expected"].as_str().map(str::to_owned);
    scenario.metadata = entry["metadata"].as_object().cloned().unwrap_or_default();
    if let Some(answer) = entry["metadata"]["ground_truth"]["answer"].as_str() {
        scenario.metadata.insert("goal_keywords".to_owned(), json!([answer]));
    }
    let said = before.iter().enumerate().map(|(index, line)| {
        if index % 2 == 0 { Message::user(*line) } else { Message::assistant(*line) }
    });
    let mut before: Vec<ConversationTurn> = said.map(ConversationTurn::new).collect();
    for (index, call) in entry["calls"].as_array().into_iter().flatten().enumerate() {
        let name = call["name"].as_str().expect("a name").to_owned();
        let made =
            ToolCall { id: format!("call-{index}"), name, arguments: call["arguments"].clone() };
        let asks = Message { tool_calls: vec![made.clone()], ..Message::assistant("") };
        let result = Message::tool_result(&made, call["result"].as_str().expect("a result"));
        before.extend([asks, result].map(ConversationTurn::new));
    }
    let domain = entry["domain"].as_str().expect("a domain").to_owned();
    Exchange { domain, scenario, before, reply: (*reply).to_owned() }
}

/// Real agents' turns with what the user said before; none where the data is absent.
pub(crate) fn real() -> Vec<Exchange> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("STATESET_TEST_DATA").map_or_else(beside, PathBuf::from);
    let files = (0..4).map(|index| root.join(format!("taskmaster-4/data/data_0{index}.json")));
    let read = |path: PathBuf| -> Option<Value> {
        serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
    };
    files.filter_map(read).flat_map(|dialogues| turns_of(&dialogues)).collect()
}

fn turns_of(dialogues: &Value) -> Vec<Exchange> {
    let mut found = Vec::new();
    for dialogue in dialogues.as_array().into_iter().flatten() {
        let mut before: Vec<ConversationTurn> = Vec::new();
        for utterance in dialogue["utterances"].as_array().into_iter().flatten() {
            let text = utterance["text"].as_str().unwrap_or_default();
            if utterance["speaker"] == "user" {
                before.push(ConversationTurn::new(Message::user(text)));
            } else if !before.is_empty() {
                found.push(Exchange {
                    domain: "real".to_owned(),
                    scenario: Scenario::new("real"),
                    before: before.clone(),
                    reply: text.to_owned(),
                });
                before.push(ConversationTurn::new(Message::assistant(text)));
            }
        }
    }
    found
}
