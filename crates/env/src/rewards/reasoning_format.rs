//! Does the agent think first, mark it, and then answer?
//!
//! # What earns
//!
//! | credit | for |
//! |---|---|
//! | 0.3 | reasoning of `min_words` words or more that can be read and is not the user's own text |
//! | 0.2 | order: one pair of tags, opened at the very beginning and closed |
//! | 0.4 | a readable answer behind it |
//! | 0.1 | an answer that is not the reasoning again, and holds no tags |
//!
//! Reasoning stands between `<think>` and `</think>` (or `thinking`, `reasoning`), or was taken out of the
//! text already because the model's format keeps it apart. `<answer>` tags around the answer are allowed.
//! The mean over the agent's turns counts.
//!
//! # What does not
//! Without reasoning a turn earns nothing; without an answer half of the rest. Turns that repeat an earlier
//! one or were cut off earn nothing.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! Any readable text between the tags is reasoning. It is a reward of form; what is right has to be asked by
//! another.
//!
//! # Source
//! The format reward of DeepSeek-R1 (arXiv:2501.12948, 2.2.2), which is all or nothing; here in steps, so that
//! a model finds the way.

use stateset_core::Scenario;

use super::agent_turns::AgentTurn;
use super::heuristic::{Credit, Heuristic, Over, credit_if, heuristic_reward};
use crate::text::{disfluency, is_parrot, is_repeat, share_of_bad_joins, words, words_in_clauses};

/// Judges the format of reasoning; see the rules above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReasoningFormatReward {
    /// Fewest words that count as reasoning.
    pub min_words: usize,
}

impl Default for ReasoningFormatReward {
    /// Five words.
    fn default() -> Self {
        ReasoningFormatReward { min_words: 5 }
    }
}

const TAGS: [&str; 3] = ["think", "thinking", "reasoning"];

/// A turn taken apart.
struct Parts<'a> {
    reasoning: &'a str,
    answer: String,
    is_in_order: bool,
}

impl Heuristic for ReasoningFormatReward {
    const OVER: Over = Over::Mean;

    fn credits(&self, turns: &[AgentTurn<'_>], index: usize, _: &Scenario) -> Vec<Credit> {
        let turn = &turns[index];
        let Some(parts) = parts_of(turn) else { return Vec::new() };
        let (thought, starts) = words_in_clauses(parts.reasoning);
        if thought.len() < self.min_words || is_parrot(&thought, &words(turn.last_user)) {
            return Vec::new();
        }
        let reasoning = readable(&thought, &starts);
        if reasoning == 0.0 {
            return Vec::new();
        }
        let (answer, starts) = words_in_clauses(&parts.answer);
        let said = readable(&answer, &starts);
        let share = if said > 0.0 { 1.0 } else { 0.5 };
        let is_new = !is_repeat(&answer, &thought) && !parts.answer.contains(['<', '>']);
        [
            credit_if("reasoning", 0.3 * reasoning * share, true),
            credit_if("order", 0.2 * reasoning * share, parts.is_in_order),
            credit_if("answer", 0.4 * said, said > 0.0),
            credit_if("apart", 0.1 * said, said > 0.0 && is_new),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Reasoning and answer are looked at one by one, so that only repeating and cutting off are left.
    fn soundness(&self, turn: &AgentTurn<'_>) -> f64 {
        f64::from(u8::from(!turn.is_repeated && !turn.is_cut_off))
    }
}

fn parts_of<'a>(turn: &AgentTurn<'a>) -> Option<Parts<'a>> {
    if let Some(reasoning) = turn.reasoning {
        let answer = without_answer_tags(turn.text);
        return Some(Parts { reasoning, answer, is_in_order: true });
    }
    let text = turn.text.trim();
    TAGS.iter().find_map(|tag| {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        let start = text.find(&open)?;
        let inside = &text[start + open.len()..];
        let end = inside.find(&close)?;
        let answer = without_answer_tags(&inside[end + close.len()..]);
        let n_tags = text.matches(&open).count() + text.matches(&close).count();
        Some(Parts { reasoning: &inside[..end], answer, is_in_order: start == 0 && n_tags == 2 })
    })
}

fn without_answer_tags(text: &str) -> String {
    let text = text.trim();
    let inside = text.strip_prefix("<answer>").and_then(|text| text.strip_suffix("</answer>"));
    inside.unwrap_or(text).trim().to_owned()
}

/// How far a text can be read, from 0 to 1.
fn readable(words: &[String], starts: &[bool]) -> f64 {
    match disfluency(words) {
        Some(_) => 0.0,
        None => (1.0 - 6.0 * share_of_bad_joins(words, starts)).max(0.0),
    }
}

heuristic_reward!(ReasoningFormatReward, "reasoning_format");

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;

    const USER: &str = "How many legs have three dogs?";

    fn judged(reply: &str) -> f64 {
        value(&ReasoningFormatReward::default().judge(&chat(&[USER, reply]), &Scenario::default()))
    }

    #[test]
    fn earns() {
        let thought = "A dog has four legs, so three of them have twelve.";
        for (reply, worth) in [
            (format!("<think>{thought}</think>Three dogs have 12 legs."), 1.0),
            (format!("<think>\n{thought}\n</think>\n\n<answer>12</answer>"), 1.0),
            (format!("<reasoning>{thought}</reasoning> It is 12."), 1.0),
            (format!("Well. <think>{thought}</think> It is 12."), 0.8),
            (format!("<think>{thought}</think>"), 0.25),
            (format!("<think>{thought}</think>{thought}"), 0.9),
        ] {
            assert!((judged(&reply) - worth).abs() < 1e-9, "{reply}: {}", judged(&reply));
        }
        let mut apart = chat(&[USER, "It is 12."]);
        apart.turns[1].message.reasoning = Some(thought.to_owned());
        let score = ReasoningFormatReward::default().judge(&apart, &Scenario::default());
        assert!((value(&score) - 1.0).abs() < 1e-9, "{score:?}");
    }

    #[test]
    fn does_not_earn() {
        for reply in [
            "",
            "It is 12.",
            "<think></think>It is 12.",
            "<think>Hm.</think>It is 12.",
            "<think>A dog has four legs",
        ] {
            assert_eq!(judged(reply), 0.0, "{reply}");
        }
    }

    #[test]
    fn cannot_be_scored() {
        let score = ReasoningFormatReward::default().judge(&chat(&[USER]), &Scenario::default());
        assert!(value(&score).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        assert_eq!(judged(&format!("<think>{USER}</think>It is 12.")), 0.0, "the user's text");
        assert_eq!(judged("<think>think think think think think think</think>It is 12."), 0.0);
        let tags = "<think>I think about it all.</think>".repeat(9);
        assert!(judged(&tags) < 0.7, "{}", judged(&tags));
        assert_eq!(judged("think answer reasoning tags order first then readable"), 0.0);
    }
}
