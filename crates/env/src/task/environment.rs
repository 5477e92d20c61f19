//! The environment of tasks with required actions.
//!
//! The documents' rules: progress is the share of required actions done; a turn earns ten times what it
//! adds to it, and 5 more where it completes the task; the world answers with one of three texts (done, more
//! than half done, still at the beginning) and the episode ends when the criteria are met or after
//! `max_turns` turns. Deviations: the 5 are given once and not at every turn after; an action counts as done
//! by a word of its own and not by a part of another word; a turn that only lists keywords does nothing (it
//! must hold more other words than keywords); and the answers are the user's, because models know no system
//! role in the middle of a conversation.
//!
//! A scenario may bring actions of its own under `metadata.required_actions`. Tools of the environment's are
//! called and answered here; a call that fails does nothing.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use stateset_core::{
    ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Opening, Role,
    RolloutError, Scenario, StepOutcome, Stream, Tool, ToolCall,
};

use super::action::{RequiredAction, read_required_actions};
use crate::episode::{failed, must_be_open};
use crate::error::{EnvError, Problem};
use crate::names::{listed, nearest};
use crate::text::words;

const DONE: &str = "Well done, the task is complete.";
const ON_THE_WAY: &str = "Good progress. What is still to be done?";
const AT_THE_START: &str = "Please go on with the task.";

const COMPLETED: &str = "completed_actions";
const SAID: &str = "agent_turns";
const WORTH_OF_PROGRESS: f64 = 10.0;
const WORTH_OF_COMPLETION: f64 = 5.0;

/// What success is judged by.
#[derive(Clone, Copy, Debug)]
pub struct TaskView<'a> {
    /// What the agent said, turn by turn, without turns that only call tools.
    pub agent_turns: &'a [String],
    /// Names of the required actions that are done, in the order in which they were.
    pub completed: &'a [String],
    /// How many there are.
    pub n_required: usize,
    /// The episode's memory.
    pub context: &'a Map<String, Value>,
}

impl TaskView<'_> {
    /// The share of required actions done, from 0 to 1.
    pub fn progress(&self) -> f64 {
        self.completed.len() as f64 / self.n_required.max(1) as f64
    }
}

/// A success criterion in Rust.
pub type SuccessFunction = Arc<dyn Fn(&TaskView<'_>) -> bool + Send + Sync>;

/// When a task is done.
#[derive(Clone, Default)]
pub enum SuccessCriteria {
    /// Every required action is done.
    #[default]
    AllActions,
    /// This share of them is, above 0 and at most 1.
    Share(f64),
    /// A function says so.
    Function(SuccessFunction),
}

impl SuccessCriteria {
    /// Done when `function` says so.
    pub fn when(
        function: impl Fn(&TaskView<'_>) -> bool + Send + Sync + 'static,
    ) -> SuccessCriteria {
        SuccessCriteria::Function(Arc::new(function))
    }

    fn is_met(&self, view: &TaskView<'_>) -> bool {
        match self {
            SuccessCriteria::AllActions => view.completed.len() >= view.n_required,
            SuccessCriteria::Share(share) => view.progress() >= *share,
            SuccessCriteria::Function(function) => function(view),
        }
    }
}

impl fmt::Debug for SuccessCriteria {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SuccessCriteria::AllActions => f.write_str("AllActions"),
            SuccessCriteria::Share(share) => write!(f, "Share({share})"),
            SuccessCriteria::Function(_) => f.write_str("Function"),
        }
    }
}

/// Plays tasks; see the rules above.
#[derive(Clone)]
pub struct TaskEnvironment {
    /// What is required where a scenario does not say.
    pub actions: Vec<RequiredAction>,
    /// When a task is done.
    pub success: SuccessCriteria,
    /// Most turns of the agent; at least 1.
    pub max_turns: usize,
    tools: Vec<Arc<dyn Tool>>,
}

impl TaskEnvironment {
    /// Twenty turns, all actions, no tools.
    pub fn new(actions: Vec<RequiredAction>) -> TaskEnvironment {
        let success = SuccessCriteria::AllActions;
        TaskEnvironment { actions, success, max_turns: 20, tools: Vec::new() }
    }

    /// The same with other criteria.
    pub fn with_success(self, success: SuccessCriteria) -> TaskEnvironment {
        TaskEnvironment { success, ..self }
    }

    /// The same with another limit of turns, at least 1.
    pub fn with_max_turns(self, max_turns: usize) -> TaskEnvironment {
        TaskEnvironment { max_turns, ..self }
    }

