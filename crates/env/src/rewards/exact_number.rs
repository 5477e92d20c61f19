//! Does the agent arrive at the right number?
//!
//! # What earns
//! 1 where the final number (see [`super::final_number`]) of the agent's last turn equals that of the
//! scenario's expected answer, else 0. Both may carry currency, units and separators, and both may be
//! a whole solution that ends in `#### 42`.
//!
//! # What does not
//! A number said earlier, or among others before the last one: naming many numbers does not help. A
//! last turn without a number, or cut off at the token limit before an answer mark, is wrong as well.
//!
//! # Cannot be scored
//! A scenario without an expected number, or a conversation without a turn of the agent.
//!
//! # Known ways to cheat
//! Guessing; where answers are small whole numbers, a guess now and then is right.

use async_trait::async_trait;
use stateset_core::{Reward, RewardContext, RewardResult, Scenario, Score, Trajectory};

use super::agent_turns::{agent_turns, nothing_said};
use super::composite::WeightedReward;
use super::number::final_number;

/// Judges whether the agent arrives at the expected number; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExactNumberReward;

impl ExactNumberReward {
    /// This reward as a part of a composite.
    pub fn weighted(weight: f64) -> WeightedReward {
        WeightedReward::new(weight, ExactNumberReward)
    }

    /// The score of a conversation.
    pub fn judge(&self, trajectory: &Trajectory, scenario: &Scenario) -> Score {
        let Some(expected) = scenario.expected.as_deref().and_then(final_number) else {
            return Score::unscorable("the scenario has no expected number");
        };
        let turns = agent_turns(trajectory);
        let Some(last) = turns.last() else { return nothing_said() };
        match final_number(last.text) {
            Some(found) if found == expected => Score::with_evidence(1.0, format!("found {found}")),
            Some(found) => Score::with_evidence(0.0, format!("found {found}, expected {expected}")),
            None => Score::with_evidence(0.0, format!("found no number, expected {expected}")),
        }
    }
}

#[async_trait]
impl Reward for ExactNumberReward {
    fn name(&self) -> &str {
        "exact_number"
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory, context.scenario))
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use proptest::prelude::*;

    fn judged(expected: &str, lines: &[&str]) -> f64 {
        let scenario = Scenario { expected: Some(expected.to_owned()), ..Scenario::new("s") };
        value(&ExactNumberReward.judge(&chat(lines), &scenario))
    }

    #[test]
    fn earns() {
        for (expected, reply) in [
            ("72", "She sold 48 + 24 = 72 clips."),
            ("48+24=72\n#### 72", "#### 72"),
            ("$1,200", "It is 1200.00 dollars"),
            ("-3", "The answer is -3."),
        ] {
            assert_eq!(judged(expected, &["How many?", reply]), 1.0, "{reply}");
        }
    }

    #[test]
    fn does_not_earn() {
        for reply in ["71", "It is 72, or maybe 73", "", "seventy-two", "7.2", "-72"] {
            assert_eq!(judged("72", &["How many?", reply]), 0.0, "{reply}");
        }
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged("no number", &["How many?", "72"]).is_nan());
        assert!(judged("72", &["How many?"]).is_nan());
        let score = ExactNumberReward.judge(&chat(&["How many?", "72"]), &Scenario::new("s"));
        assert!(value(&score).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let many = (0..100).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
        assert_eq!(judged("72", &["How many?", &many]), 0.0);
        let marks = "#### 70 #### 71 #### 72 #### 73";
        assert_eq!(judged("72", &["How many?", marks]), 0.0);
        assert_eq!(judged("72", &["How many?", "72", "Sure?", "No."]), 0.0);
    }

    proptest! {
        #[test]
        fn is_zero_or_one_whatever_is_said(reply in "\\PC{0,80}", expected in 0..1000u32) {
            let value = judged(&expected.to_string(), &["How many?", &reply]);
            prop_assert!(value == 0.0 || value == 1.0);
        }
    }
}
