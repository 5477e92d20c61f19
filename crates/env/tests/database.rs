//! How tasks over a database are played. Pinned here:
//!
//! 1. A turn that calls tools is answered with their results and is not heard by the user; one without calls
//!    is heard and answered.
//! 2. Every episode has a database of its own; the domain's is never changed. A call that fails changes
//!    nothing.
//! 3. An agent that asks for what it lacks and follows the policy scores 1 on every case of the shop; agents
//!    that guess, recite or do nothing do not.
//! 4. The whole memory is in the state: through JSON after every turn the episode is the same, bit for bit.
//! 5. An episode ends with the user, with a tool that ends it, or after `max_turns`; it is judged by what it
//!    had come to.

#[path = "../../../tests/support/data.rs"]
mod support;

use std::sync::Arc;

use serde_json::{Value, json};
use stateset_core::{
    ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Purpose, Reward,
    RewardContext, Role, RunSeed, Scenario, Stream, StreamKey, ToolCall, Trajectory,
    TrajectoryRecord,
};
use stateset_env::customer::Split;
use stateset_env::database::{
    DatabaseEnvironment, DatabaseReport, DatabaseTask, is_said, load_tau_retail, load_tau2_mock,
};
use stateset_env::rewards::{DatabaseReward, parse_reward};
use stateset_env::sets::World;
use stateset_env::shop::{ITEMS, Shop, clerk as shop_clerk, shop_domain};
use support::test_data;

fn stream(turn: usize) -> Stream {
    RunSeed(3).stream(Purpose::Environment, StreamKey::default().at_turn(turn))
}

fn calls(name: &str, arguments: Value) -> Message {
    let call = ToolCall { id: format!("call_{name}"), name: name.to_owned(), arguments };
    Message { tool_calls: vec![call], ..Message::assistant("") }
}

/// Plays an episode; the agent sees the conversation so far. With `through_json` the state is written and
/// read after every turn.
async fn play(
    environment: &dyn Environment,
    scenario: &Scenario,
    mut agent: impl FnMut(&[Message]) -> Message,
    through_json: bool,
) -> Trajectory {
    let opening = environment.reset(scenario, stream(0)).await.expect("it opens");
    let mut state = opening.state;
    let mut messages = opening.messages;
    let mut trajectory = Trajectory { scenario_id: scenario.id.clone(), ..Trajectory::default() };
    trajectory.turns.extend(messages.iter().cloned().map(ConversationTurn::new));
    while !state.is_done() && state.turn_count < 30 {
        let action = ConversationTurn::new(agent(&messages));
        let turn = stream(state.turn_count + 1);
        let outcome = environment.step(scenario, &mut state, &action, turn).await.expect("a step");
        messages.push(action.message.clone());
        messages.extend(outcome.messages.iter().cloned());
        trajectory.turns.push(action);
        trajectory.turns.extend(outcome.messages.into_iter().map(ConversationTurn::new));
        if through_json {
            let text = serde_json::to_string(&state).expect("plain data");
            state = serde_json::from_str::<EnvironmentState>(&text).expect("plain data");
        }
    }
    trajectory.final_state = Some(state);
    trajectory
}

async fn total(reward: &dyn Reward, trajectory: &Trajectory, scenario: &Scenario) -> Option<f64> {
    reward.score(trajectory, RewardContext { scenario }).await.total.value()
}

/// Makes a task's calls one after the other, and then says its outputs.
fn replayer(task: &DatabaseTask) -> impl FnMut(&[Message]) -> Message {
    let mut rest: Vec<Message> =
        task.calls.iter().map(|call| calls(&call.name, call.arguments.clone())).collect();
    let text = if task.outputs.is_empty() { "Done.".to_owned() } else { task.outputs.join(" ") };
    rest.push(Message::assistant(text));
    let mut rest = rest.into_iter();
    move |_| rest.next().unwrap_or_else(|| Message::assistant("Goodbye."))
}

#[tokio::test]
async fn other_peoples_tasks_replay_through_the_environment() {
    let Some(folder) = test_data("tau-retail") else { return };
    let retail = Arc::new(load_tau_retail(&folder).unwrap());
    let environment = DatabaseEnvironment::new(retail.clone(), 30);
    for scenario in retail.scenarios() {
        let task = retail.task(&scenario.id).unwrap();
        let trajectory = play(&environment, &scenario, replayer(task), false).await;
        let value = total(&DatabaseReward, &trajectory, &scenario).await;
        assert_eq!(value, Some(1.0), "{}", scenario.id);
    }
    let Some(folder) = test_data("tau2-mock") else { return };
    let mock = Arc::new(load_tau2_mock(&folder).unwrap());
    let environment = DatabaseEnvironment::new(mock.clone(), 30);
    let mut scored = 0;
    for scenario in mock.scenarios() {
        let task = mock.task(&scenario.id).unwrap();
        let trajectory = play(&environment, &scenario, replayer(task), true).await;
        let result = DatabaseReward.judge(&trajectory);
        scored += usize::from(result.total.value() == Some(1.0));
        if let Some(statements) = result.component("statements") {
            assert_eq!(statements.score.value(), None, "{}", scenario.id);
        }
    }
    assert_eq!(scored, 7);
}

