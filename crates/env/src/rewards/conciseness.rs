//! Does the agent keep it short?
//!
//! # What earns
//! A turn earns 1 up to `optimal_chars` characters. Beyond, each excess of one `optimal_chars` takes
//! half a point, so that nothing is left at three times the optimum. The mean over the agent's turns
//! is the score.
//!
//! # What does not
//! Nothing is shorter than saying nothing: a turn of one or two words earns a third or two thirds, and
//! a turn that is empty, unreadable, repeated, or cut off at the token limit earns 0. Nor is it brief
//! to do everything at once: in a conversation with a simulated customer, the share of turns that
//! confused them comes off.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! A short turn that helps nobody earns all. Use it as a small part of a composite.
//!
//! # Source
//! The documents' reward of the same name, with the same optimum of 150 characters and the same slope;
//! there no turn earns less than 0.2, which pays for endless ones.

use async_trait::async_trait;
use stateset_core::{Reward, RewardContext, RewardResult, Score, Trajectory};

use super::agent_turns::{AgentTurn, mean_over_turns};
use super::composite::WeightedReward;
use crate::customer::CustomerReport;

/// Judges how short the agent's turns are; see the rules above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConcisenessReward {
    /// Longest turn that earns everything, in characters; at least 1.
    pub optimal_chars: usize,
}

impl Default for ConcisenessReward {
    /// 150 characters, about two sentences.
    fn default() -> Self {
        ConcisenessReward { optimal_chars: 150 }
    }
}

impl ConcisenessReward {
    /// This reward, with its default length, as a part of a composite.
    pub fn weighted(weight: f64) -> WeightedReward {
        WeightedReward::new(weight, ConcisenessReward::default())
    }

    /// The score of a conversation.
    pub fn judge(&self, trajectory: &Trajectory) -> Score {
        let text = mean_over_turns(trajectory, |turn| self.worth(turn));
        let n_confusing = CustomerReport::read(trajectory).map_or(0, |report| report.n_confusing);
        match text {
            Score::Scored { value, evidence } if n_confusing > 0 => {
                let n_turns = trajectory.assistant_texts().count();
                let followed = 1.0 - f64::from(n_confusing) / n_turns as f64;
                let evidence = format!("{evidence}; {n_confusing} of {n_turns} turns confused");
                Score::with_evidence(value * followed.max(0.0), evidence)
            }
            text => text,
        }
    }

    fn worth(&self, turn: &AgentTurn<'_>) -> f64 {
        const ENOUGH_WORDS: f64 = 3.0;
        if !turn.is_sound() || turn.is_cut_off {
            return 0.0;
        }
        let optimal = self.optimal_chars.max(1) as f64;
        let excess = (turn.text.trim().chars().count() as f64 - optimal).max(0.0);
        let says_something = (turn.words.len() as f64 / ENOUGH_WORDS).min(1.0);
        says_something * (1.0 - 0.5 * excess / optimal).max(0.0)
    }
}

#[async_trait]
impl Reward for ConcisenessReward {
    fn name(&self) -> &str {
        "conciseness"
    }

    async fn score(&self, trajectory: &Trajectory, _: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory))
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use proptest::prelude::*;
    use stateset_core::FinishReason;

    fn judged(lines: &[&str]) -> f64 {
        value(&ConcisenessReward::default().judge(&chat(lines)))
    }

    /// Fluent text of exactly `n_chars` characters.
    fn text_of(n_chars: usize) -> String {
        const TEXT: &str = "We looked into this for you today and found that your parcel is on its way \
            to the town where you live. The driver has it in the van with some others, so it should \
            come by the end of this week. If you are not at home, he can leave it with a neighbor \
            or at the shop around the corner. You will then find a card at your door. It says where \
            to go and when they open. Bring the card and something that shows your name, please. \
            They keep what nobody fetches for ten days and send it back after that.";
        TEXT.chars().take(n_chars).collect()
    }

    #[test]
    fn earns() {
        assert_eq!(judged(&["Hi.", "What is your order number?"]), 1.0);
        assert_eq!(judged(&["Hi.", &text_of(150)]), 1.0);
        assert!((judged(&["Hi.", &text_of(300)]) - 0.5).abs() < 0.01);
        assert!((judged(&["Hi.", "I see.", "Ok.", "What do you need?"]) - 5.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn does_not_earn() {
        let long = text_of(460);
        for reply in ["", "...", "?!", long.as_str()] {
            assert!(judged(&["Hi.", reply]) < 0.02, "{reply}");
        }
        let mut cut = chat(&["Hi.", "What is your order"]);
        cut.turns[1].finish = Some(FinishReason::Length);
        assert_eq!(value(&ConcisenessReward::default().judge(&cut)), 0.0);
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&["Hello?"]).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let same = judged(&["Hi.", "I see that.", "So?", "I see that.", "So?", "I see that."]);
        assert!((same - 1.0 / 3.0).abs() < 1e-12);
        assert!(judged(&["Hi.", "K"]) < 0.4);
        assert_eq!(judged(&["Hi.", "refund refund refund"]), 0.0);
    }

    proptest! {
        #[test]
        fn is_in_range_whatever_is_said(
            lines in prop::collection::vec("\\PC{0,80}", 0..6), optimal_chars in 0..200usize
        ) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let score = ConcisenessReward { optimal_chars }.judge(&chat(&lines));
            prop_assert!(score.value().is_none_or(|value| (0.0..=1.0).contains(&value)));
        }
    }
}
