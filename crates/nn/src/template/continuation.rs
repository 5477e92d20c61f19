//! Exact continuation: the tokens to read next, given the conversation and the tokens read so far.
//!
//! The first of the architecture's ideas: assistant tokens are never re-tokenised. A conversation
//! with new messages is rendered as a whole, with the beginning of the answer (call it B). The
//! tokens of the current row are decoded (call it D). If B begins with D, the rest of B is what the
//! template writes after what was read: the end of the last answer as far as the model did not
//! write it itself (it ran into the token limit, or the template puts a line end after
//! `<|im_end|>`), the new user and tool turns, and the beginning of the next answer. That rest is
//! encoded as text in the middle of a sequence and appended: [`GivenTokens::Continue`].
//!
//! If B does not begin with D, something rewrote what was read: the template (Qwen 3 drops earlier
//! thoughts, Hermes moves a line end when a tool result is no longer last), the agent (an edited
//! answer, a memory window), or the model ended its turn with another token than the template
//! writes. Then the whole of B is the start of a new row, with the place of the first difference:
//! [`GivenTokens::Restart`]. A conversation that does not render is an error that names the turn.
//!
//! Comparing the *text* of everything read needs no knowledge of the template and no sentinel, and
//! it checks, at every turn, that the row still says what the conversation says. What is not
//! compared exactly:
//!
//! - white space in and around what the model wrote: templates trim it, and the model goes on
//!   reading what it wrote;
//! - white space that the tokenizer itself loses, such as the space Llama's puts before a text;
//! - characters that the tokenizer normalises; both texts are normalised before they are compared
//!   again;
//! - in plain conversations, special tokens: the format writes none, so an end token that was
//!   sampled stays.
//!
//! Calls of tools are first rendered in the words in which the model wrote them ([`super::tools`]); in
//! a new row they stand as the template writes them.
//!
//! If the texts differ but all of D's tokens are the first tokens of B as encoded whole, that is a
//! continuation too; this catches vocabularies that turn unknown characters into one token.

use stateset_core::{GivenTokens, Message, Segment, TokenTrace, ToolSpec};

use super::chat_format::ChatFormat;
use super::control::Unmarked;
use crate::text_error::TextError;
use crate::tokenizer::SpaceLoss;

/// Characters of both texts that a difference is reported with.
const SHOWN_CHARS: usize = 24;

impl ChatFormat {
    /// Tokens to read before the next answer. `messages` is the whole conversation, ending with the
    /// message to answer; `trace` holds what was read and sampled. An empty trace gives the first
    /// prompt, to be appended.
    ///
    /// # Errors
    /// The template variants of [`TextError`], with the turn, and those of encoding.
    pub fn continuation(
        &self,
        messages: &[Message],
        tools: &[ToolSpec],
        trace: &TokenTrace,
    ) -> Result<GivenTokens, TextError> {
        let Some(segment) = trace.current().filter(|segment| !segment.tokens().is_empty()) else {
            return Ok(GivenTokens::Continue(self.prompt(messages, tools)?));
        };
        if let Some(said) = self.in_own_words(messages, tools, segment)?
            && let Ok(rendered) = self.rendered(&said, tools, true)
            && let Reached::Here(tokens) = self.reach(segment, &rendered)?
        {
            return Ok(GivenTokens::Continue(tokens));
        }
        let rendered = self.rendered(messages, tools, true)?;
        match self.reach(segment, &rendered)? {
            Reached::Here(tokens) => Ok(GivenTokens::Continue(tokens)),
            Reached::Differs { tokens, difference } => {
                let turn = self.turn_at(messages, tools, difference.at);
                let role = messages.get(turn).map_or("prompt", |message| message.role.as_str());
                let why = format!(
                    "turn {turn} ({role}) is now rendered as {:?} where {:?} was read",
                    difference.rendered, difference.read
                );
                Ok(GivenTokens::Restart { tokens, why })
            }
        }
    }

    /// What brings a row to the text `wanted`.
    pub(super) fn reach(&self, segment: &Segment, wanted: &Unmarked) -> Result<Reached, TextError> {
        let read = self.text_read(segment)?;
        let last = segment.tokens().last().copied();
        let loss = self.tokenizer().space_loss();
        let difference = match rest_after(&read, &wanted.text, loss) {
            Ok(at) => {
                return Ok(Reached::Here(self.tokens_within(
                    wanted,
                    at..wanted.text.len(),
                    last,
                )?));
            }
            Err(difference) => difference,
        };
        if let Some(tokens) = self.rest_of_normalized(&read, wanted, last)? {
            return Ok(Reached::Here(tokens));
        }
        let mut tokens = self.tokens_of(wanted)?;
        if tokens.starts_with(segment.tokens()) {
            return Ok(Reached::Here(tokens.split_off(segment.tokens().len())));
        }
        Ok(Reached::Differs { tokens, difference })
    }

    /// The same comparison on characters as the tokenizer changes them. Places of spelled text
    /// would be lost, so texts that hold any are not compared this way.
    fn rest_of_normalized(
        &self,
        read: &[(String, bool)],
        wanted: &Unmarked,
        last: Option<u32>,
    ) -> Result<Option<Vec<u32>>, TextError> {
        let tokenizer = self.tokenizer();
        let Some(text) =
            tokenizer.characters_of(&wanted.text).filter(|_| wanted.spelled.is_empty())
        else {
            return Ok(None);
        };
        let changed = |text: &String| tokenizer.characters_of(text).unwrap_or_else(|| text.clone());
        let read: Vec<(String, bool)> =
            read.iter().map(|(text, own)| (changed(text), *own)).collect();
        match rest_after(&read, &text, tokenizer.space_loss()) {
            Ok(at) => tokenizer.encode_after(last, &text[at..]).map(Some),
            Err(_) => Ok(None),
        }
    }

