//! Conversations from data as traces whose assistant text is the *target*.
//!
//! Where the template marks generated text (`{% generation %}`), the targets are exactly that text,
//! as `return_assistant_tokens_mask` of transformers has it, in one row. Elsewhere each answer is
//! taken in the context that sampling would have given it: what the template renders before it,
//! with the beginning of the answer, is *given*; what it renders for the answer, up to and with the
//! end-of-turn token, is *target*. Rows are continued as in [`super::continuation`], so a template
//! that rewrites history gives several rows, each the true context of its target, and the tokens of
//! an append-only template are those of encoding its whole rendering. Where the prompt opens a
//! thought that history does not show, the target closes it. The choice a reader would question: in
//! later rows earlier answers are *given*, so no answer is trained on twice.

use std::ops::Range;

use stateset_core::{Message, Role, TokenTrace, ToolSpec};

use super::chat_format::ChatFormat;
use super::continuation::{Reached, rest_after};
use super::control::Unmarked;
use super::reply::{CLOSE, OPEN};
use crate::text_error::TextError;
use crate::tokenizer::SpaceLoss;

impl ChatFormat {
    /// The conversation as one trace; its last message need not be the assistant's.
    ///
    /// # Errors
    /// The template variants of [`TextError`], with the turn;
    /// [`TextError::CannotContinue`] where the template hides an answer.
    pub fn supervised(
        &self,
        messages: &[Message],
        tools: &[ToolSpec],
    ) -> Result<TokenTrace, TextError> {
        if self.template().marks_generation(&self.options(tools, false))? {
            return self.marked(messages, tools);
        }
        let mut trace = TokenTrace::new();
        for (turn, message) in messages.iter().enumerate() {
            if message.role == Role::Assistant {
                let answer = self.answer(messages, tools, turn)?;
                self.advance(&mut trace, &answer.context)?;
                let tokens = self.target_tokens(&trace, &answer)?;
                trace.append_target(&tokens);
            }
        }
        self.close(&mut trace, messages, tools)?;
        Ok(trace)
    }

    /// One row whose targets are what the template marks.
    fn marked(&self, messages: &[Message], tools: &[ToolSpec]) -> Result<TokenTrace, TextError> {
        let options = self.options(tools, false);
        let messages = self.adapted(messages, tools);
        let rendered = self.template().render_marked(&messages, &options, &self.control, true)?;
        let mut trace = TokenTrace::new();
        let mut done = 0;
        for target in union(&rendered.generated) {
            let given = self.next_tokens(&trace, &rendered, done..target.start)?;
            trace.append_given(&given);
            let tokens = self.next_tokens(&trace, &rendered, target.clone())?;
            trace.append_target(&tokens);
            done = target.end;
        }
        let given = self.next_tokens(&trace, &rendered, done..rendered.text.len())?;
        trace.append_given(&given);
        Ok(trace)
    }

