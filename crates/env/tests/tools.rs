//! What is promised of tools.
//!
//! 1. Every call gets one answer with its id, in the order of the calls.
//! 2. Whatever is wrong with a call is told to the agent, and ends nothing.
//! 3. A turn with calls never reaches the world inside, unless it calls a tool of that world.
//! 4. An agent that calls without end runs out of time.
//! 5. Two tools of one name, or a schema that is none, are refused before anything is played.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use proptest::prelude::*;
use serde_json::{Value, json};
use stateset_core::{
    ConversationTurn, Environment, EnvironmentState, EpisodeStatus, Message, Opening, Purpose,
    Role, RolloutError, RunSeed, Scenario, StepOutcome, Stream, StreamKey, ToolCall, ToolSpec,
};
use stateset_env::conversation::ConversationEnvironment;
use stateset_env::tools::{ToolRegistry, ToolRunner, WithTools};

fn spec(name: &str) -> ToolSpec {
    let parameters = json!({
        "type": "object",
        "properties": {"id": {"type": "string"}},
        "required": ["id"],
    });
    ToolSpec { name: name.to_owned(), description: "Finds.".to_owned(), parameters }
}

fn call(id: &str, name: &str, arguments: Value) -> ToolCall {
    ToolCall { id: id.to_owned(), name: name.to_owned(), arguments }
}

fn registry() -> ToolRegistry {
    let mut tools = ToolRegistry::new();
    let find = |arguments: Value| match arguments["id"].as_str() {
        Some("17") => Ok(json!({"status": "on its way"})),
        _ => Err("there is no such order".to_owned()),
    };
    tools.add_function(spec("find_order"), find).expect("a new name");
    let slow = |arguments: Value| async move {
        tokio::task::yield_now().await;
        Ok(json!(format!("slowly {}", arguments["id"].as_str().unwrap_or_default())))
    };
    tools.add_async(spec("look_slowly"), slow).expect("a new name");
    tools
}

fn stream() -> Stream {
    RunSeed(3).stream(Purpose::Environment, StreamKey::default())
}

fn turn(content: &str, calls: Vec<ToolCall>) -> ConversationTurn {
    ConversationTurn::new(Message { tool_calls: calls, ..Message::assistant(content) })
}

fn scripted() -> Scenario {
    Scenario {
        user_responses: vec!["Where is order 17?".into(), "Thanks.".into(), "Bye.".into()],
        ..Scenario::new("s")
    }
}

#[tokio::test]
async fn every_call_is_answered_in_order() {
    let calls = [
        call("a", "look_slowly", json!({"id": "x"})),
        call("b", "find_order", json!({"id": "17"})),
        call("c", "find_order", json!({"id": "18"})),
        call("d", "find_order", json!({"id": 17})),
        call("e", "find_ordr", json!({"id": "17"})),
        ToolCall::malformed("f", "{\"name\"", "it is not JSON"),
    ];
    let answers = ToolRunner::new(registry()).run(&calls).await;
    let said: Vec<(&str, &str)> =
        answers.iter().map(|m| (m.tool_call_id.as_deref().unwrap(), m.content.as_str())).collect();
    let expected = [
        ("a", "slowly x"),
        ("b", "{\"status\":\"on its way\"}"),
        ("c", "Error: failed to run find_order: there is no such order"),
        ("d", "Error: failed to call find_order: /id: 17 is not of type \"string\""),
        (
            "e",
            "Error: failed to run find_ordr: there is no such tool; known are find_order and \
             look_slowly; did you mean \"find_order\"?",
        ),
        ("f", "Error: the call cannot be read: it is not JSON"),
    ];
    assert_eq!(said, expected);
    assert!(answers.iter().all(|answer| answer.role == Role::Tool));
}

#[tokio::test]
async fn long_results_are_cut_off() {
    let runner = ToolRunner { max_result_chars: Some(8), ..ToolRunner::new(registry()) };
    let answers = runner.run(&[call("a", "look_slowly", json!({"id": "é"}))]).await;
    assert_eq!(answers[0].content, "slowly é");
    let answers = runner.run(&[call("a", "look_slowly", json!({"id": "éa"}))]).await;
    assert_eq!(answers[0].content, "slowly é [cut off]");
}

