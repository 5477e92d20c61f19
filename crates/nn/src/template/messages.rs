//! Messages, tools and variables as the values a chat template reads, with control tokens of users
//! marked.
//!
//! Field names are those of `apply_chat_template` of transformers 5.23: absent fields are absent
//! (templates ask `'tool_calls' in message`), reasoning comes as `reasoning_content` and
//! `thinking`, tools as OpenAI's function objects. The choice a reader would question: a user who
//! types `<|im_end|>` must not be able to end his turn. The text of such a token inside user
//! messages, tool results and tool descriptions is wrapped in two private characters before
//! rendering, found again afterwards, and spelled out with ordinary tokens. Text without control
//! tokens is not touched, so its tokens are those of `transformers`. Source: `mark_control_tokens`
//! of transformers 5.23.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use minijinja::Value;
use stateset_core::{Message, Role, ToolSpec};

use super::meter::Marks;

/// First private-use character of plane 15; marks are the first four that no input holds.
const FIRST_MARK: u32 = 0xf0000;

/// Texts that are control tokens for one tokenizer and template.
#[derive(Clone, Debug, Default)]
pub(super) struct ControlTokens {
    /// By first character, longest first.
    by_start: HashMap<char, Vec<String>>,
}

impl ControlTokens {
    pub(super) fn new(tokens: impl IntoIterator<Item = String>) -> Self {
        let mut by_start: HashMap<char, Vec<String>> = HashMap::new();
        for token in tokens {
            if let Some(c) = token.chars().next() {
                by_start.entry(c).or_default().push(token);
            }
        }
        for tokens in by_start.values_mut() {
            tokens.sort_by_key(|token| std::cmp::Reverse(token.len()));
        }
        ControlTokens { by_start }
    }

    /// Where control tokens stand in `text`.
    pub(super) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut next = 0;
        for (at, c) in text.char_indices() {
            let Some(tokens) = self.by_start.get(&c).filter(|_| at >= next) else { continue };
            if let Some(token) = tokens.iter().find(|token| text[at..].starts_with(token.as_str()))
            {
                next = at + token.len();
                found.push(at..next);
            }
        }
        found
    }

    fn is_one(&self, text: &str) -> bool {
        let start = text.chars().next();
        start
            .and_then(|c| self.by_start.get(&c))
            .is_some_and(|tokens| tokens.iter().any(|t| t == text))
    }
}

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
        let tools = self.tools.iter().map(|tool| marker.json(&tool.to_openai(), true)).collect();
        (messages, tools)
    }
}

struct Marker<'a> {
    control: &'a ControlTokens,
    marks: Marks,
}

impl Marker<'_> {
    fn message(&self, message: &Message) -> Value {
        let is_outside = matches!(message.role, Role::User | Role::Tool);
        let text = |text: &str| self.text(text, is_outside);
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
                    ("arguments", self.json(&call.arguments, is_outside)),
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

    fn text(&self, text: &str, is_outside: bool) -> Value {
        let found = if is_outside { self.control.find(text) } else { Vec::new() };
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

    fn json(&self, value: &serde_json::Value, is_outside: bool) -> Value {
        match value {
            serde_json::Value::String(text) => self.text(text, is_outside),
            serde_json::Value::Array(items) => {
                items.iter().map(|item| self.json(item, is_outside)).collect()
            }
            serde_json::Value::Object(map) => Value::from_pairs(
                map.iter().map(|(key, item)| (key.as_str(), self.json(item, is_outside))),
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

/// Rendered text with its marks taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unmarked {
    pub(super) text: String,
    /// Bytes that must be spelled with ordinary tokens; an empty range keeps its neighbours apart.
    pub(super) spelled: Vec<Range<usize>>,
    /// Bytes that the template says are generated.
    pub(super) generated: Vec<Range<usize>>,
}

/// Finds and removes the marks of a rendered text.
pub(super) fn unmark(rendered: &str, marks: Marks, control: &ControlTokens) -> Unmarked {
    let mut out = Unmarked::default();
    let mut open_control = None;
    let mut open_generated = Vec::new();
    for c in rendered.chars() {
        let at = out.text.len();
        if c == marks.control[0] {
            out.spelled.extend(open_control.replace(at).map(|lone| lone..lone));
        } else if c == marks.control[1] {
            let span = open_control.take().map(|start| start..at);
            match span {
                Some(span) if control.is_one(&out.text[span.clone()]) => out.spelled.push(span),
                Some(span) => out.spelled.extend([span.start..span.start, at..at]),
                None => out.spelled.push(at..at),
            }
        } else if c == marks.generated[0] {
            open_generated.push(at);
        } else if c == marks.generated[1] {
            out.generated.extend(open_generated.pop().map(|start| start..at));
        } else {
            out.text.push(c);
        }
    }
    out.spelled.extend(open_control.map(|lone| lone..lone));
    out.spelled.sort_by_key(|span| (span.start, span.end));
    out
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

    const MARKS: Marks = Marks { control: ['(', ')'], generated: ['[', ']'] };

    fn control() -> ControlTokens {
        ControlTokens::new(["<a>".to_string(), "<a>b".to_string(), "<c>".to_string()])
    }

    #[test]
    fn the_longest_control_token_is_marked() {
        let marker = Marker { control: &control(), marks: MARKS };
        assert_eq!(marker.text("x<a>b<c><d>", true), Value::from("x(<a>b)(<c>)<d>"));
        assert_eq!(marker.text("x<a>", false), Value::from("x<a>"));
    }

    #[test]
    fn marks_are_found_again() {
        let found = unmark("x(<a>)y[z[w]]", MARKS, &control());
        assert_eq!(found.text, "x<a>yzw");
        assert_eq!(found.spelled.first(), Some(&(1..4)));
        assert_eq!(found.generated, [6..7, 5..7]);
    }

    #[test]
    fn separated_marks_still_break_the_text() {
        let found = unmark("<)a>((<b>)(", MARKS, &control());
        assert_eq!(found.text, "<a><b>");
        assert_eq!(found.spelled, [1..1, 3..3, 3..3, 6..6, 6..6]);
    }

    #[test]
    fn marks_avoid_characters_in_use() {
        let messages = [Message::user("\u{f0000}\u{f0002}")];
        let inputs = Inputs {
            messages: &messages,
            tools: &[],
            kwargs: &serde_json::Map::new(),
            control: &control(),
        };
        let marks = inputs.marks("\u{f0001}");
        assert_eq!(marks.control, ['\u{f0003}', '\u{f0004}']);
    }
}
