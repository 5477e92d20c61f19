//! [`CallFormat`]: how a family of models writes calls of tools.
//!
//! Sources are named in the file of each format. The choice a reader would question: the format is a
//! property of the agent and not of the policy, because the same server may hold any model.

use serde_json::json;

use super::describe::described;
use super::json::{call_object, json_text, json_without};
use super::parser::{CallParser, Piece, call_id};
use super::{mistral, python, tagged, xml};
use crate::{ToolCall, ToolSpec};

/// A way to write calls of tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallFormat {
    /// `<tool_call>{"name": .., "arguments": ..}</tool_call>`: Hermes, Qwen 2.5, Qwen 3.
    Hermes,
    /// `{"name": .., "parameters": ..}` as the whole answer: Llama 3.1.
    Llama,
    /// `[TOOL_CALLS] [{"name": .., "arguments": ..}]`: Mistral up to tokenizer version 7.
    Mistral,
    /// `[TOOL_CALLS]name[ARGS]{..}`: Mistral from tokenizer version 11 on.
    MistralArgs,
    /// `<tool_call><function=..><parameter=..>`: Qwen3-Coder.
    QwenXml,
    /// `[f(a=1)]`: Llama 3.2 and 4.
    Pythonic,
    /// A fenced block of JSON, `{"tool": .., "parameters": ..}`: everything else.
    Json,
}

/// An answer, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadReply {
    /// What remains for the reader: without calls the answer as it was, else the text around them,
    /// without the white space at its ends.
    pub content: String,
    /// The calls in their order; those that cannot be read are [`ToolCall::malformed`].
    pub calls: Vec<ToolCall>,
}

impl CallFormat {
    /// Every format.
    pub const ALL: [CallFormat; 7] = [
        CallFormat::Hermes,
        CallFormat::Llama,
        CallFormat::Mistral,
        CallFormat::MistralArgs,
        CallFormat::QwenXml,
        CallFormat::Pythonic,
        CallFormat::Json,
    ];

    /// The name that configurations use.
    pub fn as_str(self) -> &'static str {
        match self {
            CallFormat::Hermes => "hermes",
            CallFormat::Llama => "llama",
            CallFormat::Mistral => "mistral",
            CallFormat::MistralArgs => "mistral_args",
            CallFormat::QwenXml => "qwen_xml",
            CallFormat::Pythonic => "pythonic",
            CallFormat::Json => "json",
        }
    }

    /// The format with this name; `None` for any other text.
    pub fn from_name(name: &str) -> Option<CallFormat> {
        CallFormat::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// The format that a chat template (its Jinja source) teaches its model; [`CallFormat::Json`] where
    /// it shows none.
    pub fn of_template(source: &str) -> CallFormat {
        let shows = |text: &str| source.contains(text);
        if shows("<function=") && shows("<parameter=") {
            CallFormat::QwenXml
        } else if shows("<tool_call>") {
            CallFormat::Hermes
        } else if shows("[TOOL_CALLS]") {
            if shows("[ARGS]") { CallFormat::MistralArgs } else { CallFormat::Mistral }
        } else if shows("<|python_tag|>") || shows("\"parameters\": dictionary") {
            CallFormat::Llama
        } else if shows("func_name1(") || shows("<|python_start|>") {
            CallFormat::Pythonic
        } else {
            CallFormat::Json
        }
    }

    /// Calls as the model would write them; empty for no calls. Ids are not written.
    pub fn render(self, calls: &[ToolCall]) -> String {
        if calls.is_empty() {
            return String::new();
        }
        let object = |keys, call: &ToolCall| call_object(keys, &call.name, &call.arguments);
        let each = |text: &dyn Fn(&ToolCall) -> String, between: &str| {
            calls.iter().map(text).collect::<Vec<_>>().join(between)
        };
        match self {
            CallFormat::Hermes => {
                let call = |call: &ToolCall| {
                    let object = object(["name", "arguments"], call);
                    let text = json_without(&object, &[tagged::OPEN, tagged::CLOSE]);
                    format!("{}\n{text}\n{}", tagged::OPEN, tagged::CLOSE)
                };
                each(&call, "\n")
            }
            CallFormat::Llama => {
                let call = |call: &ToolCall| json_text(&object(["name", "parameters"], call));
                each(&call, "; ")
            }
            CallFormat::Mistral => {
                let call = |call: &ToolCall| json_text(&object(["name", "arguments"], call));
                format!("{} [{}]", mistral::MARK, each(&call, ", "))
            }
            CallFormat::MistralArgs => {
                let call = |call: &ToolCall| {
                    let arguments = json_text(&call.arguments);
                    format!("{}{}{}{arguments}", mistral::MARK, call.name, mistral::ARGS)
                };
                each(&call, "")
            }
            CallFormat::QwenXml => each(&xml::write, "\n"),
            CallFormat::Pythonic => {
                let call = |call: &ToolCall| python::call_text(&call.name, &call.arguments);
                format!("[{}]", each(&call, ", "))
            }
            CallFormat::Json => {
                let call = |call: &ToolCall| {
                    format!("```json\n{}\n```", json_text(&object(["tool", "parameters"], call)))
                };
                each(&call, "\n")
            }
        }
    }

    /// Tools and the way to call them in words, for models whose chat template says nothing of tools.
    /// Empty for no tools.
    pub fn instructions(self, tools: &[ToolSpec]) -> String {
        if tools.is_empty() {
            return String::new();
        }
        let described: Vec<String> = tools.iter().map(described).collect();
        let example = ToolCall {
            id: String::new(),
            name: "NAME".to_owned(),
            arguments: json!({ "KEY": "VALUE" }),
        };
        format!(
            "You can call these tools:\n{}\n\nTo call one, write:\n{}",
            described.join("\n"),
            self.render(&[example])
        )
    }

    /// Reads a whole answer of an agent that was told of `tools`, in a conversation with `n_earlier`
    /// calls before.
    pub fn read(self, text: &str, tools: &[ToolSpec], n_earlier: usize) -> ReadReply {
        let mut parser = CallParser::new(self, tools, n_earlier);
        let mut pieces = parser.push(text);
        pieces.extend(parser.finish());
        let mut reply = ReadReply::default();
        for piece in pieces {
            match piece {
                Piece::Text(text) => reply.content.push_str(&text),
                Piece::Call(call) => reply.calls.push(call),
                Piece::Malformed { raw, why } => {
                    let id = call_id(n_earlier + reply.calls.len());
                    reply.calls.push(ToolCall::malformed(id, &raw, &why));
                }
            }
        }
        if !reply.calls.is_empty() {
            reply.content = reply.content.trim().to_owned();
        }
        reply
    }
}