#[tokio::test]
async fn what_waits_waits_at_the_same_time() {
    let (log, mut tools) = (Arc::new(Mutex::new(Vec::new())), ToolRegistry::new());
    let written = log.clone();
    let step = move |arguments: Value| {
        let log = written.clone();
        async move {
            log.lock().unwrap().push(format!("{} begins", arguments["id"]));
            tokio::task::yield_now().await;
            log.lock().unwrap().push(format!("{} ends", arguments["id"]));
            Ok(Value::Null)
        }
    };
    tools.add_async(spec("step"), step).unwrap();
    let calls = [1, 2].map(|n| call("", "step", json!({"id": n.to_string()})));
    ToolRunner::new(tools).run(&calls).await;
    let expected = ["\"1\" begins", "\"2\" begins", "\"1\" ends", "\"2\" ends"];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[tokio::test]
async fn calls_never_reach_the_world_inside() {
    let world = WithTools::new(Arc::new(ConversationEnvironment::default()), registry());
    let scenario = scripted();
    let opening = world.reset(&scenario, stream()).await.unwrap();
    assert_eq!(opening.messages, [Message::user("Where is order 17?")]);
    assert_eq!(opening.tools, [spec("find_order"), spec("look_slowly")]);
    let mut state = opening.state;
    let asks = turn("Let me look.", vec![call("a", "find_order", json!({"id": "17"}))]);
    let outcome = world.step(&scenario, &mut state, &asks, stream()).await.unwrap();
    assert_eq!(outcome.messages[0].content, "{\"status\":\"on its way\"}");
    assert_eq!(state.turn_count, 0);
    let says = turn("It is on its way.", Vec::new());
    let outcome = world.step(&scenario, &mut state, &says, stream()).await.unwrap();
    assert_eq!(outcome.messages, [Message::user("Thanks.")]);
    assert_eq!((state.turn_count, &state.metadata["tool_calls"]), (1, &json!(1)));
    assert_eq!(state.metadata["tool_errors"], json!(0));
}

#[tokio::test]
async fn an_agent_that_only_calls_runs_out_of_time() {
    let inner: Arc<dyn Environment> = Arc::new(ConversationEnvironment::default());
    let world = WithTools { max_rounds: 2, ..WithTools::new(inner, registry()) };
    let scenario = scripted();
    let mut state = world.reset(&scenario, stream()).await.unwrap().state;
    let asks = turn("", vec![call("a", "find_order", json!({"id": "17"}))]);
    let mut said = Vec::new();
    while !state.is_done() {
        let outcome = world.step(&scenario, &mut state, &asks, stream()).await.unwrap();
        said.extend(outcome.messages.into_iter().map(|message| message.content));
    }
    assert_eq!(said[2], "Error: 2 rounds of calls were made; answer the user now");
    assert_eq!((said.len(), state.status), (3, EpisodeStatus::Timeout));
}

/// A world with a tool of its own.
struct Till;

#[async_trait]
impl Environment for Till {
    async fn reset(&self, scenario: &Scenario, _: Stream) -> Result<Opening, RolloutError> {
        Ok(Opening {
            state: EnvironmentState::new(&scenario.id),
            messages: vec![Message::user("Pay.")],
            tools: vec![spec("pay")],
        })
    }

    async fn step(
        &self,
        _: &Scenario,
        state: &mut EnvironmentState,
        action: &ConversationTurn,
        _: Stream,
    ) -> Result<StepOutcome, RolloutError> {
        let paid = action.message.tool_calls.iter().map(|call| {
            assert_eq!(call.name, "pay");
            Message::tool_result(call, "paid")
        });
        let messages: Vec<Message> = paid.collect();
        state.turn_count += 1;
        Ok(StepOutcome { messages, reward: Some(1.0), ..StepOutcome::default() })
    }
}

#[tokio::test]
async fn the_worlds_own_tools_are_its_affair_and_wrappers_nest() {
    let mut more = ToolRegistry::new();
    more.add_function(spec("note"), |_| Ok(json!("noted"))).unwrap();
    let world = WithTools::new(Arc::new(WithTools::new(Arc::new(Till), registry())), more);
    let scenario = Scenario::new("s");
    let opening = world.reset(&scenario, stream()).await.unwrap();
    let names: Vec<&str> = opening.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["pay", "find_order", "look_slowly", "note"]);
    let mut state = opening.state;
    let calls = ["find_order", "pay", "note", "nothing"];
    let calls = calls.map(|name| call(name, name, json!({"id": "17"}))).to_vec();
    for _ in 0..2 {
        let asks = turn("", calls.clone());
        let outcome = world.step(&scenario, &mut state, &asks, stream()).await.unwrap();
        let said: Vec<&str> = outcome.messages.iter().map(|m| m.content.as_str()).collect();
        assert_eq!(said[..3], ["{\"status\":\"on its way\"}", "paid", "noted"]);
        assert!(said[3].starts_with("Error: failed to run nothing: there is no such tool"));
        assert_eq!(outcome.reward, Some(1.0));
    }
    assert_eq!(state.turn_count, 2);
}

#[tokio::test]
async fn clashes_and_bad_schemas_are_refused() {
    let mut tools = registry();
    let error = tools.add_function(spec("find_order"), Ok).unwrap_err().to_string();
    assert_eq!(error, "add the tool \"find_order\": there is a tool of this name already");
    for name in ["", "a b", "1a", "malformed_call", &"a".repeat(65)] {
        assert!(tools.add_function(spec(name), Ok).is_err(), "{name}");
    }
    let bad = ToolSpec { parameters: json!({"type": "dict"}), ..spec("f") };
    assert!(tools.add_function(bad, Ok).unwrap_err().to_string().contains("\"dict\""));
    let mut pay = ToolRegistry::new();
    pay.add_function(spec("pay"), Ok).unwrap();
    let world = WithTools::new(Arc::new(Till), pay);
    let error = world.reset(&Scenario::new("s"), stream()).await.unwrap_err();
    assert!(error.message.contains("two tools are called \"pay\""), "{error}");
    let error = tools.add_all(&registry()).unwrap_err().to_string();
    assert!(error.contains("find_order"), "{error}");
}

proptest! {
    #[test]
    fn no_arguments_make_a_runner_panic(name in "[a-z_]{0,12}", text in ".{0,40}") {
        let arguments = serde_json::from_str(&text).unwrap_or(Value::String(text));
        let calls = [call("a", &name, arguments.clone()), call("b", "find_order", arguments)];
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answers = runtime.block_on(ToolRunner::new(registry()).run(&calls));
        prop_assert_eq!(answers.len(), 2);
        prop_assert_eq!(answers[1].tool_call_id.as_deref(), Some("b"));
    }
}
