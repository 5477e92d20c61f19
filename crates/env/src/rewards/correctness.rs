//! Does the agent say what is true, and nothing that is known to be false?
//!
//! # What earns
//! What is true is known as facts, as an answer, or both: from `ground_truth` of the scenario's metadata
//! (`{"correct_facts": [..], "incorrect_facts": [..], "answer": ".."}`), else from the reward itself, else the
//! scenario's expected answer. The share of the facts that sound turns state, and whether they state the
//! answer, count half each where both are known; else the one that is known counts for all. Each false fact
//! that a turn states, sound or not, takes 0.3.
//!
//! A thing is stated where its words stand in a row, whatever their case, in a sentence that is no question,
//! without a word of denial in the same clause before them ("it is not 7") and without an "or" beside them
//! ("7 or 8").
//!
//! # Cannot be scored
//! A conversation without a turn of the agent, or for which neither facts nor an answer are known. (The
//! documents' reward gives 0.5 then.)
//!
//! # Known ways to cheat
//! Stating every possible answer in its own sentence; list the tempting wrong ones as incorrect facts.
//! Numbers have a stricter reward, [`super::ExactNumberReward`].
//!
//! # Source
//! The documents' reward of the same name adds 0.3 for each fact, so that the number of facts decides
//! what is full marks, and finds answers inside other words and in questions.

use async_trait::async_trait;
use serde_json::Value;
use stateset_core::{Reward, RewardContext, RewardResult, Scenario, Score, Trajectory};

use super::agent_turns::{AgentTurn, agent_turns, nothing_said};
use super::composite::WeightedReward;
use super::lexicon::is_denied;
use crate::text::{words, words_in_clauses};

/// Judges truth against known facts; see the rules above. What stands here is used for scenarios that
/// bring no `ground_truth`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorrectnessReward {
    /// What should be stated.
    pub correct_facts: Vec<String>,
    /// What must not be stated.
    pub incorrect_facts: Vec<String>,
    /// The answer.
    pub answer: Option<String>,
}

const COST_OF_FALSE_FACT: f64 = 0.3;

impl CorrectnessReward {
    /// This reward, without facts of its own, as a part of a composite.
    pub fn weighted(weight: f64) -> WeightedReward {
        WeightedReward::new(weight, CorrectnessReward::default())
    }

    /// The score of a conversation, from 0 to 1.
    pub fn judge(&self, trajectory: &Trajectory, scenario: &Scenario) -> Score {
        let turns = agent_turns(trajectory);
        if turns.is_empty() {
            return nothing_said();
        }
        let truth = self.truth(scenario);
        let said: Vec<Statement> = turns.iter().flat_map(statements).collect();
        let states = |fact: &String| {
            let fact = words(fact);
            said.iter()
                .filter(|one| one.soundness > 0.0 && one.states(&fact))
                .map(|one| one.soundness)
                .fold(0.0, f64::max)
        };
        let facts: Vec<f64> = truth.correct_facts.iter().map(states).collect();
        let share = facts.iter().sum::<f64>() / facts.len().max(1) as f64;
        let answer = truth.answer.as_ref().map(states);
        let earned = match (facts.is_empty(), answer) {
            (true, None) => {
                return Score::unscorable("neither facts nor an answer are known of this scenario");
            }
            (true, Some(answer)) => answer,
            (false, None) => share,
            (false, Some(answer)) => 0.5 * share + 0.5 * answer,
        };
        let is_false = |fact: &&String| said.iter().any(|one| one.states(&words(fact)));
        let false_facts: Vec<&str> =
            truth.incorrect_facts.iter().filter(is_false).map(String::as_str).collect();
        let value = (earned - COST_OF_FALSE_FACT * false_facts.len() as f64).clamp(0.0, 1.0);
        let n_stated = facts.iter().filter(|worth| **worth > 0.0).count();
        let mut evidence = format!("{n_stated} of {} facts", facts.len());
        if let Some(answer) = answer {
            evidence.push_str(if answer > 0.0 { ", the answer" } else { ", not the answer" });
        }
        if !false_facts.is_empty() {
            evidence.push_str(&format!("; false: {}", false_facts.join(", ")));
        }
        Score::with_evidence(value, evidence)
    }

    /// What is known of `scenario`.
    fn truth(&self, scenario: &Scenario) -> CorrectnessReward {
        let Some(truth) = scenario.metadata.get("ground_truth") else {
            let mut own = self.clone();
            if own.answer.is_none() && own.correct_facts.is_empty() {
                own.answer = scenario.expected.clone();
            }
            own.answer = own.answer.filter(|answer| !words(answer).is_empty());
            return own;
        };
        let texts = |key: &str| -> Vec<String> {
            let items = truth.get(key).and_then(Value::as_array).map(Vec::as_slice);
            let items = items.unwrap_or_default().iter().filter_map(text_of);
            items.filter(|fact| !words(fact).is_empty()).collect()
        };
        CorrectnessReward {
            correct_facts: texts("correct_facts"),
            incorrect_facts: texts("incorrect_facts"),
            answer: truth.get("answer").and_then(text_of).filter(|text| !words(text).is_empty()),
        }
    }
}

