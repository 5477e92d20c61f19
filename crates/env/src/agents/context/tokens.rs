//! How many tokens a message takes.
//!
//! Without a tokenizer it is an estimate that leans to too many: a run of ASCII letters or digits takes one
//! token for every four of them, a run of other letters one for every two, a letter of a script without spaces
//! one, any other visible character one. Where a tokenizer is at hand, its own count should be given.

use std::fmt;
use std::sync::Arc;

use stateset_core::Message;

/// What a chat template writes around a message, about.
const AROUND_A_MESSAGE: usize = 4;
/// A picture, about.
const OF_AN_IMAGE: usize = 256;

/// Counts the tokens of a text.
#[derive(Clone)]
pub struct TokenCounter(Arc<dyn Fn(&str) -> usize + Send + Sync>);

impl TokenCounter {
    /// Counts as `count` does; it must give the same number for the same text.
    pub fn new(count: impl Fn(&str) -> usize + Send + Sync + 'static) -> Self {
        TokenCounter(Arc::new(count))
    }

    /// Tokens of a text.
    pub fn text(&self, text: &str) -> usize {
        (self.0)(text)
    }

    /// Tokens of a message: what is said, thought and called, and what stands around it.
    pub fn message(&self, message: &Message) -> usize {
        let thought = message.reasoning.as_deref().map_or(0, |thought| self.text(thought));
        let call = |call: &stateset_core::ToolCall| {
            self.text(&call.name) + self.text(&call.arguments.to_string()) + AROUND_A_MESSAGE
        };
        let calls: usize = message.tool_calls.iter().map(call).sum();
        let images = message.images.len() * OF_AN_IMAGE;
        AROUND_A_MESSAGE + self.text(&message.content) + thought + calls + images
    }

    /// Tokens of all messages but those with instructions.
    pub fn conversation(&self, messages: &[Message]) -> usize {
        let counted = messages.iter().filter(|m| m.role != stateset_core::Role::System);
        counted.map(|message| self.message(message)).sum()
    }
}

impl Default for TokenCounter {
    fn default() -> Self {
        TokenCounter::new(estimate)
    }
}

impl fmt::Debug for TokenCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCounter")
    }
}

/// The first `max_chars` characters of `text`, with dots where there are more.
pub(in super::super) fn shortened(text: &str, max_chars: usize) -> String {
    match text.char_indices().nth(max_chars) {
        Some((end, _)) => format!("{}..", text[..end].trim_end()),
        None => text.to_owned(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Run {
    Ascii,
    Letters,
    None,
}

fn estimate(text: &str) -> usize {
    let mut n_tokens = 0;
    let (mut run, mut length) = (Run::None, 0usize);
    let close = |run: Run, length: usize| match run {
        Run::Ascii => length.div_ceil(4),
        Run::Letters => length.div_ceil(2),
        Run::None => 0,
    };
    for c in text.chars() {
        let next = match c {
            _ if c.is_ascii_alphanumeric() => Run::Ascii,
            // Scripts that are written without spaces begin here, about.
            _ if c.is_alphanumeric() && u32::from(c) < 0x2e80 => Run::Letters,
            _ => Run::None,
        };
        if next != run {
            n_tokens += close(run, length);
            (run, length) = (next, 0);
        }
        match next {
            Run::None => n_tokens += usize::from(!c.is_whitespace()),
            _ => length += 1,
        }
    }
    n_tokens + close(run, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_in_several_scripts() {
        let cases = [
            ("", 0),
            ("  \n", 0),
            ("hello world", 2 + 2),
            ("order #12345!", 2 + 1 + 2 + 1),
            ("Gr\u{fc}\u{df}e", 1 + 1 + 1),
            ("\u{43f}\u{440}\u{438}\u{432}\u{435}\u{442}", 3),
            ("\u{3053}\u{3093}\u{306b}", 3),
        ];
        for (text, expected) in cases {
            assert_eq!(TokenCounter::default().text(text), expected, "{text:?}");
        }
    }

    #[test]
    fn instructions_do_not_count_and_calls_do() {
        let counter = TokenCounter::new(|text| text.len());
        let call = stateset_core::ToolCall {
            id: "1".into(),
            name: "f".into(),
            arguments: serde_json::json!({}),
        };
        let mut asks = Message::assistant("ab");
        asks.tool_calls.push(call);
        let messages = [Message::system("long instructions"), asks];
        assert_eq!(counter.conversation(&messages), 4 + 2 + 1 + 2 + 4);
    }

    #[test]
    fn long_texts_are_shortened_between_characters() {
        assert_eq!(shortened("\u{e9}\u{e9}\u{e9}", 2), "\u{e9}\u{e9}..");
        assert_eq!(shortened("ab", 2), "ab");
    }
}
