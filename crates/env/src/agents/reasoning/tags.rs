//! The tags between which a model thinks.

use stateset_core::Message;

use super::splitter::ReasoningSplitter;
use crate::error::{EnvError, Problem};

/// Longest name in characters.
const MAX_NAME_CHARS: usize = 40;

/// An opening and a closing tag, such as `<think>` and `</think>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasoningTags {
    /// Begins a thought.
    pub open: String,
    /// Ends it.
    pub close: String,
    /// True where the prompt has already opened a thought, so that an answer begins inside one.
    pub begins_inside: bool,
}

impl Default for ReasoningTags {
    fn default() -> Self {
        ReasoningTags::around("think")
    }
}

impl ReasoningTags {
    /// The tags of this name.
    ///
    /// # Errors
    /// [`EnvError::Agent`] unless the name is letters, digits, `_` and `-`.
    pub fn named(name: &str) -> Result<Self, EnvError> {
        let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if !name.is_empty() && name.chars().all(fits) && name.chars().count() <= MAX_NAME_CHARS {
            return Ok(ReasoningTags::around(name));
        }
        let bare = name.trim_matches(|c| matches!(c, '<' | '>' | '/'));
        let hint = (bare != name && !bare.is_empty()).then(|| format!("write {bare:?}"));
        let problem = Problem {
            place: String::new(),
            key: "reasoning_tag".to_owned(),
            found: format!("{name:?}"),
            allowed: format!("1 to {MAX_NAME_CHARS} letters, digits, _ and -"),
            hint,
        };
        Err(EnvError::Agent { problems: vec![problem] })
    }

    fn around(name: &str) -> Self {
        ReasoningTags {
            open: format!("<{name}>"),
            close: format!("</{name}>"),
            begins_inside: false,
        }
    }

    /// What is thought, where anything is, and what is said.
    pub fn split(&self, text: &str) -> (Option<String>, String) {
        let mut splitter = ReasoningSplitter::new(self.clone());
        let mut said = splitter.push(text);
        let (rest, thought) = splitter.finish();
        said.push_str(&rest);
        (thought, said)
    }

    /// Moves what is thought in an answer to its reasoning; true where there was anything.
    pub fn separate(&self, message: &mut Message) -> bool {
        let (thought, said) = self.split(&message.content);
        let Some(thought) = thought else { return false };
        message.content = said;
        let earlier = message.reasoning.take().filter(|earlier| !earlier.is_empty());
        message.reasoning = Some(match earlier {
            Some(earlier) => format!("{earlier}\n{thought}"),
            None => thought,
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_make_tags() {
        assert_eq!(ReasoningTags::named("think").unwrap(), ReasoningTags::default());
        assert_eq!(ReasoningTags::named("denk_1").unwrap().close, "</denk_1>");
        let error = ReasoningTags::named("<think>").unwrap_err().to_string();
        assert!(error.contains("reasoning_tag") && error.contains("write \"think\""), "{error}");
        assert!(ReasoningTags::named("").is_err());
    }

    #[test]
    fn thoughts_move_out_of_the_answer() {
        let mut message = Message::assistant("<think>\nwell\n</think>\n\nYes.");
        assert!(ReasoningTags::default().separate(&mut message));
        assert_eq!(
            (message.content.as_str(), message.reasoning.as_deref()),
            ("Yes.", Some("well"))
        );
        message.content = "a<think>b</think>c".into();
        assert!(ReasoningTags::default().separate(&mut message));
        assert_eq!(message.reasoning.as_deref(), Some("well\nb"));
        assert!(!ReasoningTags::default().separate(&mut message));
        assert_eq!(message.content, "ac");
    }
}