    /// The same with tools.
    ///
    /// # Errors
    /// [`EnvError::Entries`] where two tools have one name, or an action wants a tool that is not there.
    pub fn with_tools(self, tools: Vec<Arc<dyn Tool>>) -> Result<TaskEnvironment, EnvError> {
        let names: Vec<&str> = tools.iter().map(|tool| tool.spec().name.as_str()).collect();
        let mut problems = Vec::new();
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                let found = format!("{name:?} again");
                problems.push(problem(format!("tool {index}"), found, "a name of its own", None));
            }
        }
        for action in &self.actions {
            let wanted = action.tool.as_deref().filter(|tool| !names.contains(tool));
            problems.extend(wanted.map(|tool| {
                let hint = nearest(tool, &names).map(|near| format!("did you mean {near:?}?"));
                let place = format!("required action {:?}", action.name);
                problem(place, format!("the unknown tool {tool:?}"), &listed(&names), hint)
            }));
        }
        if problems.is_empty() {
            Ok(TaskEnvironment { tools, ..self })
        } else {
            Err(EnvError::Entries { name: "task environment".to_owned(), problems })
        }
    }

    fn required(&self, scenario: &Scenario) -> Result<Vec<RequiredAction>, RolloutError> {
        let actions = match scenario.metadata.get("required_actions") {
            Some(listed) => {
                read_required_actions(listed).map_err(|error| failed(scenario, error))?
            }
            None => self.actions.clone(),
        };
        if actions.is_empty() {
            return Err(failed(scenario, "there are no required actions"));
        }
        Ok(actions)
    }

    async fn answer_calls(&self, calls: &[ToolCall]) -> (Vec<Message>, Vec<String>) {
        let (mut messages, mut worked) = (Vec::new(), Vec::new());
        for call in calls {
            let tool = self.tools.iter().find(|tool| tool.spec().name == call.name);
            let text = match tool {
                None => match call.as_malformed() {
                    Some((_, why)) => format!("Error: the call cannot be read: {why}"),
                    None => format!("Error: no tool is called {:?}", call.name),
                },
                Some(tool) => match tool.call(call.arguments.clone()).await {
                    Ok(value) => {
                        worked.push(call.name.clone());
                        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
                    }
                    Err(error) => format!("Error: {error}"),
                },
            };
            messages.push(Message::tool_result(call, text));
        }
        (messages, worked)
    }
}

#[async_trait]
impl Environment for TaskEnvironment {
    async fn reset(&self, scenario: &Scenario, _: Stream) -> Result<Opening, RolloutError> {
        self.required(scenario)?;
        let mut state = EnvironmentState::new(&scenario.id);
        state.context.insert(SAID.to_owned(), json!([]));
        state.metadata.insert(COMPLETED.to_owned(), json!([]));
        state.metadata.insert("progress".to_owned(), json!(0.0));
        state.metadata.insert("goal_reached".to_owned(), json!(false));
        let mut messages = scenario.messages.clone();
        if messages.last().is_none_or(|last| last.role != Role::User) {
            if scenario.context.trim().is_empty() {
                return Err(failed(scenario, "it has neither a user message nor a context"));
            }
            messages.push(Message::user(&scenario.context));
        }
        let tools = self.tools.iter().map(|tool| tool.spec().clone()).collect();
        Ok(Opening { state, messages, tools })
    }

    async fn step(
        &self,
        scenario: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        _: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        must_be_open(scenario, state)?;
        let required = self.required(scenario)?;
        let mut completed = texts(state.metadata.get(COMPLETED));
        let mut said = texts(state.context.get(SAID));
        state.turn_count += 1;
        let n_before = completed.len();
        let (mut messages, worked) = self.answer_calls(&action.message.tool_calls).await;
        let text = &action.message.content;
        let counts = !is_list_of_keywords(text, &required);
        for action in &required {
            let is_done = action.tool.as_ref().is_some_and(|tool| worked.contains(tool))
                || (counts && action.is_said(text));
            if is_done && !completed.contains(&action.name) {
                completed.push(action.name.clone());
            }
        }
        if messages.is_empty() {
            said.push(text.clone());
        }
        let view = TaskView {
            agent_turns: &said,
            completed: &completed,
            n_required: required.len(),
            context: &state.context,
        };
        let (is_met, progress) = (self.success.is_met(&view), view.progress());
        let gained = (completed.len() - n_before) as f64 / required.len() as f64;
        let bonus = if is_met { WORTH_OF_COMPLETION } else { 0.0 };
        if is_met {
            state.status = EpisodeStatus::Completed;
        } else if state.turn_count >= self.max_turns {
            state.status = EpisodeStatus::Timeout;
        }
        if messages.is_empty() && !state.is_done() {
            let half = progress > 0.5;
            messages.push(Message::user(if half { ON_THE_WAY } else { AT_THE_START }));
        } else if is_met && action.message.tool_calls.is_empty() {
            state.metadata.insert("closing_words".to_owned(), json!(DONE));
        }
        state.context.insert(SAID.to_owned(), json!(said));
        state.metadata.insert(COMPLETED.to_owned(), json!(completed));
        state.metadata.insert("progress".to_owned(), json!(progress));
        state.metadata.insert("goal_reached".to_owned(), json!(is_met));
        Ok(StepOutcome {
            messages,
            reward: Some(WORTH_OF_PROGRESS * gained + bonus),
            ..StepOutcome::default()
        })
    }
}

/// True for a text most of whose words are keywords.
fn is_list_of_keywords(text: &str, required: &[RequiredAction]) -> bool {
    let keywords: Vec<String> =
        required.iter().flat_map(|action| &action.keywords).flat_map(|word| words(word)).collect();
    let said = words(text);
    let n_keywords = said.iter().filter(|word| keywords.contains(word)).count();
    n_keywords * 2 >= said.len().max(1)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn problem(place: String, found: String, allowed: &str, hint: Option<String>) -> Problem {
    Problem { place, key: String::new(), found, allowed: allowed.to_owned(), hint }
}