    /// Index of the message that a byte of the rendered conversation belongs to.
    fn turn_at(&self, messages: &[Message], tools: &[ToolSpec], at: usize) -> usize {
        let ends_behind = |n: usize| {
            let rendered = self.rendered(&messages[..n], tools, false);
            rendered.is_ok_and(|rendered| rendered.text.len() > at)
        };
        let (mut low, mut high) = (1, messages.len());
        while low < high {
            let middle = (low + high) / 2;
            if ends_behind(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low.saturating_sub(1)
    }
}

/// How a text is reached from what was read.
pub(super) enum Reached {
    /// By appending these tokens.
    Here(Vec<u32>),
    /// Not at all; these are the tokens of the whole text.
    Differs { tokens: Vec<u32>, difference: Difference },
}

/// Where two texts part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Byte of the rendered text.
    at: usize,
    rendered: String,
    read: String,
}

/// Position in `rendered` after everything in `read`: stretches of text, each with whether the
/// model wrote it.
pub(super) fn rest_after(
    read: &[(String, bool)],
    rendered: &str,
    loss: SpaceLoss,
) -> Result<usize, Difference> {
    let mut at = 0;
    // True while white space of the rendered text may be skipped: inside and right after the
    // model's own text.
    let mut is_loose = false;
    for (stretch, (text, is_own)) in read.iter().enumerate() {
        for (i, c) in text.char_indices() {
            let may_lose = |c: char| match loss {
                _ if *is_own => c.is_whitespace(),
                SpaceLoss::Any => c.is_whitespace(),
                SpaceLoss::Spaces => c == ' ',
                SpaceLoss::Nothing => false,
            };
            let is_extra =
                |next: char| next != c && (may_lose(next) || (is_loose && next.is_whitespace()));
            if may_lose(c) && !rendered[at..].starts_with(c) {
                continue;
            }
            while let Some(next) = rendered[at..].chars().next().filter(|&next| is_extra(next)) {
                at += next.len_utf8();
            }
            if !rendered[at..].starts_with(c) {
                let unread = text[i..]
                    .chars()
                    .chain(read[stretch + 1..].iter().flat_map(|(text, _)| text.chars()));
                return Err(Difference {
                    at,
                    rendered: rendered[at..].chars().take(SHOWN_CHARS).collect(),
                    read: unread.take(SHOWN_CHARS).collect(),
                });
            }
            at += c.len_utf8();
            is_loose = *is_own;
        }
        is_loose = is_loose || *is_own;
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rest(read: &[(&str, bool)], rendered: &str, loss: SpaceLoss) -> Result<String, usize> {
        let read: Vec<(String, bool)> =
            read.iter().map(|(text, own)| (text.to_string(), *own)).collect();
        rest_after(&read, rendered, loss)
            .map(|at| rendered[at..].to_string())
            .map_err(|difference| difference.at)
    }

    #[test]
    fn the_rest_begins_after_what_was_read() {
        let read = [("<u>hi<e>\n<a>\n", false), ("yes<e>", true)];
        assert_eq!(
            rest(&read, "<u>hi<e>\n<a>\nyes<e>\n<u>", SpaceLoss::Nothing),
            Ok("\n<u>".into())
        );
        assert_eq!(rest(&read, "<u>hi<e>\n<a>\nyes", SpaceLoss::Nothing), Err(16));
        assert_eq!(rest(&read, "<u>hi<e> \n<a>\nyes<e>", SpaceLoss::Nothing), Err(8));
    }

    #[test]
    fn white_space_of_the_model_is_its_own() {
        let read = [("<a>\n", false), (" yes \n\n no \n", true)];
        assert_eq!(rest(&read, "<a>\nyes no<e>\n", SpaceLoss::Nothing), Ok("<e>\n".into()));
        assert_eq!(rest(&read, "<a>\n  yes\t\n no \n", SpaceLoss::Nothing), Ok(String::new()));
        let trimmed = [("<a>\n", false), ("yes", true), ("<e>", false)];
        assert_eq!(rest(&trimmed, "<a>\nyes\n<e>\n", SpaceLoss::Nothing), Ok("\n".into()));
        assert_eq!(rest(&trimmed, "<a>\nyes<e>\n", SpaceLoss::Nothing), Ok("\n".into()));
    }

    #[test]
    fn spaces_that_the_tokenizer_loses_do_not_matter() {
        assert_eq!(rest(&[("<s> hi", false)], "<s>hi <e>", SpaceLoss::Spaces), Ok(" <e>".into()));
        assert_eq!(rest(&[("hi", false)], " hi<e>", SpaceLoss::Spaces), Ok("<e>".into()));
        assert_eq!(rest(&[("<s> hi", false)], "<s>\nhi", SpaceLoss::Spaces), Err(3));
        assert_eq!(rest(&[("a b", false)], "a\n\tb.", SpaceLoss::Any), Ok(".".into()));
    }
}
