//! Was the task done?
//!
//! # What earns
//! With a simulated customer: 1 where the customer got what they came for, less 0.2 for each time (at
//! most three) that they had to correct a fact the agent stated wrongly: a number read back garbled is
//! poor service even where it ends well. Where they did not get it, the share of the facts that the
//! agent had to ask for and was told, times 0.2: enough to show a beginner the way, too little to stop
//! there.
//!
//! Without one, the greater of two shares:
//!
//! - actions: those of `required_actions` that the agent called as tools, or that the environment
//!   lists under `completed_actions` in its metadata;
//! - keywords: those of `goal_keywords` that readable, new turns of the agent use as words.
//!
//! Both lists may stand in the reward or, for each scenario, in its `metadata` under the same names,
//! where they come first. An environment that writes `goal_reached` into its metadata decides by it.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent, or without anything that says what the task is. (The
//! documents' reward of the same name gives 0.5 then, which looks like half a success.)
//!
//! # Known ways to cheat
//! Keywords say nothing about whether the thing was done; where an environment knows, let it say so.

use async_trait::async_trait;
use serde_json::Value;
use stateset_core::{Reward, RewardContext, RewardResult, Scenario, Score, Trajectory};

use super::agent_turns::{AgentTurn, agent_turns, nothing_said};
use super::composite::WeightedReward;
use super::contains::holds_word;
use crate::customer::CustomerReport;

/// What collecting every fact is worth without solving the problem.
const WORTH_OF_FACTS: f64 = 0.2;
/// What a solved problem loses for each fact that the customer had to correct, and how many count.
const COST_OF_WRONG_FACT: f64 = 0.2;
const MOST_WRONG_FACTS: u32 = 3;

/// Judges whether the task was done; see the rules above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskCompletionReward {
    /// Tools that have to be called, for scenarios that name none themselves.
    pub required_actions: Vec<String>,
    /// Words the agent has to use, for scenarios that name none themselves.
    pub goal_keywords: Vec<String>,
}

impl TaskCompletionReward {
    /// This reward, without criteria of its own, as a part of a composite.
    pub fn weighted(weight: f64) -> WeightedReward {
        WeightedReward::new(weight, TaskCompletionReward::default())
    }

    /// The score of a conversation.
    pub fn judge(&self, trajectory: &Trajectory, scenario: &Scenario) -> Score {
        let turns = agent_turns(trajectory);
        let calls_tools = trajectory.turns.iter().any(|turn| !turn.message.tool_calls.is_empty());
        if turns.is_empty() && !calls_tools {
            return nothing_said();
        }
        if let Some(report) = CustomerReport::read(trajectory) {
            return judge_report(&report);
        }
        if let Some(reached) = metadata(trajectory, "goal_reached").and_then(Value::as_bool) {
            return Score::with_evidence(f64::from(u8::from(reached)), "goal_reached");
        }
        self.judge_criteria(trajectory, scenario, &turns)
    }

    fn judge_criteria(
        &self,
        trajectory: &Trajectory,
        scenario: &Scenario,
        turns: &[AgentTurn<'_>],
    ) -> Score {
        let actions = criteria(scenario, "required_actions", &self.required_actions);
        let keywords = criteria(scenario, "goal_keywords", &self.goal_keywords);
        let done = completed_actions(trajectory);
        let said: Vec<&str> =
            turns.iter().filter(|turn| turn.is_sound()).map(|turn| turn.text).collect();
        let share_done = share(&actions, |action| done.iter().any(|name| name == action));
        let share_said = share(&keywords, |word| said.iter().any(|text| holds_word(text, word)));
        match share_done.into_iter().chain(share_said).reduce(f64::max) {
            Some(value) => Score::of(value),
            None => Score::unscorable(
                "the scenario has no customer, no goal_keywords and no required_actions",
            ),
        }
    }
}

#[async_trait]
impl Reward for TaskCompletionReward {
    fn name(&self) -> &str {
        "task_completion"
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory, context.scenario))
    }
}

fn judge_report(report: &CustomerReport) -> Score {
    let n_to_ask = report.facts_required.saturating_sub(report.facts_in_opening);
    if report.goal_reached {
        return judge_solved(report.n_wrong_facts);
    }
    let share = if n_to_ask == 0 { 0.0 } else { report.share_of_facts_asked() };
    let n_asked = report.facts_collected.saturating_sub(report.facts_in_opening);
    Score::with_evidence(
        WORTH_OF_FACTS * share,
        format!("not solved; {n_asked} of {n_to_ask} facts asked for"),
    )
}

fn judge_solved(n_wrong_facts: u32) -> Score {
    let value = 1.0 - COST_OF_WRONG_FACT * f64::from(n_wrong_facts.min(MOST_WRONG_FACTS));
    let evidence = "the customer got what they came for";
    if n_wrong_facts == 0 {
        return Score::with_evidence(value, evidence);
    }
    let evidence = format!("{evidence}, but had to correct wrong facts in {n_wrong_facts} turns");
    Score::with_evidence(value, evidence)
}

