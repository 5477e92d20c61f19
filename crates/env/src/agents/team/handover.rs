//! What one agent tells the next.

use stateset_core::Message;

use crate::agents::context::{TokenCounter, summarise};
use crate::agents::memory::facts_of;

/// Key of an agent's context under which it is told what was before it took over; shown with its instructions.
pub const BRIEFING: &str = "briefing";

/// Most tokens of the summary.
const MAX_TOKENS: usize = 200;

/// A conversation that changes hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// Who had it.
    pub from: String,
    /// Who has it now.
    pub to: String,
    /// The reason.
    pub why: String,
    /// What users said of themselves, `key: value`.
    pub facts: Vec<String>,
    /// What was said, in quotes.
    pub summary: String,
}

impl Handover {
    /// What there is to hand over of `messages`.
    pub fn of(from: &str, to: &str, why: &str, messages: &[Message]) -> Handover {
        let said = messages.iter().filter(|m| m.role == stateset_core::Role::User);
        let mut facts: Vec<String> = Vec::new();
        for fact in said.flat_map(|message| facts_of(&message.content)) {
            let stale = format!("{}: ", fact.key);
            if !fact.adds_up() {
                facts.retain(|known| !known.starts_with(&stale));
            }
            facts.push(format!("{stale}{}", fact.value));
        }
        Handover {
            from: from.to_owned(),
            to: to.to_owned(),
            why: why.to_owned(),
            facts,
            summary: summarise(messages, MAX_TOKENS, 0.95, &TokenCounter::default()),
        }
    }

    /// What the next agent reads.
    pub fn to_text(&self) -> String {
        let mut text = format!("You take over from {}: {}.", self.from, self.why);
        if !self.facts.is_empty() {
            text.push_str("\nAbout the user:");
            self.facts.iter().for_each(|fact| text.push_str(&format!("\n- {fact}")));
        }
        if !self.summary.is_empty() {
            text.push_str(&format!("\nSaid so far:\n{}", self.summary));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_agent_learns_what_was_said() {
        let messages = [
            Message::user("My name is Ann. My router is broken."),
            Message::assistant("Sorry to hear that."),
            Message::user("I mean, my name is Anna."),
        ];
        let text = Handover::of("front", "technical", "the user's words fit technical", &messages)
            .to_text();
        assert!(text.starts_with("You take over from front: the user's words fit technical."));
        assert!(text.contains("- name: Anna\n") && !text.contains("name: Ann\n"), "{text}");
        assert!(text.contains("- router: broken"), "{text}");
        assert!(text.contains("- user: My router is broken"), "{text}");
        assert_eq!(Handover::of("a", "b", "c", &[]).to_text(), "You take over from a: c.");
    }
}
