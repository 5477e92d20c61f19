//! Does the agent answer as good technical support does?
//!
//! # What earns
//!
//! | credit | for |
//! |---|---|
//! | 0.2 | finding out: a question, or a word of diagnosis (`words/technical.txt`, diagnose) |
//! | 0.3 | a step that mends: "restart", "go to settings" (solve) |
//! | 0.2 | saying why: "because", "this clears", "so that" (explain) |
//! | 0.2 | order: two different words of order, "first" and "then" (step); half for one |
//! | 0.1 | a technical term (term) |
//!
//! A turn of fewer than three words, or one that uses no content word of a user who has spoken, earns only
//! seven tenths of that. Each credit is earned once in a conversation, so that a turn that asks and a later
//! one that solves add up; see [`super::heuristic`].
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! A fluent recipe for another problem that shares a word with the user's earns nearly all.
//!
//! # Source
//! The documents' `TechnicalSupportReward`, with its shares; there each further match pays up to a cap.
//! Its name here says "reply", because `technical_support` is the preset for simulated customers.

use std::sync::LazyLock;

use stateset_core::Scenario;

use super::agent_turns::AgentTurn;
use super::customer_service::relevance;
use super::heuristic::{Credit, Heuristic, Over, credit, heuristic_reward};
use super::lexicon::Lexicon;

/// Judges replies of technical support; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TechnicalSupportReplyReward;

static WORDS: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::parse(include_str!("words/technical.txt")));

impl Heuristic for TechnicalSupportReplyReward {
    const OVER: Over = Over::Once;

    fn credits(&self, turns: &[AgentTurn<'_>], index: usize, _: &Scenario) -> Vec<Credit> {
        let turn = &turns[index];
        let hits = WORDS.scan(turn);
        let finds_out = hits.first("diagnose").or_else(|| turn.asks().then(|| "?".to_owned()));
        let steps = hits.distinct("step");
        let worth_of_steps = 0.1 * steps.len().min(2) as f64;
        let steps = (!steps.is_empty()).then(|| steps.join(", "));
        let share = relevance(turn);
        [
            credit("finds out", 0.2 * share, finds_out),
            credit("mends", 0.3 * share, hits.first("solve")),
            credit("says why", 0.2 * share, hits.first("explain")),
            credit("order", worth_of_steps * share, steps),
            credit("term", 0.1 * share, hits.first("term")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

heuristic_reward!(TechnicalSupportReplyReward, "technical_support_reply");

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;

    const USER: &str = "My laptop does not find the printer any more.";

    fn judged(lines: &[&str]) -> f64 {
        value(&TechnicalSupportReplyReward.judge(&chat(lines), &Scenario::default()))
    }

    #[test]
    fn earns() {
        let full = "It looks like the printer lost its connection. First turn it off, then restart the \
                    laptop, because that makes it search again.";
        assert!((judged(&[USER, full]) - 1.0).abs() < 1e-9);
        let both = judged(&[
            USER,
            "Is the printer on the same network as the laptop?",
            "Yes.",
            "Then restart the printer first, so that it gets a new address.",
        ]);
        assert!((both - 1.0).abs() < 1e-9, "{both}");
    }

    #[test]
    fn does_not_earn() {
        for (reply, most) in [
            ("", 0.0),
            ("Ok.", 0.0),
            ("We value your custom.", 0.0),
            ("Have you eaten today?", 0.15),
        ] {
            assert!(judged(&[USER, reply]) <= most, "{reply}: {}", judged(&[USER, reply]));
        }
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&[USER]).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let list =
            "printer laptop restart reset reinstall update router cache first then because error";
        assert!(judged(&[USER, list]) < 0.05);
        assert_eq!(judged(&[USER, USER]), 0.0);
    }
}
