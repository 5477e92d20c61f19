//! Does the agent answer as good customer service does?
//!
//! # What earns
//!
//! | credit | for |
//! |---|---|
//! | 0.3 | naming the trouble: "sorry to hear", "I understand" (`words/service.txt`, acknowledge) |
//! | 0.3 | doing or asking something: "I have..", "please..", a question (`words/action.txt`, act and instruct) |
//! | 0.2 | courtesy (courteous) |
//! | 0.1 | a word of resolution: "refund", "on its way" (resolve) |
//! | 0.1 | 20 to 80 words |
//!
//! A turn of fewer than three words, or one that uses no content word of a user who has spoken, earns only
//! seven tenths of its credits. Fewer than 10 words take 0.1, more than 150 take 0.05. Each credit is
//! earned once in a conversation; see [`super::heuristic`].
//!
//! Where the expected reply to what the user said is known (`expected`, or `expected_responses` in the
//! scenario's metadata, both by the user's text), likeness to it is worth 0.4 and the credits together 0.6.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! One sentence of each kind, with a word of the user's in it, earns all, true or not. The presets for
//! simulated customers know whether the problem was solved; this reward is for conversations without one.
//!
//! # Source
//! The documents' `CustomerServiceReward`, with its shares; there three matches of sympathy and two of
//! action are wanted, which pays for heaping them up. Its name here says "reply", because
//! `customer_service` is the preset for simulated customers.

use std::collections::BTreeMap;

use stateset_core::Scenario;

use super::action_oriented::ACTION;
use super::agent_turns::AgentTurn;
use super::empathy::SERVICE;
use super::heuristic::{Credit, Heuristic, Over, credit, credit_if, heuristic_reward};
use super::similarity::{expected_for, likeness};

/// Judges replies of customer service; see the rules above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerServiceReplyReward {
    /// Expected replies, by what the user says.
    pub expected: BTreeMap<String, String>,
}

const WORTH_OF_LIKENESS: f64 = 0.4;

impl Heuristic for CustomerServiceReplyReward {
    const OVER: Over = Over::Once;

    fn credits(&self, turns: &[AgentTurn<'_>], index: usize, scenario: &Scenario) -> Vec<Credit> {
        let turn = &turns[index];
        let hits = SERVICE.scan(turn);
        let n_words = turn.words.len();
        let mut credits: Vec<Credit> = [
            credit("trouble", 0.3, hits.first("acknowledge")),
            credit("action", 0.3, action(turn)),
            credit("courtesy", 0.2, hits.first("courteous")),
            credit("resolution", 0.1, hits.first("resolve")),
            credit_if("length", 0.1, (20..=80).contains(&n_words)),
            credit_if("short", -0.1, n_words < 10),
            credit_if("long", -0.05, n_words > 150),
        ]
        .into_iter()
        .flatten()
        .collect();
        let share = relevance(turn);
        let expected = expected_for(turn, &self.expected, scenario);
        let share = if expected.is_some() { share * (1.0 - WORTH_OF_LIKENESS) } else { share };
        for credit in &mut credits {
            credit.worth *= share;
        }
        let like = expected.map(|expected| WORTH_OF_LIKENESS * likeness(turn, expected));
        credits.extend(like.and_then(|worth| credit("likeness", worth, Some(String::new()))));
        credits
    }
}

/// An act, an instruction or a question.
pub(super) fn action(turn: &AgentTurn<'_>) -> Option<String> {
    let hits = ACTION.scan(turn);
    let act = hits.first("act").or_else(|| hits.first("instruct"));
    act.or_else(|| turn.asks().then(|| "?".to_owned()))
}

/// What a turn's credits count: less where it says next to nothing, or is not about the user's matter.
pub(super) fn relevance(turn: &AgentTurn<'_>) -> f64 {
    const WORTH_ELSEWHERE: f64 = 0.7;
    let is_about_it = turn.user_words.is_empty() || turn.shared_word().is_some();
    if is_about_it && turn.words.len() >= 3 { 1.0 } else { WORTH_ELSEWHERE }
}

heuristic_reward!(CustomerServiceReplyReward, "customer_service_reply");

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use serde_json::json;

    const USER: &str = "My parcel is five days late.";

    fn judged(lines: &[&str]) -> f64 {
        value(&CustomerServiceReplyReward::default().judge(&chat(lines), &Scenario::default()))
    }

    #[test]
    fn earns() {
        let full = "I am sorry that your parcel is late. I have asked the courier, and it is on its way \
                    to you now. Thank you for your patience.";
        assert!((judged(&[USER, full]) - 1.0).abs() < 1e-9);
        let asks = judged(&[USER, "I am sorry about the parcel. May I have the order number?"]);
        assert!((asks - 0.8).abs() < 1e-9, "{asks}");
        let over_turns = judged(&[
            USER,
            "I am sorry about the parcel. May I have the order number?",
            "4821.",
            "Thank you. I have sent a new parcel to you today, by express and at our cost, so it should \
             be with you on Friday.",
        ]);
        assert!((over_turns - 1.0).abs() < 1e-9, "{over_turns}");
    }

    #[test]
    fn an_expected_reply_counts() {
        let expected = "I am sorry, we will send your parcel again today.";
        let reward = CustomerServiceReplyReward {
            expected: [(USER.to_owned(), expected.to_owned())].into(),
        };
        let same = value(&reward.judge(&chat(&[USER, expected]), &Scenario::default()));
        let other = value(&reward.judge(
            &chat(&[USER, "I am sorry about your parcel and I will send it."]),
            &Scenario::default(),
        ));
        assert!(same > other + 0.2, "{same} and {other}");
        let mut scenario = Scenario::default();
        scenario.metadata.insert("expected_responses".into(), json!({USER: expected}));
        let reward = CustomerServiceReplyReward::default();
        assert_eq!(value(&reward.judge(&chat(&[USER, expected]), &scenario)), same);
    }

    #[test]
    fn does_not_earn() {
        for (reply, most) in
            [("", 0.0), ("Ok.", 0.0), ("It rains.", 0.0), ("So what do you want?", 0.15)]
        {
            assert!(judged(&[USER, reply]) <= most, "{reply}: {}", judged(&[USER, reply]));
        }
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&[USER]).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let list = "sorry apologise understand help check process refund resolved please thank";
        assert!(judged(&[USER, list]) < 0.05);
        let stock =
            "I am sorry. I am so sorry. I do apologise. I understand. That must be annoying.";
        assert!(judged(&[USER, stock]) < 0.5);
        assert_eq!(judged(&[USER, USER]), 0.0);
    }
}