    fn next_tokens(
        &self,
        trace: &TokenTrace,
        rendered: &Unmarked,
        range: Range<usize>,
    ) -> Result<Vec<u32>, TextError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        self.tokens_within(rendered, range, last_token(trace))
    }

    /// The answer at `turn` in the context that sampling would give it.
    fn answer(
        &self,
        messages: &[Message],
        tools: &[ToolSpec],
        turn: usize,
    ) -> Result<Answer, TextError> {
        let said = self.rendered(&messages[..=turn], tools, false)?;
        // Some templates cannot render an empty conversation.
        let prompt = self.rendered(&messages[..turn], tools, true).ok();
        let starts = |context: &str| {
            rest_after(&[(context.to_string(), false)], &said.text, SpaceLoss::Any).ok()
        };
        if let Some(prompt) = prompt {
            if let Some(start) = starts(&prompt.text) {
                return Ok(self.answer_from(prompt, said, start));
            }
            let opened = prompt.text.trim_end().strip_suffix(OPEN);
            if let Some(start) = opened.and_then(starts) {
                let answer = self.answer_from(prompt, said, start);
                return Ok(
                    answer.with_thought(messages[turn].reasoning.as_deref().unwrap_or_default())
                );
            }
        }
        // Others write another beginning before an answer in history than in the prompt; then the
        // answer's context is what stands before its content.
        let content = messages[turn].content.trim();
        let found = said.text.rfind(content).filter(|_| !content.is_empty());
        let start = found.ok_or_else(|| TextError::CannotContinue {
            turn,
            why: "the template does not write the answer behind what it writes before it".into(),
        })?;
        Ok(self.answer_from(said.until(start), said, start))
    }

    fn answer_from(&self, context: Unmarked, said: Unmarked, start: usize) -> Answer {
        let end = start + self.end_of_turn(&said.text[start..]);
        Answer { context, said, target: start..end }
    }

    /// Length of an answer up to and with its last end token; all of it where it has none.
    fn end_of_turn(&self, answer: &str) -> usize {
        let ends = self.end_ids().iter().filter_map(|&id| self.tokenizer().id_to_token(id));
        ends.filter_map(|end| answer.rfind(&end).map(|at| at + end.len()))
            .max()
            .unwrap_or(answer.len())
    }

    /// Brings the trace to `context`, in a new row if need be.
    fn advance(&self, trace: &mut TokenTrace, context: &Unmarked) -> Result<(), TextError> {
        let reached = match trace.current() {
            Some(segment) => self.reach(segment, context)?,
            None => Reached::Here(self.tokens_of(context)?),
        };
        match reached {
            Reached::Here(tokens) => trace.append_given(&tokens),
            Reached::Differs { tokens, .. } => {
                trace.start_segment();
                trace.append_given(&tokens);
            }
        }
        Ok(())
    }

    fn target_tokens(&self, trace: &TokenTrace, answer: &Answer) -> Result<Vec<u32>, TextError> {
        let previous = last_token(trace);
        if !self.template().is_plain() {
            return self.tokens_within(&answer.said, answer.target.clone(), previous);
        }
        let text = &answer.said.text[answer.target.clone()];
        let Some(end) = self.tokenizer().eos_id() else {
            return self.tokens_within(&answer.said, answer.target.clone(), previous);
        };
        let spoken = answer.target.start..answer.target.start + text.trim_end_matches('\n').len();
        let mut tokens = self.tokens_within(&answer.said, spoken, previous)?;
        tokens.push(end);
        Ok(tokens)
    }

    /// Appends what the template writes after the last answer, where it only appends.
    fn close(
        &self,
        trace: &mut TokenTrace,
        messages: &[Message],
        tools: &[ToolSpec],
    ) -> Result<(), TextError> {
        let ends_in_answer = messages.last().is_some_and(|message| message.role == Role::Assistant);
        if self.template().is_plain() && ends_in_answer {
            return Ok(());
        }
        let whole = self.rendered(messages, tools, false)?;
        let reached = match trace.current() {
            Some(segment) => self.reach(segment, &whole)?,
            None => Reached::Here(self.tokens_of(&whole)?),
        };
        if let Reached::Here(tokens) = reached {
            trace.append_given(&tokens);
        }
        Ok(())
    }
}

/// An answer of the data.
struct Answer {
    /// The text before it.
    context: Unmarked,
    /// The conversation up to and with it.
    said: Unmarked,
    /// The answer's bytes in `said`.
    target: Range<usize>,
}

impl Answer {
    /// The answer behind the thought that its prompt opens.
    fn with_thought(mut self, thought: &str) -> Answer {
        let text = format!("{thought}\n{CLOSE}\n\n{}", &self.said.text[self.target]);
        self.target = 0..text.len();
        self.said = Unmarked { text, ..Unmarked::default() };
        self
    }
}

impl Unmarked {
    /// The text before byte `end`.
    fn until(&self, end: usize) -> Unmarked {
        let is_before = |span: &&Range<usize>| span.end <= end;
        Unmarked {
            text: self.text[..end].to_string(),
            spelled: self.spelled.iter().filter(is_before).cloned().collect(),
            generated: Vec::new(),
        }
    }
}

fn last_token(trace: &TokenTrace) -> Option<u32> {
    trace.current()?.tokens().last().copied()
}

/// The ranges without overlaps and empty ones, ascending.
fn union(ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut sorted: Vec<Range<usize>> =
        ranges.iter().filter(|range| !range.is_empty()).cloned().collect();
    sorted.sort_by_key(|range| range.start);
    let mut all: Vec<Range<usize>> = Vec::new();
    for range in sorted {
        match all.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => all.push(range),
        }
    }
    all
}
