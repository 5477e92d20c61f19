//! Messages, tools and variables as the values a chat template reads, with control tokens marked.
//!
//! Field names are those of `apply_chat_template` of transformers 5.23: absent fields are absent
//! (templates ask `'tool_calls' in message`), reasoning comes as `reasoning_content` and
//! `thinking`, tools as OpenAI's function objects. What is marked is decided in [`super::control`].
//! The choice a reader would question: reasoning is given under both names that templates know, as
//! `transformers` does, so a template may read either.

use std::collections::BTreeSet;

use minijinja::Value;
use stateset_core::{Message, ToolSpec};

use super::control::{ControlTokens, Speaker};
use super::meter::Marks;

/// First private-use character of plane 15; marks are the first four that no input holds.
const FIRST_MARK: u32 = 0xf0000;

/// What a template is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inputs<'a> {
    pub(super) messages: &'a [Message],
    pub(super) tools: &'a [ToolSpec],
    pub(super) kwargs: &'a serde_json::Map<String, serde_json::Value>,
    pub(super) control: &'a ControlTokens,
}

impl Inputs<'_> {
    /// Characters that stand nowhere in the inputs nor in `source`.
    pub(super) fn marks(&self, source: &str) -> Marks {
        let mut used = BTreeSet::new();
        collect_private(source, &mut used);
        for message in self.messages {
            for text in [&message.content, message.reasoning.as_ref().unwrap_or(&message.content)] {
                collect_private(text, &mut used);
            }
            for text in message.name.iter().chain(&message.tool_call_id) {
                collect_private(text, &mut used);
            }
            for call in &message.tool_calls {
                collect_private(&call.name, &mut used);
                collect_private(&call.arguments.to_string(), &mut used);
            }
        }
        for tool in self.tools {
            collect_private(&tool.to_openai().to_string(), &mut used);
        }
        for (name, value) in self.kwargs {
            collect_private(name, &mut used);
            collect_private(&value.to_string(), &mut used);
        }
        let mut free = (FIRST_MARK..).filter_map(char::from_u32).filter(|c| !used.contains(c));
        // A text that holds all 131,000 of them gets marks that it also holds; they only break it
        // up more.
        let mut next = || free.next().unwrap_or('\u{ffffd}');
        Marks { control: [next(), next()], generated: [next(), next()] }
    }

    /// The variables `messages` and `tools`.
    pub(super) fn values(&self, marks: Marks) -> (Value, Value) {
        let marker = Marker { control: self.control, marks };
        let messages = self.messages.iter().map(|message| marker.message(message)).collect();
        if self.tools.is_empty() {
            return (messages, Value::from(()));
        }
        let tools = self
            .tools
            .iter()
            .map(|tool| marker.json(&tool.to_openai(), Speaker::Outside))
            .collect();
        (messages, tools)
    }
}

struct Marker<'a> {
    control: &'a ControlTokens,
    marks: Marks,
}

impl Marker<'_> {
    fn message(&self, message: &Message) -> Value {
        let speaker = Speaker::of(message.role);
        let text = |text: &str| self.text(text, speaker);
        let mut fields =
            vec![("role", Value::from(message.role.as_str())), ("content", text(&message.content))];
        if let Some(reasoning) = &message.reasoning {
            fields.push(("reasoning_content", text(reasoning)));
            fields.push(("thinking", text(reasoning)));
        }
        if !message.tool_calls.is_empty() {
            let calls = message.tool_calls.iter().map(|call| {
                let function = [
                    ("name", text(&call.name)),
                    ("arguments", self.json(&call.arguments, speaker)),
                ];
                Value::from_pairs([
                    ("id", text(&call.id)),
                    ("type", Value::from("function")),
                    ("function", Value::from_pairs(function)),
                ])
            });
            fields.push(("tool_calls", calls.collect()));
        }
        if let Some(id) = &message.tool_call_id {
            fields.push(("tool_call_id", text(id)));
        }
        if let Some(name) = &message.name {
            fields.push(("name", text(name)));
        }
        Value::from_pairs(fields)
    }

    fn text(&self, text: &str, speaker: Speaker) -> Value {
        let found = self.control.find(text, speaker);
        if found.is_empty() {
            return Value::from(text);
        }
        let [start, end] = self.marks.control;
        let mut out = String::with_capacity(text.len() + 8 * found.len());
        let mut done = 0;
        for span in found {
            out.push_str(&text[done..span.start]);
            out.push(start);
            out.push_str(&text[span.clone()]);
            out.push(end);
            done = span.end;
        }
        out.push_str(&text[done..]);
        Value::from(out)
    }

    fn json(&self, value: &serde_json::Value, speaker: Speaker) -> Value {
        match value {
            serde_json::Value::String(text) => self.text(text, speaker),
            serde_json::Value::Array(items) => {
                items.iter().map(|item| self.json(item, speaker)).collect()
            }
            serde_json::Value::Object(map) => Value::from_pairs(
                map.iter().map(|(key, item)| (key.as_str(), self.json(item, speaker))),
            ),
            other => plain(other),
        }
    }
}

/// A JSON value as a template value.
pub(super) fn plain(value: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match value {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(n), _) => Value::from(n),
            (None, Some(n)) => Value::from(n),
            (None, None) => Value::from(n.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(plain).collect(),
        Json::Object(map) => {
            Value::from_pairs(map.iter().map(|(key, item)| (key.as_str(), plain(item))))
        }
    }
}

fn collect_private(text: &str, used: &mut BTreeSet<char>) {
    // Every character of plane 15 begins with this byte in UTF-8.
    if text.as_bytes().contains(&0xf3) {
        used.extend(text.chars().filter(|&c| u32::from(c) >= FIRST_MARK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control() -> ControlTokens {
        let all = ["<a>", "<a>b", "<c>"].map(str::to_string);
        ControlTokens::new(all, ["<c>".to_string()])
    }

    #[test]
    fn control_tokens_are_marked_by_who_writes_them() {
        let marks = Marks { control: ['(', ')'], generated: ['[', ']'] };
        let marker = Marker { control: &control(), marks };
        let text = "x<a>b<c><d>";
        assert_eq!(marker.text(text, Speaker::Outside), Value::from("x(<a>b)(<c>)<d>"));
        assert_eq!(marker.text(text, Speaker::Assistant), Value::from("x<a>b(<c>)<d>"));
        assert_eq!(marker.text(text, Speaker::Operator), Value::from(text));
    }

    #[test]
    fn marks_avoid_characters_in_use() {
        let messages = [Message::user("\u{f0000}\u{f0002}")];
        let kwargs = serde_json::Map::new();
        let control = control();
        let inputs = Inputs { messages: &messages, tools: &[], kwargs: &kwargs, control: &control };
        let marks = inputs.marks("\u{f0001}");
        assert_eq!(marks.control, ['\u{f0003}', '\u{f0004}']);
    }
}
