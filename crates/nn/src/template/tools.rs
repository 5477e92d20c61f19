//! Tools in conversations: for templates that know none, and answers in the words of the model that
//! called.
//!
//! A template without the variable `tools` gets them as text: they are described at the end of the
//! system message, calls are written into the answer in the agent's call format, and results come back
//! as the user's words, `Tool Output (name): ..`. Plain conversations keep their own line for results.
//!
//! A model writes a call with spaces, key order and numbers of its own; the template writes the same
//! call its way. So that the row can go on, an answer of the current row is rendered with the text that
//! was sampled, once that text has been read again and says exactly what the message says. The choice a
//! reader would question: this compares calls and not text, and so accepts `1` rewritten by nobody,
//! while an answer that was edited differs and starts a new row as always.

use std::borrow::Cow;

use serde_json::Value;
use stateset_core::{CallFormat, Message, Role, Segment, ToolSpec};

use super::chat_format::ChatFormat;
use super::control::Speaker;
use crate::text_error::TextError;

impl ChatFormat {
    /// How the model is taught to call tools: what its template shows, unless the run says otherwise.
    pub fn call_format(&self) -> CallFormat {
        self.call_format
    }

    /// The same format with another way to call tools.
    pub fn with_call_format(mut self, call_format: CallFormat) -> Self {
        self.call_format = call_format;
        self
    }

    /// The conversation as this template can render it.
    pub(super) fn adapted<'a>(
        &self,
        messages: &'a [Message],
        tools: &[ToolSpec],
    ) -> Cow<'a, [Message]> {
        let has_any = !tools.is_empty() || messages.iter().any(is_about_tools);
        if !has_any || self.template().mentions("tools") {
            return Cow::Borrowed(messages);
        }
        let mut adapted = self.with_calls_in_text(messages);
        if !self.template().is_plain() {
            adapted = with_results_as_user(adapted);
        }
        self.describe(tools, &mut adapted);
        Cow::Owned(adapted)
    }

    /// The conversation with every call written into its answer.
    pub(super) fn with_calls_in_text(&self, messages: &[Message]) -> Vec<Message> {
        let written = |message: &Message| {
            if message.tool_calls.is_empty() {
                return message.clone();
            }
            let calls = self.call_format.render(&message.tool_calls);
            let content = match message.content.as_str() {
                "" => calls,
                content => format!("{content}\n{calls}"),
            };
            Message { content, tool_calls: Vec::new(), ..message.clone() }
        };
        messages.iter().map(written).collect()
    }

    /// Tools at the end of the system message, which is made where there is none.
    fn describe(&self, tools: &[ToolSpec], messages: &mut Vec<Message>) {
        if tools.is_empty() {
            return;
        }
        let harmless: Vec<ToolSpec> = tools.iter().map(|tool| self.harmless(tool)).collect();
        let text = self.call_format.instructions(&harmless);
        match messages.first_mut().filter(|message| message.role == Role::System) {
            Some(system) => {
                let gap = if system.content.is_empty() { "" } else { "\n\n" };
                system.content = format!("{}{gap}{text}", system.content);
            }
            None => messages.insert(0, Message::system(text)),
        }
    }

    /// A description that writes no control token: it comes from outside, and the system message may
    /// write all of them.
    fn harmless(&self, tool: &ToolSpec) -> ToolSpec {
        ToolSpec {
            name: tool.name.clone(),
            description: self.broken_up(&tool.description),
            parameters: self.broken_up_in(&tool.parameters),
        }
    }

    fn broken_up(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for span in self.control.find(text, Speaker::Outside).into_iter().rev() {
            let first = text[span.start..].chars().next().map_or(0, char::len_utf8);
            out.insert(span.start + first, ' ');
        }
        out
    }

    fn broken_up_in(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.broken_up(text)),
            Value::Array(items) => items.iter().map(|item| self.broken_up_in(item)).collect(),
            Value::Object(map) => {
                let entry = |(key, value): (&String, &Value)| {
                    (self.broken_up(key), self.broken_up_in(value))
                };
                Value::Object(map.iter().map(entry).collect())
            }
            other => other.clone(),
        }
    }

    /// The conversation with the sampled text of those answers of the current row that call tools;
    /// `None` where there are none.
    pub(super) fn in_own_words(
        &self,
        messages: &[Message],
        tools: &[ToolSpec],
        segment: &Segment,
    ) -> Result<Option<Vec<Message>>, TextError> {
        if messages.iter().all(|message| message.tool_calls.is_empty()) {
            return Ok(None);
        }
        let mut said = messages.to_vec();
        let mut is_changed = false;
        let spans: Vec<_> = segment.sampled_spans().collect();
        let answers = said.iter_mut().rev().filter(|message| message.role == Role::Assistant);
        for (message, span) in answers.zip(spans.into_iter().rev()) {
            if message.tool_calls.is_empty() {
                continue;
            }
            let own = self.reply(&segment.tokens()[span.start..span.end], &[])?;
            if self.says_the_same(&own, message, tools) {
                *message = Message { name: message.name.clone(), ..own };
                is_changed = true;
            }
        }
        Ok(is_changed.then_some(said))
    }

    /// True where the sampled answer, read again, is this message.
    fn says_the_same(&self, own: &Message, message: &Message, tools: &[ToolSpec]) -> bool {
        let read = self.call_format.read(&own.content, tools, 0);
        let calls = read.calls.iter().zip(&message.tool_calls);
        own.reasoning == message.reasoning
            && read.content == message.content
            && read.calls.len() == message.tool_calls.len()
            && calls.into_iter().all(|(a, b)| a.name == b.name && a.arguments == b.arguments)
    }
}

fn is_about_tools(message: &Message) -> bool {
    message.role == Role::Tool || !message.tool_calls.is_empty()
}

/// Results as the user's words; those that follow each other become one message, since such templates
/// often insist on turns that alternate.
fn with_results_as_user(messages: Vec<Message>) -> Vec<Message> {
    let mut out: Vec<Message> = Vec::with_capacity(messages.len());
    let mut follows_result = false;
    for message in messages {
        let is_result = message.role == Role::Tool;
        if !is_result {
            out.push(message);
        } else {
            let text = match &message.name {
                Some(name) => format!("Tool Output ({name}): {}", message.content),
                None => format!("Tool Output: {}", message.content),
            };
            match out.last_mut().filter(|_| follows_result) {
                Some(last) => last.content = format!("{}\n{text}", last.content),
                None => out.push(Message::user(text)),
            }
        }
        follows_result = is_result;
    }
    out
}
