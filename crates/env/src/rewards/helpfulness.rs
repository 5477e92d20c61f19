//! Does the agent's text help: does it move the conversation on, and is it about what the user said?
//!
//! # What earns
//! Each turn of the agent earns from 0 to 1, and the mean over its turns is the text's worth:
//!
//! | credit | for |
//! |---|---|
//! | 0.5 | moving on: a question of three words or more, an action of the agent ("I have..", "I will.."), an instruction ("please..", "you can..") or a reason ("because..") |
//! | 0.2 | being about it: a content word that the user has used |
//! | 0.1 | courtesy: a thank you, an apology, a please, a greeting |
//! | 0.2 | substance: 4 to 80 words |
//!
//! In a conversation with a simulated customer, whose report says whether the agent really helped, the
//! text's worth is multiplied by `0.25 + 0.75 * satisfaction`.
//!
//! # What does not
//! A turn that is empty, repeats an earlier one, hands the user's words back, loops, is a list of
//! keywords or was cut off at the token limit earns 0, and less where English does not put its words together
//! so. Stock phrases earn the courtesy of one.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! Without a simulated customer nothing tells whether what is said is true: a stock of varied, fluent
//! questions about the user's words earns nearly all. Combine it with a reward that checks the outcome.
//!
//! # Source
//! The documents' reward of the same name counts characters, sentences and stock phrases; those rules
//! pay for length and for stuffing, so only the range and the mean over turns are kept.

use std::sync::LazyLock;

use ::regex::Regex;
use async_trait::async_trait;
use stateset_core::{Reward, RewardContext, RewardResult, Score, Trajectory};

use super::agent_turns::{AgentTurn, mean_over_turns};
use super::composite::WeightedReward;
use crate::customer::CustomerReport;

/// Judges how helpful the agent's words are; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HelpfulnessReward;

impl HelpfulnessReward {
    /// This reward as a part of a composite.
    pub fn weighted(weight: f64) -> WeightedReward {
        WeightedReward::new(weight, HelpfulnessReward)
    }

    /// The score of a conversation.
    pub fn judge(&self, trajectory: &Trajectory) -> Score {
        let text = mean_over_turns(trajectory, worth);
        match (text, CustomerReport::read(trajectory)) {
            (Score::Scored { value, evidence }, Some(report)) => Score::with_evidence(
                value * (0.25 + 0.75 * report.satisfaction),
                format!("{evidence}; satisfaction {:.2}", report.satisfaction),
            ),
            (text, _) => text,
        }
    }
}

#[async_trait]
impl Reward for HelpfulnessReward {
    fn name(&self) -> &str {
        "helpfulness"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory))
    }
}

fn worth(turn: &AgentTurn<'_>) -> f64 {
    if !turn.is_sound() || turn.is_cut_off {
        return 0.0;
    }
    let credit = |earned: bool, credit: f64| if earned { credit } else { 0.0 };
    let worth = credit(MOVES.is_match(turn.text) || turn.asks(), 0.5)
        + credit(turn.shared_word().is_some(), 0.2)
        + credit(COURTESY.is_match(turn.text), 0.1)
        + credit((4..=80).contains(&turn.words.len()), 0.2);
    worth * turn.english()
}

fn constant(pattern: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "the patterns are constants, compiled by the tests")]
    Regex::new(pattern).expect("a constant pattern compiles")
}

static MOVES: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?i)\b(?:(?:i|we)(?:['’](?:ll|ve)| will| have| can| am going to| are going to) \w+|let me \w+|let us \w+|please \w+|try (?:to )?\w+|you (?:can|should|could|need to|will) \w+|your \w+ (?:has|have|is|was|will) |because|so that)\b",
    )
});

static COURTESY: LazyLock<Regex> = LazyLock::new(|| {
    constant(
        r"(?i)\b(?:thank you|thanks|sorry|apolog\w+|please|welcome|happy to|glad to|of course|understand|hello|hi|good (?:morning|afternoon|evening))\b",
    )
});

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use proptest::prelude::*;

    fn judged(lines: &[&str]) -> f64 {
        value(&HelpfulnessReward.judge(&chat(lines)))
    }

    #[test]
    fn earns() {
        let good = judged(&[
            "Hi, my order is late.",
            "I am sorry about the delay. What is your order number?",
            "It is 12345.",
            "Thank you. I have traced your order and it will arrive on Friday.",
        ]);
        assert!(good > 0.95, "{good}");
        let plain =
            judged(&["Which bread is best?", "You can take rye bread, because it keeps longer."]);
        assert!(plain > 0.8, "{plain}");
    }

    #[test]
    fn earns_little() {
        let vague = judged(&["My order is late.", "We value every customer of ours very much."]);
        assert!((0.1..0.4).contains(&vague), "{vague}");
        let short = judged(&["My order is late.", "Ok."]);
        assert!(short < 0.2, "{short}");
    }

    #[test]
    fn does_not_earn() {
        for reply in [
            "",
            "...",
            "order order order order",
            "order refund number label help parcel late email",
        ] {
            assert_eq!(judged(&["My order is late.", reply]), 0.0, "{reply}");
        }
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&[]).is_nan());
        assert!(judged(&["Hello?"]).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let line = "I am sorry about your order. What is your order number?";
        let once = judged(&["My order is late.", line]);
        let repeated = judged(&["My order is late.", line, "12345.", line, "12345.", line]);
        assert!(repeated < 0.4 * once, "{repeated} against {once}");
        let parrot = judged(&["Can you please find my order?", "Can you please find my order?"]);
        assert_eq!(parrot, 0.0);
        let stock = "Thank you. Thank you. Thank you. Sorry. Sorry. Happy to help. Happy to help.";
        assert!(judged(&["My order is late.", stock]) < 0.4);
    }

    proptest! {
        #[test]
        fn is_in_range_whatever_is_said(lines in prop::collection::vec("\\PC{0,80}", 0..6)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let score = HelpfulnessReward.judge(&chat(&lines));
            prop_assert!(score.value().is_none_or(|value| (0.0..=1.0).contains(&value)));
        }
    }
}