/// The shop's own clerk, with the same wording for the same conversation.
fn clerk(messages: &[Message]) -> Message {
    let key = StreamKey::default().at_turn(messages.len());
    shop_clerk(messages, &mut RunSeed(5).stream(Purpose::Data, key))
}

#[tokio::test]
async fn a_competent_clerk_does_every_case_of_the_shop() {
    let environment = Shop.environment(Shop.max_turns());
    let reward = parse_reward(Shop.reward()).unwrap();
    for split in Split::ALL {
        for scenario in Shop.scenarios(*split) {
            let trajectory = play(environment.as_ref(), &scenario, clerk, false).await;
            let said: Vec<String> =
                trajectory.turns.iter().map(|t| format!("{:?}", t.message)).collect();
            let value = total(reward.as_ref(), &trajectory, &scenario).await;
            assert_eq!(value, Some(1.0), "{}\n{}", scenario.id, said.join("\n"));
            let state = trajectory.final_state.as_ref().unwrap();
            assert_eq!(state.status, EpisodeStatus::Completed);
        }
    }
}

const EVERYTHING: &str = "open, sent, delivered, cancelled, returned, exchanged, sold out, 25, 8, 14, 30, 60, 18, 22, 45";

#[tokio::test]
async fn agents_that_do_not_work_earn_little() {
    let environment = Shop.environment(Shop.max_turns());
    let reward = parse_reward(Shop.reward()).unwrap();
    for item in ITEMS {
        assert!(is_said(&item.price.to_string(), EVERYTHING));
    }
    type Agent = fn(&[Message]) -> Message;
    let agents: [(&str, Agent, f64); 7] = [
        ("recites", |_| Message::assistant(EVERYTHING), 0.05),
        ("always the same", |_| Message::assistant("It is sent."), 0.2),
        ("silent", |_| Message::assistant(""), 0.0),
        ("polite", |_| Message::assistant("Thank you, it is done."), 0.05),
        ("guesses", |_| calls("cancel_order", json!({"order": "oak7"})), 0.12),
        ("unknown tool", |_| calls("refund", json!({"all": true})), 0.0),
        ("babbles", |_| Message::assistant("lamp lamp order? order?"), 0.0),
    ];
    let scenarios = Shop.scenarios(Split::HeldOut);
    for (name, agent, most) in agents {
        let mut sum = 0.0;
        for scenario in &scenarios {
            let trajectory = play(environment.as_ref(), scenario, agent, false).await;
            sum += total(reward.as_ref(), &trajectory, scenario).await.expect("it is scored");
        }
        let mean = sum / scenarios.len() as f64;
        println!("{name}: {mean:.3}");
        assert!(mean <= most, "{name}: {mean}");
    }
}

#[tokio::test]
async fn the_memory_is_plain_data_and_a_record_is_judged_alike() {
    let environment = Shop.environment(Shop.max_turns());
    let reward = parse_reward(Shop.reward()).unwrap();
    for scenario in Shop.scenarios(Split::Validation) {
        let one = play(environment.as_ref(), &scenario, clerk, false).await;
        let other = play(environment.as_ref(), &scenario, clerk, true).await;
        assert_eq!(one, other, "{}", scenario.id);
        let record = serde_json::to_string(&TrajectoryRecord::from(&one)).unwrap();
        let record: TrajectoryRecord = serde_json::from_str(&record).unwrap();
        let read = Trajectory::try_from(record).expect("the record is sound");
        let (before, after) = (
            total(reward.as_ref(), &one, &scenario).await,
            total(reward.as_ref(), &read, &scenario).await,
        );
        assert_eq!(before.map(f64::to_bits), after.map(f64::to_bits));
        // Played again from the record: the same agent's turns give the same state.
        let mut turns = read
            .turns
            .iter()
            .filter(|t| t.message.role == Role::Assistant)
            .map(|t| t.message.clone());
        let agent = |_: &[Message]| turns.next().expect("as many turns as before");
        let again = play(environment.as_ref(), &scenario, agent, false).await;
        assert_eq!(again, one);
    }
}

