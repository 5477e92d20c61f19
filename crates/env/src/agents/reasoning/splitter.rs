//! Splits thoughts from words while they come.
//!
//! Whatever the pieces in which a text comes, what is said and what is thought are those of the whole. Text that could
//! still become a tag is held back. White space between a thought and the first word is neither. The choice
//! a reader would question: a closing tag without an opening one is dropped and what came before it stays
//! said, because it was said already when the tag came; where a prompt opens the thought, `begins_inside` says so.

use super::tags::ReasoningTags;

/// Splits one answer.
#[derive(Clone, Debug)]
pub struct ReasoningSplitter {
    tags: ReasoningTags,
    is_inside: bool,
    /// Not yet certain: the beginning of a tag, perhaps.
    held: String,
    thoughts: Vec<String>,
    /// Nothing visible was said since a thought at the beginning.
    skips_space: bool,
    has_said: bool,
}

impl ReasoningSplitter {
    /// A splitter for an answer that has not begun.
    pub fn new(tags: ReasoningTags) -> Self {
        let is_inside = tags.begins_inside;
        let thoughts = if is_inside { vec![String::new()] } else { Vec::new() };
        ReasoningSplitter {
            tags,
            is_inside,
            held: String::new(),
            thoughts,
            skips_space: false,
            has_said: false,
        }
    }

    /// Takes the next piece and gives what is certainly said.
    pub fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        let mut said = String::new();
        while let Some((at, tag_len, opens)) = self.next_tag() {
            let before: String = self.held.drain(..at).collect();
            self.held.drain(..tag_len);
            self.take(&before, &mut said);
            if opens && !self.is_inside {
                self.thoughts.push(String::new());
            }
            if !opens {
                self.skips_space = !self.has_said;
            }
            self.is_inside = opens;
        }
        let sure = self.held.len() - self.possible_tag();
        let before: String = self.held.drain(..sure).collect();
        self.take(&before, &mut said);
        said
    }

    /// Ends the answer: what was held back and is said after all, and what was thought, `None` where nothing
    /// was. A thought that is never closed is a thought.
    pub fn finish(mut self) -> (String, Option<String>) {
        let mut said = String::new();
        let held = std::mem::take(&mut self.held);
        self.take(&held, &mut said);
        let thoughts: Vec<&str> = self.thoughts.iter().map(|thought| thought.trim()).collect();
        let is_empty = thoughts.is_empty();
        (said, (!is_empty).then(|| thoughts.join("\n")))
    }

    fn take(&mut self, text: &str, said: &mut String) {
        if self.is_inside {
            if let Some(thought) = self.thoughts.last_mut() {
                thought.push_str(text);
            }
            return;
        }
        let text = if self.skips_space { text.trim_start() } else { text };
        if !text.is_empty() {
            self.skips_space = false;
            self.has_said |= text.chars().any(|c| !c.is_whitespace());
            said.push_str(text);
        }
    }

    /// Place and length of the first tag that is held, and whether it opens.
    fn next_tag(&self) -> Option<(usize, usize, bool)> {
        let find = |tag: &str, opens| {
            let at = (!tag.is_empty()).then(|| self.held.find(tag)).flatten()?;
            Some((at, tag.len(), opens))
        };
        let open = find(&self.tags.open, true);
        let close = find(&self.tags.close, false);
        open.into_iter().chain(close).min_by_key(|(at, ..)| *at)
    }

    /// Bytes at the end that could begin a tag.
    fn possible_tag(&self) -> usize {
        let ends_with = |n: usize, tag: &str| {
            n < tag.len() && tag.is_char_boundary(n) && self.held.ends_with(&tag[..n])
        };
        let longest = self.tags.open.len().max(self.tags.close.len());
        (1..longest)
            .rev()
            .find(|n| ends_with(*n, &self.tags.open) || ends_with(*n, &self.tags.close))
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(begins_inside: bool) -> ReasoningTags {
        ReasoningTags { begins_inside, ..ReasoningTags::default() }
    }

    #[test]
    fn thoughts_and_words() {
        let cases: &[(&str, bool, Option<&str>, &str)] = &[
            ("yes", false, None, "yes"),
            ("", false, None, ""),
            ("<think>\nwell\n</think>\n\nyes", false, Some("well"), "yes"),
            ("<think></think>yes", false, Some(""), "yes"),
            ("<think>well", false, Some("well"), ""),
            ("a <think>b</think> c<think>d</think>e", false, Some("b\nd"), "a  ce"),
            ("well</think>\nyes", true, Some("well"), "yes"),
            ("well", true, Some("well"), ""),
            ("a</think>b", false, None, "ab"),
            ("<think>a<think>b</think>c", false, Some("ab"), "c"),
            ("1 < 2 <thin", false, None, "1 < 2 <thin"),
            ("<<think>a</think>b", false, Some("a"), "<b"),
        ];
        for (text, inside, thought, said) in cases {
            let (found, visible) = tags(*inside).split(text);
            assert_eq!((found.as_deref(), visible.as_str()), (*thought, *said), "{text:?}");
        }
    }

    #[test]
    fn what_is_certain_is_said_at_once() {
        let mut splitter = ReasoningSplitter::new(tags(false));
        assert_eq!(splitter.push("Hello <"), "Hello ");
        assert_eq!(splitter.push("b> you"), "<b> you");
        assert_eq!(splitter.push(" <thi"), " ");
        assert_eq!(splitter.push("nk>secret"), "");
        assert_eq!(splitter.push("</thi"), "");
        assert_eq!(splitter.push("nk>!"), "!");
        assert_eq!(splitter.finish(), (String::new(), Some("secret".into())));
    }
}