fn metadata<'a>(trajectory: &'a Trajectory, key: &str) -> Option<&'a Value> {
    trajectory.final_state.as_ref()?.metadata.get(key)
}

/// The scenario's own list, or the reward's.
fn criteria(scenario: &Scenario, key: &str, own: &[String]) -> Vec<String> {
    match scenario.metadata.get(key) {
        Some(listed) => texts(listed),
        None => own.to_vec(),
    }
}

fn completed_actions(trajectory: &Trajectory) -> Vec<String> {
    let called = trajectory.turns.iter().flat_map(|turn| &turn.message.tool_calls);
    let called = called.map(|call| call.name.clone());
    called.chain(metadata(trajectory, "completed_actions").map(texts).unwrap_or_default()).collect()
}

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The share of `items` that are `met`; `None` without items.
fn share(items: &[String], met: impl Fn(&str) -> bool) -> Option<f64> {
    let n_met = items.iter().filter(|item| met(item)).count();
    (!items.is_empty()).then(|| n_met as f64 / items.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use stateset_core::{ConversationTurn, EnvironmentState, Message, ToolCall};

    fn keywords(words: &[&str]) -> TaskCompletionReward {
        TaskCompletionReward {
            goal_keywords: words.iter().map(|word| (*word).to_owned()).collect(),
            ..TaskCompletionReward::default()
        }
    }

    fn judged(reward: &TaskCompletionReward, lines: &[&str]) -> f64 {
        value(&reward.judge(&chat(lines), &Scenario::default()))
    }

    fn with_metadata(value: Value) -> Trajectory {
        let mut state = EnvironmentState::new("e");
        state.metadata = value.as_object().cloned().unwrap_or_default();
        Trajectory { final_state: Some(state), ..chat(&["Hi.", "What do you need?"]) }
    }

    #[test]
    fn earns() {
        let reward = keywords(&["refund", "friday"]);
        assert_eq!(judged(&reward, &["Hi.", "The refund will come on Friday."]), 1.0);
        assert_eq!(judged(&reward, &["Hi.", "I will do the refund."]), 0.5);
        let mut scenario = Scenario::new("s");
        scenario.metadata.insert("required_actions".into(), json!(["lookup"]));
        let mut trajectory = chat(&["Hi."]);
        let call = ToolCall { id: "1".into(), name: "lookup".into(), arguments: json!({}) };
        let message = Message { tool_calls: vec![call], ..Message::assistant("") };
        trajectory.turns.push(ConversationTurn::new(message));
        assert_eq!(value(&reward.judge(&trajectory, &scenario)), 1.0);
        let judge = |metadata| {
            value(
                &TaskCompletionReward::default()
                    .judge(&with_metadata(metadata), &Scenario::default()),
            )
        };
        assert_eq!(judge(json!({"goal_reached": true})), 1.0);
        assert_eq!(judge(json!({"goal_reached": false})), 0.0);
    }

    #[test]
    fn facts_that_had_to_be_corrected_cost() {
        for (n_wrong_facts, value) in [(0, 1.0), (1, 0.8), (2, 0.6), (3, 0.4), (9, 0.4)] {
            let score = judge_solved(n_wrong_facts).value().unwrap();
            assert!((score - value).abs() < 1e-12, "{n_wrong_facts} wrong facts: {score}");
        }
    }

    #[test]
    fn does_not_earn() {
        let reward = keywords(&["refund"]);
        assert_eq!(judged(&reward, &["Hi.", "Hello, how are you?"]), 0.0);
        assert_eq!(judged(&reward, &["Hi.", "We are refunding you."]), 0.0, "no word of its own");
        assert_eq!(judged(&reward, &["I want a refund.", "What is it?"]), 0.0, "the user's word");
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&TaskCompletionReward::default(), &["Hi.", "What is it?"]).is_nan());
        assert!(judged(&keywords(&["refund"]), &["Hi."]).is_nan());
    }

    #[test]
    fn tries_to_cheat() {
        let reward = keywords(&["refund", "label", "parcel"]);
        assert_eq!(judged(&reward, &["Hi.", "refund refund refund label label label parcel"]), 0.0);
        assert_eq!(
            judged(&reward, &["Hi.", "refund label parcel order number email address"]),
            0.0
        );
    }

    proptest! {
        #[test]
        fn is_in_range_whatever_is_said(
            lines in prop::collection::vec("\\PC{0,80}", 0..6),
            words in prop::collection::vec("\\PC{0,8}", 0..4)
        ) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let reward = TaskCompletionReward { goal_keywords: words, ..TaskCompletionReward::default() };
            let score = reward.judge(&chat(&lines), &Scenario::default());
            prop_assert!(score.value().is_none_or(|value| (0.0..=1.0).contains(&value)));
        }
    }
}
