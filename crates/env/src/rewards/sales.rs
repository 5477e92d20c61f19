//! Does the agent answer as a good seller does?
//!
//! # What earns
//!
//! | credit | for |
//! |---|---|
//! | 0.25 | a benefit: "lasts longer", "so you can", "comes with" (`words/sales.txt`, benefit) |
//! | 0.25 | speaking to the person's needs: "you mentioned", "for your kitchen" (personal), in a turn that uses a content word of theirs |
//! | 0.2 | grounds to trust: a guarantee, reviews, a way back (trust) |
//! | 0.2 | a question of three words or more |
//! | 0.1 | something concrete: a number, such as a price |
//!
//! Words of pressure ("act now", "last chance") take 0.1 for the first and 0.2 for each further one. Each
//! credit is earned once in a conversation; see [`super::heuristic`].
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! Promises about the goods are not checked.
//!
//! # Source
//! The documents' `SalesAssistantReward`; there a first word of urgency earns 0.1, here none does. Its name
//! here says "reply", because `sales` is the preset for simulated customers.

use std::sync::LazyLock;

use stateset_core::Scenario;

use super::action_oriented::number_in;
use super::agent_turns::AgentTurn;
use super::heuristic::{Credit, Heuristic, Over, credit, credit_if, heuristic_reward};
use super::lexicon::Lexicon;

/// Judges replies of sellers; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SalesReplyReward;

static WORDS: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::parse(include_str!("words/sales.txt")));

impl Heuristic for SalesReplyReward {
    const OVER: Over = Over::Once;

    fn credits(&self, turns: &[AgentTurn<'_>], index: usize, _: &Scenario) -> Vec<Credit> {
        let turn = &turns[index];
        let hits = WORDS.scan(turn);
        let is_about_it = turn.user_words.is_empty() || turn.shared_word().is_some();
        let personal = hits.first("personal").filter(|_| is_about_it);
        let pressure = hits.distinct("pressure");
        let cost = 0.2 * pressure.len() as f64 - 0.1;
        let pressure = (!pressure.is_empty()).then(|| pressure.join(", "));
        [
            credit("benefit", 0.25, hits.first("benefit")),
            credit("person", 0.25, personal),
            credit("trust", 0.2, hits.first("trust")),
            credit_if("question", 0.2, turn.asks()),
            credit("number", 0.1, number_in(turn)),
            credit("pressure", -cost, pressure),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

heuristic_reward!(SalesReplyReward, "sales_reply");

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;

    const USER: &str = "I need a quiet blender for my small kitchen.";

    fn judged(lines: &[&str]) -> f64 {
        value(&SalesReplyReward.judge(&chat(lines), &Scenario::default()))
    }

    #[test]
    fn earns() {
        let full = "For your kitchen I would take the small one: it is quieter than the others, costs 59 \
                    dollars and has a guarantee. Do you make soup with it?";
        assert!((judged(&[USER, full]) - 1.0).abs() < 1e-9);
        let half = judged(&[USER, "This blender is quieter and comes with a warranty."]);
        assert!((0.4..0.6).contains(&half), "{half}");
    }

    #[test]
    fn does_not_earn() {
        for reply in ["", "Ok.", "It is a blender.", "Buy now, this is your last chance to hurry!"]
        {
            assert_eq!(judged(&[USER, reply]), 0.0, "{reply}");
        }
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&[USER]).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let list =
            "guarantee benefit free quieter durable reliable budget needs kitchen blender 59";
        assert!(judged(&[USER, list]) < 0.05);
        let calm = "This blender is quieter for your kitchen. Do you make soup?";
        let pushed = format!("{calm} Act now, it ends soon and is going fast!");
        assert!(judged(&[USER, &pushed]) < judged(&[USER, calm]) - 0.3);
    }
}
