//! What ends a conversation with a scripted user, beside the end of the script and of the turns.
//!
//! A simulated user has a goal and an end of their own. A script has neither; what stands in for them:
//!
//! - the goal: every one of the scenario's `goal_keywords` (in its metadata, as the reward of task
//!   completion reads them) was said by the agent;
//! - satisfaction, from 0 to 1 and hidden: it begins at a half, rises by 0.15 with a turn that takes up
//!   something the user said or asks them something, and falls by 0.2 with one that is empty, rude,
//!   muddled or a repetition. It is a rough measure, of use where nothing better is at hand.

use serde_json::{Map, Value, json};
use stateset_core::{EnvironmentState, Scenario};

use crate::customer::{plain_sentences, understand_manners};
use crate::rewards::holds_word;
use crate::text::{is_function_word, is_repeat, words};

/// What ends a conversation, beside the end of the script and of the turns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EndConditions {
    /// The agent says goodbye. A simulated user takes it as the agent's leaving in any case.
    pub farewell: bool,
    /// The scenario's `goal_keywords` have all been said. `goal_reached` is written into the metadata,
    /// where rewards read it.
    pub goal: bool,
    /// The scripted user is at least this content, from 0 to 1.
    pub satisfied_at: Option<f64>,
}

impl Default for EndConditions {
    /// The agent's goodbye only.
    fn default() -> Self {
        EndConditions { farewell: true, goal: false, satisfied_at: None }
    }
}

/// Places in an environment's memory and metadata.
const SAID: &str = "agent_said";
const SATISFACTION: &str = "satisfaction";
/// Turns of the agent that are remembered.
const MEMORY: usize = 32;

impl EndConditions {
    /// Takes the agent's turn into the memory; true where it ends the conversation. `heard_last` is what
    /// the user said before it.
    pub(super) fn is_over(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        text: &str,
        heard_last: &str,
    ) -> bool {
        if !self.goal && self.satisfied_at.is_none() {
            return false;
        }
        let earlier = said_before(&state.context);
        let satisfaction = satisfaction(state, &earlier, text, heard_last);
        state.metadata.insert(SATISFACTION.to_owned(), json!(satisfaction));
        let mut all = earlier;
        if all.len() < MEMORY {
            all.push(text.to_owned());
        }
        let reached = self.goal && has_goal(scenario, &all);
        if self.goal {
            state.metadata.insert("goal_reached".to_owned(), json!(reached));
        }
        state.context.insert(SAID.to_owned(), json!(all));
        reached || self.satisfied_at.is_some_and(|least| satisfaction >= least)
    }
}

fn said_before(context: &Map<String, Value>) -> Vec<String> {
    let listed = context.get(SAID).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    listed.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn has_goal(scenario: &Scenario, said: &[String]) -> bool {
    let listed = scenario.metadata.get("goal_keywords").and_then(Value::as_array);
    let words: Vec<&str> = listed.into_iter().flatten().filter_map(Value::as_str).collect();
    !words.is_empty() && words.iter().all(|word| said.iter().any(|text| holds_word(text, word)))
}

fn satisfaction(state: &EnvironmentState, earlier: &[String], text: &str, heard_last: &str) -> f64 {
    let before = state.metadata.get(SATISFACTION).and_then(Value::as_f64).unwrap_or(0.5);
    let now = words(text);
    let manners = understand_manners(text, &plain_sentences(text), &now);
    let is_poor = manners.is_empty || manners.is_rude || manners.muddle.is_some();
    if is_poor || earlier.iter().any(|turn| is_repeat(&now, &words(turn))) {
        return (before - 0.2).max(0.0);
    }
    let theirs = words(heard_last);
    let takes_up = now.iter().any(|word| !is_function_word(word) && theirs.contains(word));
    if takes_up || text.contains('?') { (before + 0.15).min(1.0) } else { before }
}
