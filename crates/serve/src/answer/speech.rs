//! What a model says, in its parts: text, thoughts and calls, while it is arriving.
//!
//! Text runs through four stages, each of which holds back only what is not certain yet: stop texts,
//! white space around plain answers, thoughts, calls. What comes out does not depend on how the text was
//! cut, and put together it is the answer: there is no second reading of the whole.

use stateset_core::{CallFormat, CallParser, ToolCall, ToolSpec};

use super::stops::Stops;
use super::thoughts::{Part, Thoughts};

/// A part of what was said.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Spoken {
    Text(String),
    Thought(String),
    Call(ToolCall),
}

/// What can stand in an answer.
#[derive(Debug)]
pub(super) struct SpeechSpec<'a> {
    /// Texts that end it.
    pub(super) stops: Vec<String>,
    /// White space at both ends does not count.
    pub(super) is_trimmed: bool,
    /// There may be a thought, or (true) it begins inside one.
    pub(super) thoughts: Option<bool>,
    /// The tools that may be called, how, and the calls there were before.
    pub(super) calls: Option<(CallFormat, &'a [ToolSpec], usize)>,
}

/// Reads one answer.
pub(super) struct Speech {
    stops: Stops,
    edges: Option<Edges>,
    thoughts: Thoughts,
    calls: Option<(CallParser, Edges)>,
}

/// How an answer ended.
#[derive(Debug, PartialEq)]
pub(super) struct Ending {
    /// What had been held back.
    pub(super) rest: Vec<Spoken>,
    /// The stop text that ended it.
    pub(super) stop: Option<String>,
    /// There was a thought, be it empty.
    pub(super) has_thought: bool,
}

impl Speech {
    pub(super) fn new(spec: SpeechSpec<'_>) -> Speech {
        let parser = |(format, tools, n_earlier)| {
            (CallParser::new(format, tools, n_earlier), Edges::default())
        };
        Speech {
            stops: Stops::new(spec.stops),
            edges: spec.is_trimmed.then(|| Edges { cuts_start: true, ..Edges::default() }),
            thoughts: spec.thoughts.map_or_else(Thoughts::none, Thoughts::new),
            calls: spec.calls.map(parser),
        }
    }

    /// Takes text; gives what is certain.
    pub(super) fn push(&mut self, text: &str) -> Vec<Spoken> {
        let text = self.stops.push(text);
        self.after_stops(text)
    }

    /// The rest.
    pub(super) fn finish(mut self) -> Ending {
        let (text, stop) = std::mem::replace(&mut self.stops, Stops::new([])).finish();
        let mut rest = self.after_stops(text);
        let thoughts = std::mem::replace(&mut self.thoughts, Thoughts::none());
        let has_thought = thoughts.has_thought();
        rest.extend(self.after_thoughts(thoughts.finish()));
        if let Some((parser, mut edges)) = self.calls.take() {
            rest.extend(read_calls(parser.finish(), &mut edges));
            rest.extend(edges.finish().map(Spoken::Text));
        }
        Ending { rest: tidy(rest), stop, has_thought }
    }

    fn after_stops(&mut self, text: String) -> Vec<Spoken> {
        let text = match &mut self.edges {
            Some(edges) => edges.push(&text),
            None => text,
        };
        let parts = self.thoughts.push(&text);
        tidy(self.after_thoughts(parts))
    }

    fn after_thoughts(&mut self, parts: Vec<Part>) -> Vec<Spoken> {
        let mut spoken = Vec::new();
        for part in parts {
            match (part, &mut self.calls) {
                (Part::Thought(text), _) => spoken.push(Spoken::Thought(text)),
                (Part::Text(text), None) => spoken.push(Spoken::Text(text)),
                (Part::Text(text), Some((parser, edges))) => {
                    spoken.extend(read_calls(parser.push(&text), edges));
                }
            }
        }
        spoken
    }
}

fn read_calls(pieces: Vec<stateset_core::Piece>, edges: &mut Edges) -> Vec<Spoken> {
    let read = |piece| match piece {
        stateset_core::Piece::Text(text) => Spoken::Text(edges.push(&text)),
        // What cannot be read is for the client to see as it was written.
        stateset_core::Piece::Malformed { raw, .. } => Spoken::Text(edges.push(&raw)),
        stateset_core::Piece::Call(call) => {
            edges.cut();
            Spoken::Call(call)
        }
    };
    pieces.into_iter().map(read).collect()
}

/// Without empty texts.
fn tidy(mut spoken: Vec<Spoken>) -> Vec<Spoken> {
    spoken.retain(|part| match part {
        Spoken::Text(text) | Spoken::Thought(text) => !text.is_empty(),
        Spoken::Call(_) => true,
    });
    spoken
}