#[async_trait]
impl Reward for CorrectnessReward {
    fn name(&self) -> &str {
        "correctness"
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory, context.scenario))
    }
}

/// A fact is a text or a number.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A sentence that is no question.
struct Statement {
    words: Vec<String>,
    starts: Vec<bool>,
    soundness: f64,
}

fn statements(turn: &AgentTurn<'_>) -> Vec<Statement> {
    let soundness = turn.soundness();
    let mut found = Vec::new();
    for sentence in crate::text::sentences(turn.text) {
        let end = sentence.as_ptr() as usize - turn.text.as_ptr() as usize + sentence.len();
        if !turn.text[end..].trim_start().starts_with('?') {
            let (words, starts) = words_in_clauses(sentence);
            found.push(Statement { words, starts, soundness });
        }
    }
    found
}

impl Statement {
    fn states(&self, fact: &[String]) -> bool {
        let n = fact.len();
        let is_or = |word: Option<&String>| word.is_some_and(|word| word == "or");
        let places = self.words.windows(n.max(1)).enumerate().filter(|(_, window)| *window == fact);
        places.map(|(start, _)| start).any(|start| {
            let before = start.checked_sub(1).and_then(|index| self.words.get(index));
            !is_or(before)
                && !is_or(self.words.get(start + n))
                && !is_denied(&self.words, &self.starts, start, n)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use serde_json::json;

    const USER: &str = "What is the capital of France, and where does it lie?";

    fn france() -> Scenario {
        let mut scenario = Scenario::new("france");
        let truth = json!({
            "answer": "Paris",
            "correct_facts": ["on the Seine", "in the north"],
            "incorrect_facts": ["Lyon", "on the Rhône"],
        });
        scenario.metadata.insert("ground_truth".into(), truth);
        scenario
    }

    fn judged(scenario: &Scenario, lines: &[&str]) -> f64 {
        value(&CorrectnessReward::default().judge(&chat(lines), scenario))
    }

    #[test]
    fn earns() {
        for (reply, worth) in [
            ("It is PARIS, which lies on the Seine in the north.", 1.0),
            ("It is Paris, which lies on the Seine.", 0.75),
            ("It is Paris.", 0.5),
            ("It is Paris, which lies on the Rhône.", 0.2),
        ] {
            let found = judged(&france(), &[USER, reply]);
            assert!((found - worth).abs() < 1e-9, "{reply}: {found}");
        }
        let scenario = Scenario { expected: Some("1,200".to_owned()), ..Scenario::new("s") };
        assert_eq!(judged(&scenario, &["How many?", "There are 1,200 of them."]), 1.0);
        let own = CorrectnessReward { answer: Some("blue".to_owned()), ..Default::default() };
        assert_eq!(
            value(&own.judge(&chat(&["Which?", "The blue one."]), &Scenario::new("s"))),
            1.0
        );
    }

    #[test]
    fn does_not_earn() {
        for reply in [
            "",
            "It is Lyon.",
            "It is not Paris.",
            "Is it Paris?",
            "Parisian things.",
            "I do not know.",
        ] {
            assert_eq!(judged(&france(), &[USER, reply]), 0.0, "{reply}");
        }
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&Scenario::new("s"), &[USER, "It is Paris."]).is_nan());
        assert!(judged(&france(), &[USER]).is_nan());
        let mut empty = Scenario::new("s");
        empty
            .metadata
            .insert("ground_truth".into(), json!({"correct_facts": ["", "?"], "answer": 3.5}));
        assert_eq!(judged(&empty, &["How much?", "It is 3.5 of it."]), 1.0);
        empty
            .metadata
            .insert("ground_truth".into(), json!({"correct_facts": [" "], "answer": "?!"}));
        assert!(judged(&empty, &["How much?", "It is 3.5 of it."]).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let list = "Paris Lyon Seine Rhône north south capital France city river";
        assert_eq!(judged(&france(), &[USER, list]), 0.0);
        assert_eq!(judged(&france(), &[USER, "It is Paris or Rome or Bonn."]), 0.0);
        let both = judged(&france(), &[USER, "It is Paris. It is Lyon."]);
        assert!((both - 0.2).abs() < 1e-9, "{both}");
        assert_eq!(judged(&france(), &["Is Paris the capital?", "Is Paris the capital?"]), 0.0);
    }
}
