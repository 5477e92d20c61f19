//! Which tokens a speaker may not write, and how they are told from those the template writes.
//!
//! A user who types `<|im_end|>` must not be able to end their turn. The text of such a token is
//! wrapped in two private characters before rendering, found again afterwards, and spelled out with
//! ordinary tokens. Text without control tokens is not touched, so its tokens are those of
//! `transformers`. Source: `mark_control_tokens` of transformers 5.23.
//!
//! Users, tool results and tool descriptions may write no control token: no special token, and no
//! added token that the template writes (`<tool_response>`). Answers may write those that belong to
//! answers (`<think>`, `<tool_call>`, `<|python_tag|>`) but none that begins or ends a turn,
//! because a user can make a model repeat one letter by letter. The operator's system message may
//! write all. The choice a reader would question: `transformers` marks every role or none; marking
//! the operator's words would change prompts that speak of `<think>`, and marking answers would
//! break calls of tools.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use stateset_core::Role;

use super::meter::Marks;

/// Who writes a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    /// Users, tools and those who describe tools.
    Outside,
    /// The model, or data that speaks for it.
    Assistant,
    /// Whoever runs the agent.
    Operator,
}

impl Speaker {
    pub(super) fn of(role: Role) -> Speaker {
        match role {
            Role::User | Role::Tool => Speaker::Outside,
            Role::Assistant => Speaker::Assistant,
            Role::System => Speaker::Operator,
        }
    }
}

/// Texts that are control tokens for one tokenizer and template.
#[derive(Clone, Debug, Default)]
pub(super) struct ControlTokens {
    /// By first character, longest first.
    by_start: HashMap<char, Vec<String>>,
    /// Those that begin or end a turn.
    of_turns: HashSet<String>,
}

impl ControlTokens {
    pub(super) fn new(
        all: impl IntoIterator<Item = String>,
        of_turns: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut by_start: HashMap<char, Vec<String>> = HashMap::new();
        for token in all {
            if let Some(c) = token.chars().next() {
                by_start.entry(c).or_default().push(token);
            }
        }
        for tokens in by_start.values_mut() {
            tokens.sort_by_key(|token| std::cmp::Reverse(token.len()));
        }
        ControlTokens { by_start, of_turns: of_turns.into_iter().collect() }
    }

    /// Where control tokens stand that `speaker` may not write.
    pub(super) fn find(&self, text: &str, speaker: Speaker) -> Vec<Range<usize>> {
        if speaker == Speaker::Operator {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut next = 0;
        for (at, c) in text.char_indices() {
            let Some(tokens) = self.by_start.get(&c).filter(|_| at >= next) else { continue };
            let begins = |token: &&String| text[at..].starts_with(token.as_str());
            if let Some(token) = tokens.iter().find(begins) {
                next = at + token.len();
                if speaker == Speaker::Outside || self.of_turns.contains(token) {
                    found.push(at..next);
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: Marks = Marks { control: ['(', ')'], generated: ['[', ']'] };

    fn control() -> ControlTokens {
        ControlTokens::new(["<a>", "<a>b", "<c>"].map(str::to_string), [])
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
}