/// Text without the white space at its ends, once it is known that it has such ends.
#[derive(Debug, Default)]
struct Edges {
    /// White space before the first text does not count.
    cuts_start: bool,
    has_text: bool,
    held: String,
}

impl Edges {
    fn push(&mut self, text: &str) -> String {
        self.held.push_str(text);
        if self.cuts_start && !self.has_text {
            self.held = self.held.trim_start().to_owned();
        }
        let certain = self.held.trim_end().len();
        self.has_text |= certain > 0;
        let rest = self.held.split_off(certain);
        std::mem::replace(&mut self.held, rest)
    }

    /// White space at the ends does not count from now on.
    fn cut(&mut self) {
        self.cuts_start = true;
        if !self.has_text {
            self.held.clear();
        }
    }

    /// White space at the end, where it counts.
    fn finish(self) -> Option<String> {
        (!self.cuts_start).then_some(self.held)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn tools() -> Vec<ToolSpec> {
        let description = "finds an order".to_owned();
        vec![ToolSpec { name: "find".to_owned(), description, parameters: json!({}) }]
    }

    /// Text, thoughts and calls, cut after each `size` characters.
    fn said(spec: SpeechSpec<'_>, text: &str, size: usize) -> (String, String, Vec<ToolCall>) {
        let mut speech = Speech::new(spec);
        let letters: Vec<char> = text.chars().collect();
        let mut parts: Vec<Spoken> = letters
            .chunks(size.max(1))
            .flat_map(|chunk| speech.push(&chunk.iter().collect::<String>()))
            .collect();
        parts.extend(speech.finish().rest);
        let (mut text, mut thought, mut calls) = (String::new(), String::new(), Vec::new());
        for part in parts {
            match part {
                Spoken::Text(more) => text += &more,
                Spoken::Thought(more) => thought += &more,
                Spoken::Call(call) => calls.push(call),
            }
        }
        (text, thought, calls)
    }

    fn spec<'a>(tools: &'a [ToolSpec], format: CallFormat) -> SpeechSpec<'a> {
        let stops = vec!["END".to_owned(), "\nUser:".to_owned()];
        let calls = Some((format, tools, 2));
        SpeechSpec { stops, is_trimmed: false, thoughts: Some(false), calls }
    }

    #[test]
    fn parts_come_apart() {
        let text = "<think>\nhm\n</think>\n\nOne moment.\n<tool_call>\n{\"name\": \"find\", \
                    \"arguments\": {\"id\": 1}}\n</tool_call>\nThere. \nEND of it";
        for size in 1..40 {
            let tools = tools();
            let (text, thought, calls) = said(spec(&tools, CallFormat::Hermes), text, size);
            assert_eq!(text, "One moment.\n\nThere.");
            assert_eq!(thought, "hm");
            let call = ToolCall {
                id: "call00002".to_owned(),
                name: "find".to_owned(),
                arguments: json!({"id": 1}),
            };
            assert_eq!(calls, [call]);
        }
    }

    #[test]
    fn what_is_no_call_is_text() {
        let tools = tools();
        let text = "<tool_call>{\"name\": 3}</tool_call>";
        let (said, _, calls) = said(spec(&tools, CallFormat::Hermes), text, 5);
        assert!(said.contains("\"name\": 3") && calls.is_empty(), "{said}");
    }

    proptest! {
        /// However it is cut, it says the same; without thoughts and stops it is what the parser of
        /// whole answers reads.
        #[test]
        fn cuts_change_nothing(
            text in "(<think>|</think>|END|\\nUser:|<tool_call>|</tool_call>|\\{\"name\": \"find\", \"arguments\": \\{\\}\\}|<|\\n| |a|é){0,14}",
            which in 0..CallFormat::ALL.len(),
            is_trimmed in any::<bool>(),
            size in 1usize..20,
        ) {
            let (tools, format) = (tools(), CallFormat::ALL[which]);
            let whole = || SpeechSpec { is_trimmed, ..spec(&tools, format) };
            prop_assert_eq!(
                said(whole(), &text, size),
                said(whole(), &text, text.len())
            );
            let plain = SpeechSpec {
                stops: Vec::new(),
                thoughts: None,
                is_trimmed: false,
                ..spec(&tools, format)
            };
            let (said, _, calls) = said(plain, &text, size);
            let read = format.read(&text, &tools, 2);
            let is_read = |call: &&ToolCall| call.as_malformed().is_none();
            let read_calls: Vec<ToolCall> = read.calls.iter().filter(is_read).cloned().collect();
            prop_assert_eq!(&calls, &read_calls);
            if read.calls.len() == calls.len() {
                prop_assert_eq!(said.trim(), read.content.trim());
            }
        }
    }
}
