//! Tasks with required actions. Pinned here:
//!
//! 1. Progress is the share of actions done; a turn earns ten times what it adds, and 5 more, once, where it
//!    completes the task.
//! 2. An action is done by a word of its own, or by a tool that worked; lists of keywords do nothing.
//! 3. An episode ends when the criteria are met (all actions, a share, a function), or after `max_turns`.
//! 4. A scenario's own actions come first; what does not fit is an error that names its place.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use stateset_core::{
    ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Purpose, Role,
    RunSeed, Scenario, Stream, StreamKey, Tool, ToolCall, ToolError, ToolSpec,
};
use stateset_env::customer::Split;
use stateset_env::sets::World;
use stateset_env::task::{
    RequiredAction, SuccessCriteria, TaskEnvironment, read_required_actions, task_config,
};

fn stream(turn: usize) -> Stream {
    RunSeed(3).stream(Purpose::Environment, StreamKey::default().at_turn(turn))
}

fn analyst() -> (TaskEnvironment, Scenario) {
    let config = task_config("data_analysis").expect("it is built in");
    let scenario = config.scenarios(Split::Train).remove(0);
    (TaskEnvironment::new(config.required_actions()), scenario)
}

/// Rewards of the turns, what the user said last, and the last state.
async fn play(
    environment: &TaskEnvironment,
    scenario: &Scenario,
    turns: Vec<Message>,
) -> (Vec<f64>, Vec<Message>, EnvironmentState) {
    let opening = environment.reset(scenario, stream(0)).await.expect("it opens");
    let mut state = opening.state;
    let (mut rewards, mut heard) = (Vec::new(), Vec::new());
    for turn in turns {
        let action = ConversationTurn::new(turn);
        let outcome =
            environment.step(scenario, &mut state, &action, stream(1)).await.expect("a step");
        rewards.push(outcome.reward.expect("every turn has a reward"));
        heard.extend(outcome.messages);
    }
    (rewards, heard, state)
}

fn says(text: &str) -> Message {
    Message::assistant(text)
}

#[tokio::test]
async fn progress_is_paid_and_completion_once() {
    let (environment, scenario) = analyst();
    let turns = vec![
        says("First I load the table from the file."),
        says("I have nothing to add to that right now."),
        says("Now I look at each column, and then I compare the months with each other."),
        says("My conclusion is that May stands out in it."),
    ];
    let (rewards, heard, state) = play(&environment, &scenario, turns).await;
    assert_eq!(rewards, [2.5, 0.0, 5.0, 7.5]);
    let answers: Vec<&str> = heard.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(
        answers,
        [
            "Please go on with the task.",
            "Please go on with the task.",
            "Good progress. What is still to be done?"
        ]
    );
    assert_eq!(state.status, EpisodeStatus::Completed);
    assert_eq!(state.metadata["goal_reached"], json!(true));
    assert_eq!(
        state.metadata["completed_actions"],
        json!(["load_data", "explore_data", "analyse", "report"])
    );
    let over = ConversationTurn::new(says("More."));
    assert!(environment.step(&scenario, &mut state.clone(), &over, stream(9)).await.is_err());
}

#[tokio::test]
async fn lists_of_keywords_and_parts_of_words_do_nothing() {
    let (environment, scenario) = analyst();
    let environment = environment.with_max_turns(3);
    let turns = vec![
        says("load explore analyse report"),
        says("We reloaded the overlooked things and reported on what was seen."),
        says(""),
    ];
    let (rewards, _, state) = play(&environment, &scenario, turns).await;
    assert_eq!(rewards, [0.0, 0.0, 0.0]);
    assert_eq!(state.status, EpisodeStatus::Timeout);
    assert_eq!(state.metadata["progress"], json!(0.0));
}

struct Lookup(ToolSpec);

#[async_trait]
impl Tool for Lookup {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, arguments: Value) -> Result<Value, ToolError> {
        match arguments["order"].as_str() {
            Some(order) => Ok(json!({"order": order})),
            None => Err(ToolError::BadArguments {
                tool: self.0.name.clone(),
                message: "there is no order".to_owned(),
            }),
        }
    }
}

fn lookup(name: &str) -> Arc<dyn Tool> {
    let parameters = json!({"type": "object"});
    let description = String::new();
    Arc::new(Lookup(ToolSpec { name: name.to_owned(), description, parameters }))
}

