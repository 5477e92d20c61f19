//! Does the agent use its tools well?
//!
//! # What earns
//!
//! | credit | for |
//! |---|---|
//! | 0.5 | the share of the needed tools whose call succeeded; all of it for any success where none is named |
//! | 0.2 | the share of calls that did not fail |
//! | 0.2 | the share of calls that do not repeat an earlier one with the same arguments |
//! | 0.1 | a sound text to the user after the last result |
//!
//! Which tools are needed stands in the scenario's metadata under `required_actions`, or in the reward. The
//! last three credits need a call that succeeded.
//!
//! A call failed where its result begins with "error" (in any case) or is a JSON object with a key `error`. A
//! call without a result has not succeeded, and has not failed either.
//!
//! # Cannot be scored
//! A conversation without a turn of the agent, and one without calls whose scenario names no tool: nothing
//! says then that one was needed.
//!
//! # Known ways to cheat
//! It looks at the names of calls, not at what they did. Where an environment keeps a database, its own
//! reward compares that.
//!
//! # Source
//! The documents name tool use as a thing to reward and have no rule; this one is the project's own.

use std::collections::HashSet;

use async_trait::async_trait;
use serde_json::Value;
use stateset_core::{
    Reward, RewardContext, RewardResult, Role, Scenario, Score, ToolCall, Trajectory,
};

use super::agent_turns::{agent_turns, nothing_said};
use super::composite::WeightedReward;

/// Judges the use of tools; see the rules above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolUseReward {
    /// Tools that have to be called, for scenarios that name none themselves.
    pub required_actions: Vec<String>,
}

/// A call and how it ended: `None` without a result.
struct Made<'a> {
    call: &'a ToolCall,
    succeeded: Option<bool>,
}

impl ToolUseReward {
    /// This reward, without tools of its own, as a part of a composite.
    pub fn weighted(weight: f64) -> WeightedReward {
        WeightedReward::new(weight, ToolUseReward::default())
    }

    /// The score of a conversation, from 0 to 1.
    pub fn judge(&self, trajectory: &Trajectory, scenario: &Scenario) -> Score {
        let needed = self.needed(scenario);
        let made = calls(trajectory);
        if made.is_empty() {
            let says_nothing =
                !trajectory.turns.iter().any(|turn| turn.message.role == Role::Assistant);
            return match needed {
                _ if says_nothing => nothing_said(),
                None => Score::unscorable("no tool was called, and the scenario names none"),
                Some(names) => Score::with_evidence(0.0, format!("0 of {} tools", names.len())),
            };
        }
        let succeeded: HashSet<&str> = made
            .iter()
            .filter(|one| one.succeeded == Some(true))
            .map(|one| one.call.name.as_str())
            .collect();
        let (n_met, n_needed) = match &needed {
            Some(names) => {
                (names.iter().filter(|name| succeeded.contains(name.as_str())).count(), names.len())
            }
            None => (usize::from(!succeeded.is_empty()), 1),
        };
        let n_failed = made.iter().filter(|one| one.succeeded == Some(false)).count();
        let n_repeated = n_repeated(&made);
        let mut value = 0.5 * n_met as f64 / n_needed as f64;
        let reports = reports(trajectory);
        if !succeeded.is_empty() {
            let share = |n: usize| 1.0 - n as f64 / made.len() as f64;
            value += 0.2 * share(n_failed) + 0.2 * share(n_repeated) + 0.1 * reports;
        }
        let evidence = format!(
            "{n_met} of {n_needed} tools; {} calls, {n_failed} failed, {n_repeated} repeated; {}",
            made.len(),
            if reports > 0.0 { "told the user" } else { "did not tell the user" }
        );
        Score::with_evidence(value.min(1.0), evidence)
    }

    fn needed(&self, scenario: &Scenario) -> Option<Vec<String>> {
        let listed = scenario.metadata.get("required_actions").and_then(Value::as_array);
        let listed = listed.map(|names| {
            names.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        });
        Some(listed.unwrap_or_else(|| self.required_actions.clone()))
            .filter(|names| !names.is_empty())
    }
}

#[async_trait]
impl Reward for ToolUseReward {
    fn name(&self) -> &str {
        "tool_use"
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        RewardResult::single(self.judge(trajectory, context.scenario))
    }
}

fn calls(trajectory: &Trajectory) -> Vec<Made<'_>> {
    let mut made: Vec<Made<'_>> = Vec::new();
    for turn in &trajectory.turns {
        made.extend(turn.message.tool_calls.iter().map(|call| Made { call, succeeded: None }));
        if turn.message.role == Role::Tool {
            // Ids may come again in later turns, so the latest open call of this id is answered.
            let id = turn.message.tool_call_id.as_deref();
            let open = made
                .iter_mut()
                .rev()
                .find(|one| one.succeeded.is_none() && id.is_none_or(|id| one.call.id == id));
            if let Some(open) = open {
                open.succeeded = Some(!is_failure(&turn.message.content));
            }
        }
    }
    made
}