#[tokio::test]
async fn calls_are_not_heard_and_errors_change_nothing() {
    let domain = shop_domain();
    let environment = DatabaseEnvironment::new(domain.clone(), 8);
    let scenario = Shop
        .scenarios(Split::Train)
        .into_iter()
        .find(|scenario| scenario.topic == "price")
        .unwrap();
    let price = &domain.task(&scenario.id).unwrap().outputs[0];
    let mut state = environment.reset(&scenario, stream(0)).await.unwrap().state;
    let mut said_beside = calls("get_order", json!({"order": "nowhere1"}));
    said_beside.content = format!("It costs {price}.");
    let turn = ConversationTurn::new(said_beside);
    let outcome = environment.step(&scenario, &mut state, &turn, stream(1)).await.unwrap();
    let [result] = outcome.messages.as_slice() else { panic!("one result") };
    assert_eq!(
        (result.role, result.content.as_str()),
        (Role::Tool, "Error: orders has no nowhere1")
    );
    assert_eq!(result.tool_call_id.as_deref(), Some("call_get_order"));
    let report = DatabaseReport::from_metadata(&state.metadata).unwrap();
    assert_eq!((report.outputs.met, report.n_calls, report.n_failed_calls), (0, 1, 1));
    for (name, arguments, expected) in [
        (
            "get_ordr",
            json!({}),
            "Error: no tool is called \"get_ordr\"; tools are get_order, get_item, \
          cancel_order, return_order and exchange_order; did you mean get_order?",
        ),
        (
            "get_order",
            json!({"order": 7}),
            "Error: bad arguments: order: 7 is not of type \"string\"",
        ),
        ("get_order", json!("oak7"), "Error: bad arguments: \"oak7\" is not of type \"object\""),
        (
            "return_order",
            json!({"order": "x"}),
            "Error: bad arguments: \"reason\" is a required property",
        ),
    ] {
        let turn = ConversationTurn::new(calls(name, arguments));
        let outcome = environment.step(&scenario, &mut state, &turn, stream(2)).await.unwrap();
        assert_eq!(outcome.messages[0].content, expected);
    }
    assert_eq!(state.context["database"], json!({}));
    let turn = ConversationTurn::new(Message::assistant(format!("It costs {price}.")));
    environment.step(&scenario, &mut state, &turn, stream(3)).await.unwrap();
    assert_eq!(state.status, EpisodeStatus::Completed);
    assert_eq!(state.metadata["goal_reached"], json!(true));
    assert!(environment.step(&scenario, &mut state, &turn, stream(4)).await.is_err());
    let unknown = Scenario::new("no-such-task");
    assert!(environment.reset(&unknown, stream(0)).await.is_err());
}

#[tokio::test]
async fn a_tool_can_end_the_episode_and_turns_run_out() {
    let Some(folder) = test_data("tau2-mock") else { return };
    let mock = Arc::new(load_tau2_mock(&folder).unwrap());
    let environment = DatabaseEnvironment::new(mock.clone(), 2);
    let scenarios = mock.scenarios();
    let find = |id: &str| scenarios.iter().find(|scenario| scenario.id == id).unwrap();
    let over = |_: &[Message]| calls("transfer_to_human_agents", json!({"summary": "delete"}));
    let handed = play(&environment, find("impossible_task_1"), over, false).await;
    assert_eq!(handed.final_state.as_ref().unwrap().status, EpisodeStatus::Completed);
    assert_eq!(DatabaseReward.judge(&handed).total.value(), Some(1.0), "only the name is compared");
    let wrong = play(&environment, find("create_task_1"), over, false).await;
    assert_eq!(wrong.final_state.as_ref().unwrap().status, EpisodeStatus::Failed);
    let looks = |_: &[Message]| calls("get_users", json!({}));
    let late = play(&environment, find("create_task_1"), looks, false).await;
    let state = late.final_state.as_ref().unwrap();
    assert_eq!((state.status, state.turn_count), (EpisodeStatus::Timeout, 2));
    assert_eq!(DatabaseReward.judge(&late).total.value(), Some(0.0));
    let history =
        environment.reset(find("update_task_with_message_history"), stream(0)).await.unwrap();
    let roles: Vec<Role> = history.messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::Tool, Role::Assistant, Role::User]);
}

/// One line for each message.
fn transcript(trajectory: &Trajectory) -> String {
    let line = |turn: &ConversationTurn| {
        let message = &turn.message;
        let calls =
            message.tool_calls.iter().map(|call| format!("{} {}", call.name, call.arguments));
        let calls: Vec<String> = calls.collect();
        format!("{}: {}{}\n", message.role, message.content, calls.join(", "))
    };
    let said: String = trajectory.turns.iter().map(line).collect();
    let state = trajectory.final_state.as_ref().expect("a finished episode");
    let parts = |map: &serde_json::Map<String, Value>| {
        map.iter().map(|(key, value)| format!("  {key} = {value}\n")).collect::<String>()
    };
    format!("{said}{:?}\n{}{}", state.status, parts(&state.context), parts(&state.metadata))
}

/// Whole episodes word by word. Written anew where `STATESET_WRITE_GENERATED` is set.
#[tokio::test]
async fn episodes_are_pinned() {
    let environment = Shop.environment(Shop.max_turns());
    let mut episodes = String::new();
    for topic in ["cancel", "return", "exchange", "state", "price"] {
        let scenarios = Shop.scenarios(Split::HeldOut);
        let scenario = scenarios.iter().find(|scenario| scenario.topic == topic).unwrap();
        let trajectory = play(environment.as_ref(), scenario, clerk, false).await;
        episodes += &format!("--- {}\n{}", scenario.id, transcript(&trajectory));
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/episodes/shop.txt");
    if std::env::var_os("STATESET_WRITE_GENERATED").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &episodes).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), episodes);
}
