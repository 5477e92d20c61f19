//! How like the expected reply is what the agent says?
//!
//! # What earns
//! The likeness of a turn to its expected reply, from 0 to 1: by default the ratio of matching words in
//! order (as Python's `difflib` has it, over words), or the share of words in common, which is 0 below
//! `0.3` (`Likeness::Words`). Expected replies are found by what the user said: in the reward's own list,
//! or in `expected_responses` of the scenario's metadata; the score is the mean over the turns that have
//! one. Where there is none but the scenario has an expected answer, the turn most like it counts, times
//! the share of sound turns.
//!
//! # What does not
//! Turns that are unreadable, repeated or cut off are like nothing.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent, or for which nothing is expected. (The documents' component
//! gives 0.5 then, which looks like half a success.)
//!
//! # Known ways to cheat
//! The words of the expected reply in their order are all it sees: a turn with "not" in the right place
//! says the opposite and is as like.
//!
//! # Source
//! The documents' `SimilarityAwareReward` (difflib's ratio over characters; over words here, because
//! sharing letters is no likeness) and their similarity component (Jaccard's share with a threshold).

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use serde_json::Value;
use stateset_core::{Reward, RewardContext, RewardResult, Scenario, Score, Trajectory};

use super::agent_turns::{AgentTurn, agent_turns, nothing_said};
use super::composite::WeightedReward;
use crate::names::named_enum;
use crate::text::{matching_ratio, words};

named_enum! {
    /// What makes two texts alike.
    pub enum Likeness {
        /// The same words in the same order.
        Sequence => "sequence",
        /// The same words.
        Words => "words",
    }
}

/// Judges likeness to expected replies; see the rules above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimilarityReward {
    /// Expected replies, by what the user says.
    pub expected: BTreeMap<String, String>,
    /// What makes two texts alike.
    pub likeness: Likeness,
}

impl Default for SimilarityReward {
    /// Expected replies come from the scenario; order counts.
    fn default() -> Self {
        SimilarityReward { expected: BTreeMap::new(), likeness: Likeness::Sequence }
    }
}

/// Shares of words in common below this count as none.
const THRESHOLD: f64 = 0.3;

impl SimilarityReward {
    /// This reward, with its defaults, as a part of a composite.
    pub fn weighted(weight: f64) -> WeightedReward {
        WeightedReward::new(weight, SimilarityReward::default())
    }

    /// The score of a conversation, from 0 to 1.
    pub fn judge(&self, trajectory: &Trajectory, scenario: &Scenario) -> Score {
        let turns = agent_turns(trajectory);
        if turns.is_empty() {
            return nothing_said();
        }
        let known: Vec<(usize, f64)> = turns
            .iter()
            .enumerate()
            .filter_map(|(index, turn)| Some((index, self.to_expected(turn, scenario)?)))
            .collect();
        if !known.is_empty() {
            let mean = known.iter().map(|(_, like)| like).sum::<f64>() / known.len() as f64;
            return Score::with_evidence(mean, shown(&known));
        }
        let Some(expected) = scenario.expected.as_deref() else {
            return Score::unscorable(
                "nothing is expected: neither expected_responses to what the user says, nor an answer",
            );
        };
        let likes: Vec<(usize, f64)> = turns
            .iter()
            .enumerate()
            .map(|(index, turn)| (index, self.like(turn, expected)))
            .collect();
        let best = likes.iter().map(|(_, like)| *like).fold(0.0, f64::max);
        let n_sound = turns.iter().filter(|turn| turn.soundness() > 0.0).count();
        Score::with_evidence(best * n_sound as f64 / turns.len() as f64, shown(&likes))
    }

    fn to_expected(&self, turn: &AgentTurn<'_>, scenario: &Scenario) -> Option<f64> {
        expected_for(turn, &self.expected, scenario).map(|expected| self.like(turn, expected))
    }

