//! An answer in its conversation, and the tokens that a loss may look at.
//!
//! Everything before the point where two dialogues part is prompt; of what follows, the assistant's
//! messages are learned and the others read. The choice a reader may question: the point is that of
//! the first *message* that differs, not of the first token, so that both answers are whole.
//!
//! # Truncation
//!
//! A row longer than the limit loses its end: the prompt and the beginning of the answer stay. An answer
//! of which no token is left cannot be used, nor can its pair.

use stateset_core::{Message, Origin, Role, TokenTrace, ToolSpec};
use stateset_nn::{ChatFormat, TextError};

use crate::SftRow;

/// A conversation that ends in the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chat {
    /// Everything said, in order.
    pub messages: Vec<Message>,
    /// So many of the messages are prompt.
    pub n_prompt: usize,
    /// Tools the assistant was told about.
    pub tools: Vec<ToolSpec>,
}

/// An answer behind its prompt.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialogue {
    /// Messages, rendered by the chat template.
    Chat(Chat),
    /// Plain text without a template.
    Text {
        /// What is read.
        prompt: String,
        /// What is learned.
        answer: String,
    },
}

impl Chat {
    /// A conversation of these parts.
    pub fn new(prompt: Vec<Message>, answer: Vec<Message>, tools: Vec<ToolSpec>) -> Chat {
        let n_prompt = prompt.len();
        let messages = prompt.into_iter().chain(answer).collect();
        Chat { messages, n_prompt, tools }
    }

    /// The messages of the answer.
    pub fn answer(&self) -> &[Message] {
        &self.messages[self.n_prompt.min(self.messages.len())..]
    }

    /// This prompt with another's answer.
    pub fn with_answer_of(&self, other: &Chat) -> Chat {
        let prompt = self.messages[..self.n_prompt.min(self.messages.len())].to_vec();
        Chat::new(prompt, other.answer().to_vec(), self.tools.clone())
    }

    /// The answer says or calls something.
    pub(super) fn has_answer(&self) -> bool {
        let speaks = |m: &Message| {
            let says = !m.content.trim().is_empty() || !m.tool_calls.is_empty();
            m.role == Role::Assistant && says
        };
        self.answer().iter().any(speaks)
    }

    /// Token rows of the answer; see [`Dialogue::rows`].
    ///
    /// # Errors
    /// As [`Dialogue::rows`].
    pub fn rows(&self, format: &ChatFormat, max_tokens: usize) -> Result<Vec<SftRow>, TextError> {
        let prompt = &self.messages[..self.n_prompt.min(self.messages.len())];
        let mut n_to_skip = match prompt.iter().any(|m| m.role == Role::Assistant) {
            true => n_targets(&format.supervised(prompt, &self.tools)?),
            false => 0,
        };
        let trace = format.supervised(&self.messages, &self.tools)?;
        let mut rows = Vec::new();
        for segment in trace.segments() {
            let mut mask = vec![false; segment.tokens().len()];
            for span in segment.spans().iter().filter(|span| span.origin == Origin::Target) {
                match n_to_skip {
                    0 => mask[span.start..span.end].fill(true),
                    _ => n_to_skip -= 1,
                }
            }
            rows.extend(SftRow { tokens: segment.tokens().to_vec(), mask }.cut(max_tokens));
        }
        Ok(rows)
    }
}

impl Dialogue {
    /// Token rows of the answer, each with its whole context, cut at `max_tokens`; none where nothing of
    /// the answer is left. A template that rewrites history gives several.
    ///
    /// # Errors
    /// [`TextError`] where the template cannot render it or the tokenizer cannot encode it.
    pub fn rows(&self, format: &ChatFormat, max_tokens: usize) -> Result<Vec<SftRow>, TextError> {
        let (prompt, answer) = match self {
            Dialogue::Chat(chat) => return chat.rows(format, max_tokens),
            Dialogue::Text { prompt, answer } => (prompt, answer),
        };
        let tokenizer = format.tokenizer();
        let mut tokens = tokenizer.encode(prompt, true)?;
        let n_prompt = tokens.len();
        tokens.extend(tokenizer.encode_after(tokens.last().copied(), answer)?);
        tokens.extend(tokenizer.eos_id());
        let mask = (0..tokens.len()).map(|i| i >= n_prompt.max(1)).collect();
        Ok(SftRow { tokens, mask }.cut(max_tokens).into_iter().collect())
    }
}

/// Answers in a trace.
fn n_targets(trace: &TokenTrace) -> usize {
    let spans = trace.segments().iter().flat_map(|segment| segment.spans());
    spans.filter(|span| span.origin == Origin::Target).count()
}
