//! Does the agent draw the user into the conversation?
//!
//! # What earns
//!
//! | credit | for |
//! |---|---|
//! | 0.3 | a question of three words or more |
//! | 0.2 | speaking to the user: "you", "your" (`words/engagement.txt`, personal) |
//! | 0.2 | taking up what they said: a content word of theirs |
//! | 0.2 | a word of feeling: "glad", "curious", "sorry" (emotion) |
//! | 0.1 | sentences of different lengths |
//!
//! The mean over the agent's turns counts.
//!
//! # What does not
//! More question marks than three take 0.1 each, and more than three words of feeling 0.1 each, up to
//! 0.4 together. Turns that are unreadable, repeated or cut off earn 0.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! A friendly question about nothing earns much, and so does never coming to an end.
//!
//! # Source
//! The documents' reward of the same name pays for each question mark and each word of feeling; here the
//! first of each pays and too many cost. A variety of words, which it rewards, is left to
//! [`super::DiversityReward`].

use std::sync::LazyLock;

use stateset_core::Scenario;

use super::agent_turns::AgentTurn;
use super::heuristic::{Credit, Heuristic, Over, credit, credit_if, heuristic_reward};
use super::lexicon::Lexicon;
use crate::text::{n_words, sentences};

/// Judges how engaging the agent's turns are; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EngagementReward;

static WORDS: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::parse(include_str!("words/engagement.txt")));

/// How many question marks, and how many words of feeling, cost nothing.
const ENOUGH: usize = 3;
const MOST_COST: f64 = 0.4;

impl Heuristic for EngagementReward {
    const OVER: Over = Over::Mean;

    fn credits(&self, turns: &[AgentTurn<'_>], index: usize, _: &Scenario) -> Vec<Credit> {
        let turn = &turns[index];
        let hits = WORDS.scan(turn);
        let feelings = hits.distinct("emotion");
        let n_marks = turn.text.bytes().filter(|byte| *byte == b'?').count();
        let n_too_many = n_marks.saturating_sub(ENOUGH) + feelings.len().saturating_sub(ENOUGH);
        let cost = (0.1 * n_too_many as f64).min(MOST_COST);
        [
            credit_if("question", 0.3, turn.asks()),
            credit("to the user", 0.2, hits.first("personal")),
            credit("takes up", 0.2, turn.shared_word().map(str::to_owned)),
            credit("feeling", 0.2, feelings.into_iter().next()),
            credit_if("varied", 0.1, is_varied(turn.text)),
            credit_if("too much", -cost, n_too_many > 0),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// True where the sentences differ in length by two words or more.
fn is_varied(text: &str) -> bool {
    let lengths: Vec<usize> = sentences(text).into_iter().map(n_words).collect();
    let (least, most) = (lengths.iter().min(), lengths.iter().max());
    least.zip(most).is_some_and(|(least, most)| most - least >= 2)
}

heuristic_reward!(EngagementReward, "engagement");

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;

    fn judged(lines: &[&str]) -> f64 {
        value(&EngagementReward.judge(&chat(lines), &Scenario::default()))
    }

    #[test]
    fn earns() {
        let user = "I started to paint birds.";
        let full = "How lovely! Which birds do you like to paint most?";
        assert!((judged(&[user, full]) - 1.0).abs() < 1e-9);
        assert!((judged(&[user, "Paint what you see."]) - 0.4).abs() < 1e-9);
    }

    #[test]
    fn does_not_earn() {
        let user = "I started to paint birds.";
        for reply in ["", "Ok.", "??", "It rains here."] {
            assert_eq!(judged(&[user, reply]), 0.0, "{reply}");
        }
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&["Hello?"]).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let user = "I started to paint birds.";
        let marks = judged(&[user, "Do you like it? Why? How? What? When? Who? Where? So?"]);
        assert!(marks < 0.3, "{marks}");
        let gush = judged(&[
            user,
            "Great, lovely, nice, wonderful, good, fun, exciting and happy birds for you.",
        ]);
        assert!(gush < 0.3, "{gush}");
        assert_eq!(judged(&[user, user]), 0.0);
    }
}
