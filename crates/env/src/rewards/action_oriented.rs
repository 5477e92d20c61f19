//! Does the agent do something, or say what to do?
//!
//! # What earns
//!
//! | credit | for |
//! |---|---|
//! | 0.5 | an act of the agent ("I will..", "I have..", "let me.."), or an instruction ("please..", "you can..", "restart..") (`words/action.txt`, act and instruct) |
//! | 0.3 | being concrete: a number or a time ("within two days", "today", "first.. then") in the same turn |
//! | 0.2 | acting on the user's matter: the same turn uses a content word of theirs |
//!
//! Each is earned once in a conversation; see [`super::heuristic`].
//!
//! # What does not
//! Denied acts ("I will not", "I cannot"), and turns that are unreadable, repeated or cut off.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! Promises are cheap: nothing tells whether the act was done. Combine it with a reward that knows.
//!
//! # Source
//! The documents' component of the same name divides the number of matches by three; here one act counts
//! and the rest asks whether it is concrete and to the point.

use std::sync::LazyLock;

use stateset_core::Scenario;

use super::agent_turns::AgentTurn;
use super::heuristic::{Credit, Heuristic, Over, credit, heuristic_reward};
use super::lexicon::Lexicon;

/// Judges whether the agent acts; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActionOrientedReward;

/// Phrases of acting, which several rewards share.
pub(super) static ACTION: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::parse(include_str!("words/action.txt")));

/// A number in `turn`, such as an order's, a price or a step.
pub(super) fn number_in(turn: &AgentTurn<'_>) -> Option<String> {
    turn.words.iter().find(|word| word.starts_with(|c: char| c.is_numeric())).cloned()
}

impl Heuristic for ActionOrientedReward {
    const OVER: Over = Over::Once;

    fn credits(&self, turns: &[AgentTurn<'_>], index: usize, _: &Scenario) -> Vec<Credit> {
        let turn = &turns[index];
        let hits = ACTION.scan(turn);
        let Some(act) = hits.first("act").or_else(|| hits.first("instruct")) else {
            return Vec::new();
        };
        let concrete = hits.first("when").or_else(|| number_in(turn));
        let matter = turn.shared_word().map(str::to_owned);
        [
            credit("act", 0.5, Some(act)),
            credit("concrete", 0.3, concrete),
            credit("matter", 0.2, matter),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

heuristic_reward!(ActionOrientedReward, "action_oriented");

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;

    fn judged(lines: &[&str]) -> f64 {
        value(&ActionOrientedReward.judge(&chat(lines), &Scenario::default()))
    }

    #[test]
    fn earns() {
        let user = "My lamp is broken.";
        for (reply, worth) in [
            ("I have sent you a new lamp today.", 1.0),
            ("Please unplug the lamp and wait for 10 minutes.", 1.0),
            ("Let me see what we can do.", 0.5),
            ("I will send a new lamp.", 0.7),
        ] {
            assert!((judged(&[user, reply]) - worth).abs() < 1e-9, "{reply}");
        }
    }

    #[test]
    fn does_not_earn() {
        let user = "My lamp is broken.";
        for reply in ["That is a pity.", "I will never send a lamp.", "", "Is it the big lamp?"] {
            assert_eq!(judged(&[user, reply]), 0.0, "{reply}");
        }
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&["My lamp is broken."]).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let user = "My lamp is broken.";
        assert_eq!(judged(&[user, "send check fix lamp today tomorrow minutes restart open"]), 0.0);
        let salad = judged(&[user, "I will will the today of please lamp to we have is minutes"]);
        assert!(salad < 0.2, "{salad}");
    }
}
