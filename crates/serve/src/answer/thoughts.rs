//! Thoughts and answer of a text that is arriving.
//!
//! The rules of [`stateset_nn::ChatFormat::reply`], with one difference that a reader would question: a
//! closing tag without a thought before it is text, because by the time it comes the text before it has
//! been given out. Whether the prompt itself opened a thought is known beforehand here, so a thought
//! that was cut off by the limit is a thought, too.

use super::stops::beginning_of;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Text for the reader, or of a thought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Thought(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// A thought or text may follow.
    Start,
    /// Line ends of the thought's beginning may follow.
    Opened,
    Inside,
    /// Line ends between thought and text may follow.
    Closed,
    Text,
}

/// Tells thoughts from text.
#[derive(Debug)]
pub(super) struct Thoughts {
    place: Place,
    has_thought: bool,
    held: String,
}

impl Thoughts {
    /// For a text that begins inside a thought, or may begin with one.
    pub(super) fn new(begins_inside: bool) -> Thoughts {
        let place = if begins_inside { Place::Opened } else { Place::Start };
        Thoughts { place, has_thought: begins_inside, held: String::new() }
    }

    /// For a text that has no thoughts.
    pub(super) fn none() -> Thoughts {
        Thoughts { place: Place::Text, has_thought: false, held: String::new() }
    }

    /// True once there was a thought, be it empty.
    pub(super) fn has_thought(&self) -> bool {
        self.has_thought
    }

    /// Takes text; gives what is certain.
    pub(super) fn push(&mut self, text: &str) -> Vec<Part> {
        self.held.push_str(text);
        let mut parts = Vec::new();
        while self.step(&mut parts) {}
        parts
    }

    /// The rest.
    pub(super) fn finish(mut self) -> Vec<Part> {
        let rest = std::mem::take(&mut self.held);
        match self.place {
            Place::Start | Place::Text => vec![Part::Text(rest)],
            Place::Opened | Place::Inside => {
                vec![Part::Thought(rest.trim_end_matches('\n').to_owned())]
            }
            Place::Closed => Vec::new(),
        }
    }

    /// Reads one part of what is held; false once nothing more is certain.
    fn step(&mut self, parts: &mut Vec<Part>) -> bool {
        match self.place {
            Place::Start => self.start(),
            Place::Opened => self.line_ends(Place::Inside),
            Place::Inside => self.inside(parts),
            Place::Closed => self.line_ends(Place::Text),
            Place::Text => {
                if !self.held.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut self.held)));
                }
                false
            }
        }
    }

    fn start(&mut self) -> bool {
        let begun = self.held.trim_start();
        if let Some(rest) = begun.strip_prefix(OPEN) {
            self.held = rest.to_owned();
            (self.place, self.has_thought) = (Place::Opened, true);
            return true;
        }
        if OPEN.starts_with(begun) {
            return false;
        }
        self.place = Place::Text;
        true
    }

    fn line_ends(&mut self, next: Place) -> bool {
        self.held = self.held.trim_start_matches('\n').to_owned();
        if self.held.is_empty() {
            return false;
        }
        self.place = next;
        true
    }

    fn inside(&mut self, parts: &mut Vec<Part>) -> bool {
        let (end, is_closed) = match self.held.find(CLOSE) {
            Some(at) => (at, true),
            None => (beginning_of(&self.held, CLOSE), false),
        };
        let thought = self.held[..end].trim_end_matches('\n').to_owned();
        let taken = if is_closed { end + CLOSE.len() } else { thought.len() };
        self.held.drain(..taken);
        if !thought.is_empty() {
            parts.push(Part::Thought(thought));
        }
        if is_closed {
            self.place = Place::Closed;
        }
        is_closed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Thought and text, cut after each `size` characters.
    fn read(text: &str, begins_inside: bool, size: usize) -> (String, String) {
        let mut thoughts = Thoughts::new(begins_inside);
        let letters: Vec<char> = text.chars().collect();
        let mut parts: Vec<Part> = letters
            .chunks(size.max(1))
            .flat_map(|chunk| thoughts.push(&chunk.iter().collect::<String>()))
            .collect();
        parts.extend(thoughts.finish());
        let (mut thought, mut said) = (String::new(), String::new());
        for part in parts {
            match part {
                Part::Text(text) => said += &text,
                Part::Thought(text) => thought += &text,
            }
        }
        (thought, said)
    }

    #[test]
    fn thoughts_are_told_from_text() {
        let cases = [
            ("<think>\nwell\n</think>\n\nyes", false, ("well", "yes")),
            ("\n<think>a\nb</think>c</think>", false, ("a\nb", "c</think>")),
            ("\nwell\n</think>\n\nyes", true, ("well", "yes")),
            ("well</thi", true, ("well</thi", "")),
            ("<think>\n\n</think>\n\nyes", false, ("", "yes")),
            ("yes <think> no", false, ("", "yes <think> no")),
            (" <thin", false, ("", " <thin")),
            ("a</think>b", false, ("", "a</think>b")),
            ("", false, ("", "")),
        ];
        for (text, begins_inside, (thought, said)) in cases {
            for size in 1..12 {
                let found = read(text, begins_inside, size);
                assert_eq!(found, (thought.to_owned(), said.to_owned()), "{text:?} by {size}");
            }
        }
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(
            text in "(<think>|</think>|</|<|\\n|a|é| ){0,14}",
            begins_inside in any::<bool>(),
            size in 1usize..9,
        ) {
            let whole = read(&text, begins_inside, text.len());
            prop_assert_eq!(read(&text, begins_inside, size), whole);
        }
    }
}