    fn like(&self, turn: &AgentTurn<'_>, expected: &str) -> f64 {
        match self.likeness {
            Likeness::Sequence => likeness(turn, expected) * turn.soundness(),
            Likeness::Words => shared(&turn.words, &words(expected)) * turn.soundness(),
        }
    }
}

#[async_trait]
impl Reward for SimilarityReward {
    fn name(&self) -> &str {
        "similarity"
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory, context.scenario))
    }
}

/// The reply expected to what the user said before `turn`, if there is one.
pub(super) fn expected_for<'a>(
    turn: &AgentTurn<'_>,
    own: &'a BTreeMap<String, String>,
    scenario: &'a Scenario,
) -> Option<&'a str> {
    let said = turn.last_user.trim();
    let listed = || scenario.metadata.get("expected_responses")?.get(said).and_then(Value::as_str);
    own.get(said).map(String::as_str).or_else(listed)
}

/// The ratio of matching words, in order.
pub(super) fn likeness(turn: &AgentTurn<'_>, expected: &str) -> f64 {
    matching_ratio(&turn.words, &words(expected))
}

/// The share of different words in common, 0 below the threshold.
fn shared(a: &[String], b: &[String]) -> f64 {
    let (a, b): (HashSet<&String>, HashSet<&String>) = (a.iter().collect(), b.iter().collect());
    let n_all = a.union(&b).count();
    let share = if n_all == 0 { 0.0 } else { a.intersection(&b).count() as f64 / n_all as f64 };
    if share < THRESHOLD { 0.0 } else { share }
}

fn shown(likes: &[(usize, f64)]) -> String {
    let turns = likes.iter().map(|(index, like)| format!("turn {}: likeness {like:.2}", index + 1));
    turns.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use serde_json::json;

    const USER: &str = "When will it come?";
    const EXPECTED: &str = "Your parcel will come on Friday before noon.";

    fn judged(likeness: Likeness, reply: &str) -> f64 {
        let expected = [(USER.to_owned(), EXPECTED.to_owned())].into();
        let reward = SimilarityReward { expected, likeness };
        value(&reward.judge(&chat(&[USER, reply]), &Scenario::default()))
    }

    #[test]
    fn earns() {
        for likeness in Likeness::ALL {
            assert_eq!(judged(*likeness, "your parcel will come on friday, before noon"), 1.0);
            let part = judged(*likeness, "Your parcel will come on Monday.");
            assert!((0.4..0.9).contains(&part), "{likeness} {part}");
        }
        let scenario = Scenario { expected: Some(EXPECTED.to_owned()), ..Scenario::default() };
        let reward = SimilarityReward::default();
        let lines = ["Hi.", "How can I help you?", USER, EXPECTED];
        assert_eq!(value(&reward.judge(&chat(&lines), &scenario)), 1.0);
        let mut scenario = Scenario::default();
        scenario.metadata.insert("expected_responses".into(), json!({USER: EXPECTED}));
        assert_eq!(value(&reward.judge(&chat(&lines), &scenario)), 1.0);
    }

    #[test]
    fn does_not_earn() {
        for reply in ["", "No idea.", "friday friday friday friday"] {
            assert_eq!(judged(Likeness::Sequence, reply), 0.0, "{reply}");
            assert_eq!(judged(Likeness::Words, reply), 0.0, "{reply}");
        }
    }

    #[test]
    fn cannot_be_scored() {
        let reward = SimilarityReward::default();
        let score = reward.judge(&chat(&[USER, EXPECTED]), &Scenario::default());
        assert!(value(&score).is_nan(), "{score:?}");
        assert!(value(&reward.judge(&chat(&[USER]), &Scenario::default())).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let shuffled = judged(Likeness::Sequence, "noon before friday on come will parcel your");
        assert!(shuffled < 0.3, "{shuffled}");
        assert_eq!(judged(Likeness::Sequence, USER), 0.0);
        let long = format!(
            "{EXPECTED} I say much more than that, and still some more, until you stop to read."
        );
        assert!(judged(Likeness::Sequence, &long) < 0.7);
    }
}