fn is_failure(result: &str) -> bool {
    const MARK: &str = "error";
    let result = result.trim_start();
    let begins = result.get(..MARK.len()).is_some_and(|text| text.eq_ignore_ascii_case(MARK));
    let is_object = || {
        let value: Option<Value> = serde_json::from_str(result).ok();
        value.as_ref().and_then(Value::as_object).is_some_and(|object| object.contains_key(MARK))
    };
    begins || (result.starts_with('{') && is_object())
}

fn n_repeated(made: &[Made<'_>]) -> usize {
    let is_same = |a: &ToolCall, b: &ToolCall| a.name == b.name && a.arguments == b.arguments;
    let repeats = |(index, one): &(usize, &Made<'_>)| {
        made[..*index].iter().any(|earlier| is_same(earlier.call, one.call))
    };
    made.iter().enumerate().filter(repeats).count()
}

/// How sound the last text is, where it comes after the last result; else 0.
fn reports(trajectory: &Trajectory) -> f64 {
    let is_result = |role| role == Role::Tool;
    let last_result = trajectory.turns.iter().rposition(|turn| is_result(turn.message.role));
    let last_text = trajectory.turns.iter().rposition(|turn| {
        turn.message.role == Role::Assistant && !turn.message.content.trim().is_empty()
    });
    if last_text > last_result {
        agent_turns(trajectory).last().map_or(0.0, |turn| turn.soundness())
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::agent_turns::testing::{chat, value};
    use super::*;
    use serde_json::json;
    use stateset_core::{ConversationTurn, Message};

    /// A conversation in which the agent makes calls, each answered, and then speaks.
    fn played(calls: &[(&str, Value, &str)], text: &str) -> Trajectory {
        let mut trajectory = chat(&["Where is order 4821?"]);
        for (index, (name, arguments, result)) in calls.iter().enumerate() {
            let call = ToolCall {
                id: format!("c{index}"),
                name: (*name).into(),
                arguments: arguments.clone(),
            };
            let asks = Message { tool_calls: vec![call.clone()], ..Message::assistant("") };
            trajectory.turns.push(ConversationTurn::new(asks));
            trajectory.turns.push(ConversationTurn::new(Message::tool_result(&call, *result)));
        }
        if !text.is_empty() {
            trajectory.turns.push(ConversationTurn::new(Message::assistant(text)));
        }
        trajectory
    }

    fn needing(names: &[&str]) -> Scenario {
        let mut scenario = Scenario::new("s");
        scenario.metadata.insert("required_actions".into(), json!(names));
        scenario
    }

    fn judged(scenario: &Scenario, calls: &[(&str, Value, &str)], text: &str) -> f64 {
        value(&ToolUseReward::default().judge(&played(calls, text), scenario))
    }

    const TEXT: &str = "Your order is on its way and will be with you on Friday.";

    #[test]
    fn earns() {
        let find = ("find_order", json!({"id": 4821}), "{\"state\": \"sent\"}");
        let label = ("send_label", json!({"id": 4821}), "done");
        let both = needing(&["find_order", "send_label"]);
        assert!((judged(&both, &[find.clone(), label.clone()], TEXT) - 1.0).abs() < 1e-9);
        assert!((judged(&both, std::slice::from_ref(&find), TEXT) - 0.75).abs() < 1e-9);
        assert!((judged(&both, &[find.clone(), label], "") - 0.9).abs() < 1e-9);
        assert!((judged(&Scenario::new("s"), &[find], TEXT) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn does_not_earn() {
        let failed = ("find_order", json!({}), "Error: it needs an id");
        let object = ("find_order", json!({}), "{\"error\": \"it needs an id\"}");
        for calls in [vec![], vec![failed], vec![object]] {
            assert_eq!(judged(&needing(&["find_order"]), &calls, TEXT), 0.0, "{calls:?}");
        }
        let other = ("find_user", json!({}), "found");
        assert!((judged(&needing(&["find_order"]), &[other], TEXT) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn cannot_be_scored() {
        assert!(judged(&Scenario::new("s"), &[], TEXT).is_nan());
        assert!(judged(&needing(&["find_order"]), &[], "").is_nan(), "the agent said nothing");
    }

    #[test]
    fn tries_to_cheat() {
        let find = ("find_order", json!({"id": 4821}), "sent");
        let once = judged(&needing(&["find_order"]), std::slice::from_ref(&find), TEXT);
        let often = judged(&needing(&["find_order"]), &vec![find; 10], TEXT);
        assert!(often < once - 0.15, "{often} and {once}");
        let words = "I called find_order and send_label and they are done.";
        assert_eq!(judged(&needing(&["find_order", "send_label"]), &[], words), 0.0);
    }
}
