//! What every reader of a call format answers, and the search for marks in text that is arriving.

use super::extent::{Extent, Syntax};

/// The text that is not read yet, and what is known of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// Everything after what was read; begins at the same place until something of it is taken.
    pub(super) rest: &'a str,
    /// Only blanks stand before `rest` on its line.
    pub(super) is_line_start: bool,
    /// Nothing follows.
    pub(super) is_end: bool,
}

impl View<'_> {
    /// Only blanks stand before byte `at` on its line.
    pub(super) fn is_line_start(&self, at: usize) -> bool {
        let before = &self.rest[..at];
        let (line, is_whole) = match before.rfind('\n') {
            Some(end) => (&before[end + 1..], true),
            None => (before, false),
        };
        line.chars().all(is_blank) && (is_whole || self.is_line_start)
    }

    /// Where the first `c` before byte `end` stands that has only blanks before it on its line.
    pub(super) fn first_of_line(&self, c: char, end: usize) -> Option<usize> {
        let text = &self.rest[..end];
        let mut at = if self.is_line_start { 0 } else { text.find('\n')? + 1 };
        loop {
            let line = text[at..].trim_start_matches(is_blank);
            if line.starts_with(c) {
                return Some(text.len() - line.len());
            }
            at += text[at..].find('\n')? + 1;
        }
    }
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// Name and arguments of a call, or the text that could not be read and why.
pub(super) type Found = Result<Spoken, Unread>;

/// A call without its id.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spoken {
    pub(super) name: String,
    pub(super) arguments: serde_json::Value,
}

/// Something that looks like a call and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unread {
    pub(super) raw: String,
    pub(super) why: String,
}

/// What the beginning of the unread text is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// So many bytes are text.
    Text(usize),
    /// So many bytes are calls.
    Calls(usize, Vec<Found>),
    /// More must be there first. Never the answer at the end.
    Wait,
}

impl Step {
    /// One call that cannot be read.
    pub(super) fn unread(bytes: usize, raw: &str, why: impl Into<String>) -> Step {
        let unread = Unread { raw: raw.trim().to_owned(), why: why.into() };
        Step::Calls(bytes, vec![Err(unread)])
    }
}

/// Reads one format. What it answers must not depend on how much of the text has arrived: it says
/// [`Step::Wait`] until it is certain.
pub(super) trait Scan: Send {
    /// What the beginning of `view.rest` is.
    fn step(&mut self, view: View<'_>) -> Step;
}

/// The text before the first of `marks`, or up to where one may be beginning; `Err` gives the mark's
/// index where one stands at the very beginning.
pub(super) fn text_before(view: View<'_>, marks: &[&str]) -> Result<Step, usize> {
    let found = marks.iter().enumerate().filter_map(|(i, mark)| Some((view.rest.find(mark)?, i)));
    match found.min() {
        Some((0, i)) => Err(i),
        Some((at, _)) => Ok(Step::Text(at)),
        None if view.is_end => Ok(Step::Text(view.rest.len())),
        None => Ok(match certain_text(view.rest, marks) {
            0 => Step::Wait,
            n => Step::Text(n),
        }),
    }
}

/// Bytes of `text` before the longest end that one of `marks` begins with.
fn certain_text(text: &str, marks: &[&str]) -> usize {
    let longest = marks.iter().map(|mark| mark.len()).max().unwrap_or(0);
    let from = text.len().saturating_sub(longest);
    let is_open = |at: &usize| {
        text.is_char_boundary(*at) && marks.iter().any(|mark| mark.starts_with(&text[*at..]))
    };
    (from..text.len()).find(is_open).unwrap_or(text.len())
}

/// A search for one mark that goes on where it stopped.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    done: usize,
    found: Option<usize>,
}

impl Search {
    /// Where `mark` stands in `text` at or after byte `from`; `text` grows from call to call.
    pub(super) fn find(&mut self, text: &str, from: usize, mark: &str) -> Option<usize> {
        if self.found.is_none() {
            let mut start = self.done.max(from).min(text.len());
            while !text.is_char_boundary(start) {
                start -= 1;
            }
            self.found = text[start..].find(mark).map(|at| start + at);
            self.done = text.len().saturating_sub(mark.len());
        }
        self.found
    }
}

/// A bracketed text at byte `from` of what is arriving: its end, remembered between calls.
pub(super) fn end_of(
    extent: &mut Option<Extent>,
    syntax: Syntax,
    rest: &str,
    from: usize,
) -> Option<usize> {
    let end = extent.get_or_insert_with(|| Extent::new(syntax)).end(&rest[from..])?;
    *extent = None;
    Some(from + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_certain_up_to_where_a_mark_may_begin() {
        let view = |rest, is_end| View { rest, is_line_start: true, is_end };
        let marks = ["<tool>", "<fun"];
        assert_eq!(text_before(view("a <b <to", false), &marks), Ok(Step::Text(5)));
        assert_eq!(text_before(view("<to", false), &marks), Ok(Step::Wait));
        assert_eq!(text_before(view("<to", true), &marks), Ok(Step::Text(3)));
        assert_eq!(text_before(view("é<", false), &marks), Ok(Step::Text(2)));
        assert_eq!(text_before(view("a<funny", false), &marks), Ok(Step::Text(1)));
        assert_eq!(text_before(view("<tool>", false), &marks), Err(0));
    }

    #[test]
    fn a_line_begins_after_blanks() {
        let view = View { rest: "ab\n  {", is_line_start: false, is_end: false };
        assert!(view.is_line_start(5) && view.is_line_start(3) && !view.is_line_start(1));
        assert!(!view.is_line_start(0));
        assert_eq!(view.first_of_line('{', 6), Some(5));
        assert_eq!(view.first_of_line('{', 5), None);
        assert_eq!(view.first_of_line('a', 6), None);
        let view = View { is_line_start: true, ..view };
        assert_eq!(view.first_of_line('a', 6), Some(0));
    }
}
