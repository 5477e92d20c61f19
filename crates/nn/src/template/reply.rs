//! Sampled tokens back into a message.
//!
//! The end token or stop text is cut off, thoughts between `<think>` and `</think>` become the
//! message's reasoning where the template knows of them, and the rest is the content, raw: the agent
//! reads calls of tools out of it. The choice a reader would question: thoughts stay in the content
//! where the template does not mention them, because rendering would lose them.

use stateset_core::Message;

use super::chat_format::ChatFormat;
use crate::text_error::TextError;

pub(super) const OPEN: &str = "<think>";
pub(super) const CLOSE: &str = "</think>";

impl ChatFormat {
    /// The assistant message that `tokens` say: sampled tokens, with or without the one that ended
    /// them. `stop` are texts that end an answer beside those of [`ChatFormat::stop_texts`].
    ///
    /// # Errors
    /// [`TextError::Decode`].
    pub fn reply(&self, tokens: &[u32], stop: &[String]) -> Result<Message, TextError> {
        let text = self.reply_text(tokens, stop)?;
        if !self.template().mentions("think") {
            return Ok(Message::assistant(text));
        }
        let (reasoning, content) = split_reasoning(&text);
        Ok(Message { reasoning: reasoning.map(str::to_string), ..Message::assistant(content) })
    }

    /// The text of sampled tokens without what ended it.
    ///
    /// # Errors
    /// [`TextError::Decode`].
    pub fn reply_text(&self, tokens: &[u32], stop: &[String]) -> Result<String, TextError> {
        let spoken = match tokens.split_last() {
            Some((last, rest)) if self.end_ids().contains(last) => rest,
            _ => tokens,
        };
        let is_plain = self.template().is_plain();
        let text = self.tokenizer().decode_after(spoken, is_plain)?;
        let own = self.stop_texts();
        let stops = stop.iter().chain(&own).filter(|stop| !stop.is_empty());
        let end = stops.filter_map(|stop| text.find(stop.as_str())).min().unwrap_or(text.len());
        let text = &text[..end];
        Ok(if is_plain { text.trim() } else { text }.to_string())
    }
}

/// Tokens at the end of a prompt in which an opening tag and white space behind it stand.
const TAIL_TOKENS: usize = 2 * OPEN.len();

impl ChatFormat {
    /// Whether an answer to `prompt` begins inside a thought that the prompt opened; `None` where the
    /// template knows of no thoughts.
    pub fn begins_in_thought(&self, prompt: &[u32]) -> Option<bool> {
        if !self.template().mentions("think") {
            return None;
        }
        let tail = &prompt[prompt.len().saturating_sub(TAIL_TOKENS)..];
        let text = self.tokenizer().decode(tail, false).unwrap_or_default();
        Some(text.trim_end().ends_with(OPEN))
    }
}

/// Thoughts and answer of a text. A thought that the prompt has opened needs no opening tag; one
/// that is never closed is all there is.
fn split_reasoning(text: &str) -> (Option<&str>, &str) {
    if let Some((before, after)) = text.split_once(CLOSE) {
        let thought = before.rsplit_once(OPEN).map_or(before, |(_, thought)| thought);
        return (Some(thought.trim_matches('\n')), after.trim_start_matches('\n'));
    }
    match text.trim_start().strip_prefix(OPEN) {
        Some(thought) => (Some(thought.trim_matches('\n')), ""),
        None => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thoughts_are_split_off() {
        let cases = [
            ("<think>\nwell\n</think>\n\nyes", (Some("well"), "yes")),
            ("well\n</think>\n\nyes", (Some("well"), "yes")),
            ("<think>\nwell", (Some("well"), "")),
            ("<think>\n\n</think>\n\nyes", (Some(""), "yes")),
            ("a</think>b</think>c", (Some("a"), "b</think>c")),
            ("yes <think> no", (None, "yes <think> no")),
            ("", (None, "")),
        ];
        for (text, expected) in cases {
            assert_eq!(split_reasoning(text), expected, "{text:?}");
        }
    }
}
