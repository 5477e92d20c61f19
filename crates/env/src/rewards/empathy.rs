//! Does the agent show that it understands how the user feels?
//!
//! # What earns
//!
//! | credit | for |
//! |---|---|
//! | 0.5 | naming the trouble: "sorry to hear", "I understand", "that must be.." (`words/service.txt`, acknowledge) |
//! | 0.2 | doing so about the user's matter: the same turn uses a content word of theirs |
//! | 0.3 | care: "let me help", "I'll make sure", "here to help" (care), in a turn that names the trouble or is about the matter |
//!
//! Each is earned once in a conversation; see [`super::heuristic`].
//!
//! # What does not
//! A second apology, a denied one ("not sorry"), and anything in a turn that is unreadable, repeated or
//! cut off.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! Sympathy costs nothing: it is paid whether or not help follows, and for users without a trouble too.
//! Use it as a small part of a composite.
//!
//! # Source
//! The documents' component of the same name counts matches, two for everything; here one of each kind is
//! enough, so that heaping up sympathy earns nothing.

use std::sync::LazyLock;

use stateset_core::Scenario;

use super::agent_turns::AgentTurn;
use super::heuristic::{Credit, Heuristic, Over, credit, heuristic_reward};
use super::lexicon::Lexicon;

/// Judges empathy; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmpathyReward;

/// Service phrases, which several rewards share.
pub(super) static SERVICE: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::parse(include_str!("words/service.txt")));

impl Heuristic for EmpathyReward {
    const OVER: Over = Over::Once;

    fn credits(&self, turns: &[AgentTurn<'_>], index: usize, _: &Scenario) -> Vec<Credit> {
        let turn = &turns[index];
        let hits = SERVICE.scan(turn);
        let trouble = hits.first("acknowledge");
        let shared = turn.shared_word().map(str::to_owned);
        let has_ground = trouble.is_some() || shared.is_some();
        let care = hits.first("care").filter(|_| has_ground);
        let matter = shared.filter(|_| trouble.is_some());
        [credit("trouble", 0.5, trouble), credit("matter", 0.2, matter), credit("care", 0.3, care)]
            .into_iter()
            .flatten()
            .collect()
    }
}

heuristic_reward!(EmpathyReward, "empathy");

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;

    fn judged(lines: &[&str]) -> f64 {
        value(&EmpathyReward.judge(&chat(lines), &Scenario::default()))
    }

    #[test]
    fn earns() {
        let user = "My parcel is late again and I am angry.";
        let full = "I am sorry to hear that your parcel is late. Let me help you with that.";
        assert!((judged(&[user, full]) - 1.0).abs() < 1e-9);
        assert!((judged(&[user, "I’m sorry."]) - 0.5).abs() < 1e-9, "a curly apostrophe");
        let later = judged(&[
            user,
            "I’m sorry about the parcel.",
            "So?",
            "I'll make sure that the parcel comes.",
        ]);
        assert!((later - 1.0).abs() < 1e-9);
    }

    #[test]
    fn does_not_earn() {
        let user = "My parcel is late.";
        for reply in ["What is the number?", "I am not sorry.", "", "It was sent on Monday."] {
            assert_eq!(judged(&[user, reply]), 0.0, "{reply}");
        }
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&["My parcel is late."]).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let user = "My parcel is late.";
        let heap =
            "I am so sorry. I apologise. That must be upsetting. I understand. How annoying.";
        assert!(judged(&[user, heap]) <= 0.5 + 1e-9);
        assert_eq!(
            judged(&[user, "sorry apologise understand help parcel late upset annoying"]),
            0.0
        );
        assert_eq!(judged(&[user, "My parcel is late."]), 0.0);
    }
}