fn calls(name: &str, arguments: Value) -> Message {
    let call = ToolCall { id: "c1".to_owned(), name: name.to_owned(), arguments };
    Message { tool_calls: vec![call], ..Message::assistant("") }
}

fn helper() -> TaskEnvironment {
    TaskEnvironment::new(vec![
        RequiredAction::said("greet", &["Hello", "good day"]),
        RequiredAction::called("look", "get_order"),
    ])
}

#[tokio::test]
async fn tools_are_answered_and_count_when_they_work() {
    let environment = helper().with_tools(vec![lookup("get_order")]).unwrap();
    let scenario = Scenario { context: "Where is oak7?".to_owned(), ..Scenario::new("s") };
    let opening = environment.reset(&scenario, stream(0)).await.unwrap();
    assert_eq!(opening.messages, [Message::user("Where is oak7?")]);
    assert_eq!(opening.tools.len(), 1);
    let turns = vec![
        calls("get_order", json!({})),
        calls("get_ordr", json!({"order": "oak7"})),
        calls("get_order", json!({"order": "oak7"})),
        says("Good day to you, it is on its way."),
    ];
    let (rewards, heard, state) = play(&environment, &scenario, turns).await;
    assert_eq!(rewards, [0.0, 0.0, 5.0, 10.0]);
    let texts: Vec<&str> = heard.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(
        texts,
        [
            "Error: call get_order: there is no order",
            "Error: no tool is called \"get_ordr\"",
            "{\"order\":\"oak7\"}"
        ]
    );
    assert!(heard.iter().all(|message| message.role == Role::Tool));
    assert_eq!(state.status, EpisodeStatus::Completed);
}

#[tokio::test]
async fn criteria_can_be_a_share_or_a_function() {
    let scenario = Scenario { context: "Hi.".to_owned(), ..Scenario::new("s") };
    let half = helper().with_success(SuccessCriteria::Share(0.5));
    let (rewards, _, state) = play(&half, &scenario, vec![says("Hello to you and yours.")]).await;
    assert_eq!((rewards.as_slice(), state.status), ([10.0].as_slice(), EpisodeStatus::Completed));
    let thrice = helper().with_success(SuccessCriteria::when(|view| view.agent_turns.len() == 3));
    let turns = vec![says("One thing."), says("Another one."), says("The third.")];
    let (rewards, _, state) = play(&thrice, &scenario, turns).await;
    assert_eq!((rewards, state.status), (vec![0.0, 0.0, 5.0], EpisodeStatus::Completed));
}

#[tokio::test]
async fn a_scenario_brings_its_own_actions() {
    let mut scenario = Scenario { context: "Hi.".to_owned(), ..Scenario::new("s") };
    let own = vec![RequiredAction::said("thank", &["thanks"]).to_value()];
    scenario.metadata.insert("required_actions".to_owned(), Value::Array(own));
    let (rewards, _, _) = play(&helper(), &scenario, vec![says("Many thanks for that.")]).await;
    assert_eq!(rewards, [15.0]);
    scenario.metadata.insert("required_actions".to_owned(), json!([{"nam": "x"}]));
    assert!(helper().reset(&scenario, stream(0)).await.is_err());
    assert!(helper().reset(&Scenario::new("silent"), stream(0)).await.is_err());
}

#[test]
fn what_does_not_fit_is_said() {
    let clash = helper().with_tools(vec![lookup("a"), lookup("a")]).map(|_| ()).unwrap_err();
    let clash = clash.to_string();
    assert!(clash.contains("tool 1: found \"a\" again"), "{clash}");
    let unknown = helper().with_tools(vec![lookup("get_orders")]).map(|_| ()).unwrap_err();
    assert!(unknown.to_string().contains("the unknown tool \"get_order\""), "{unknown}");
    assert!(unknown.to_string().contains("did you mean \"get_orders\"?"), "{unknown}");
    let error = read_required_actions(&json!([{"nam": "x", "keywords": ["y"]}, "call_me"]));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("required_actions[0]: `nam`: found an unknown key"), "{error}");
    assert!(read_required_actions(&json!({})).is_err());
    assert_eq!(
        read_required_actions(&json!(["call_me"])).unwrap(),
        [RequiredAction::called("call_me", "call_me")]
    );
}
