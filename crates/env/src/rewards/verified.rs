//! Is the answer right, by the check that the prompt's own entry names?
//!
//! # What earns
//! 1 where the agent's last turn passes the check of the scenario (see [`crate::prompts::Check`]: a
//! number, a choice, a pattern, JSON that fits a schema, a text, a list), else 0. So one file may hold
//! sums beside multiple choice, and one reward judges all of it.
//!
//! # Cannot be scored
//! A scenario that says nothing of an answer, or something that cannot be checked, and a conversation
//! without a turn of the agent. Prompt files are checked as they are read; scenarios that were put
//! together by hand are checked here.
//!
//! # Known ways to cheat
//! Guessing, above all where there are few choices. Naming several answers does not help: what stands
//! behind the last mark decides, and without a mark several are none. `pattern` and `contains` are as
//! strong as what was written there.

use async_trait::async_trait;
use stateset_core::{Reward, RewardContext, RewardResult, Scenario, Score, Trajectory};

use super::agent_turns::{agent_turns, nothing_said};
use super::composite::WeightedReward;
use crate::prompts::Check;

/// Judges by the check of each scenario; see the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifiedReward;

impl VerifiedReward {
    /// This reward as a part of a composite.
    pub fn weighted(weight: f64) -> WeightedReward {
        WeightedReward::new(weight, VerifiedReward)
    }

    /// The score of a conversation.
    pub fn judge(&self, trajectory: &Trajectory, scenario: &Scenario) -> Score {
        let check = match Check::of(scenario) {
            Ok(Some(check)) => check,
            Ok(None) => return Score::unscorable("the scenario says nothing of a right answer"),
            Err(problem) => {
                let (key, found, allowed) = (problem.key, problem.found, problem.allowed);
                return Score::unscorable(format!("`{key}`: found {found}, allowed is {allowed}"));
            }
        };
        let turns = agent_turns(trajectory);
        let Some(last) = turns.last() else { return nothing_said() };
        let verdict = check.judge(last.text);
        Score::with_evidence(f64::from(u8::from(verdict.is_right)), verdict.evidence)
    }
}

#[async_trait]
impl Reward for VerifiedReward {
    fn name(&self) -> &str {
        "verified"
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory, context.scenario))
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use serde_json::json;

    fn scenario(expected: Option<&str>, check: Option<&str>) -> Scenario {
        let mut scenario = Scenario { expected: expected.map(str::to_owned), ..Scenario::new("s") };
        scenario.metadata.extend(check.map(|check| ("check".to_owned(), json!(check))));
        scenario
    }

    #[test]
    fn the_last_turn_decides() {
        let judged = |lines: &[&str]| {
            value(&VerifiedReward.judge(&chat(lines), &scenario(Some("Paris"), None)))
        };
        assert_eq!(judged(&["Capital?", "Rome", "Sure?", "Paris."]), 1.0);
        assert_eq!(judged(&["Capital?", "Paris", "Sure?", "No."]), 0.0);
        assert_eq!(judged(&["Capital?", ""]), 0.0);
    }

    #[test]
    fn cannot_be_scored() {
        let judged =
            |lines: &[&str], scenario: Scenario| VerifiedReward.judge(&chat(lines), &scenario);
        assert!(value(&judged(&["Capital?"], scenario(Some("Paris"), None))).is_nan());
        assert!(value(&judged(&["Capital?", "Paris"], scenario(None, None))).is_nan());
        let why = judged(&["Capital?", "Paris"], scenario(Some("Paris"), Some("number")));
        let expected = "`answer`: found \"Paris\", allowed is a text that ends in a number";
        assert_eq!(why, Score::unscorable(expected));
    }
}
