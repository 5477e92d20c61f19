//! The scripted user: says a list of lines, one after another, whatever the agent answers.

use serde_json::{Map, Value, json};
use stateset_core::{EnvironmentState, Scenario, Stream};

use super::reactive::fitting;
use crate::names::named_enum;

named_enum! {
    /// In which order a scripted user says their lines.
    pub enum ResponseOrder {
        /// As they are written.
        InOrder => "in_order",
        /// In an order drawn for each episode.
        Shuffled => "shuffled",
        /// The line that fits what the agent said, see [`super::reactive`]; the first one opens.
        Reactive => "reactive",
    }
}

/// The place of the script in an environment's memory: the order, and how many lines were said.
const ORDER: &str = "response_order";
const N_SAID: &str = "n_responses_said";

/// Writes down the order of this episode.
pub(super) fn begin(
    scenario: &Scenario,
    order: ResponseOrder,
    stream: &mut Stream,
    context: &mut Map<String, Value>,
) {
    let mut lines: Vec<usize> = (0..scenario.user_responses.len()).collect();
    if order == ResponseOrder::Shuffled {
        stream.shuffle(&mut lines);
    }
    context.insert(ORDER.to_owned(), json!(lines));
    context.insert(N_SAID.to_owned(), json!(0));
}

/// The next line; `None` when all are said. An error names what the memory lacks.
pub(super) fn next_line(
    scenario: &Scenario,
    state: &mut EnvironmentState,
) -> Result<Option<String>, String> {
    let n_said = state.context.get(N_SAID).and_then(Value::as_u64);
    let order = state.context.get(ORDER).and_then(Value::as_array);
    let (Some(n_said), Some(order)) = (n_said, order) else {
        return Err(format!("the state holds no `{ORDER}` and `{N_SAID}`"));
    };
    let Some(entry) = order.get(n_said as usize) else { return Ok(None) };
    let line = entry.as_u64().and_then(|index| scenario.user_responses.get(index as usize));
    let Some(line) = line else {
        return Err(format!(
            "the script of {} lines has no line {entry}",
            scenario.user_responses.len()
        ));
    };
    state.context.insert(N_SAID.to_owned(), json!(n_said + 1));
    Ok(Some(line.clone()))
}

/// Puts the line next that fits what the agent said.
pub(super) fn choose_line(scenario: &Scenario, state: &mut EnvironmentState, agent_text: &str) {
    let n_said = state.context.get(N_SAID).and_then(Value::as_u64).unwrap_or(0) as usize;
    let Some(order) = state.context.get_mut(ORDER).and_then(Value::as_array_mut) else { return };
    let unsaid = order.get_mut(n_said..).unwrap_or_default();
    let line = |entry: &Value| {
        let index = entry.as_u64().and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| scenario.user_responses.get(index)).map_or("", String::as_str)
    };
    let lines: Vec<&str> = unsaid.iter().map(line).collect();
    if !lines.is_empty() {
        let chosen = fitting(&lines, agent_text);
        unsaid[..=chosen].rotate_right(1);
    }
}

/// What the user said last; empty before the first line.
pub(super) fn last_line<'a>(scenario: &'a Scenario, state: &EnvironmentState) -> &'a str {
    let n_said = state.context.get(N_SAID).and_then(Value::as_u64).unwrap_or(0) as usize;
    let order = state.context.get(ORDER).and_then(Value::as_array);
    let entry = order.and_then(|order| order.get(n_said.checked_sub(1)?)).and_then(Value::as_u64);
    let line = entry.and_then(|index| scenario.user_responses.get(index as usize));
    line.map_or_else(
        || scenario.messages.last().map_or("", |last| last.content.as_str()),
        String::as_str,
    )
}

/// True where every line was said.
pub(super) fn is_exhausted(state: &EnvironmentState) -> bool {
    let n_said = state.context.get(N_SAID).and_then(Value::as_u64).unwrap_or(0);
    let n_lines = state.context.get(ORDER).and_then(Value::as_array).map_or(0, Vec::len);
    n_said as usize >= n_lines
}
