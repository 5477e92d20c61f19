//! Plays one episode with a scripted policy.

use serde_json::{Map, Value, json};
use stateset_core::{
    ConversationTurn, EnvironmentState, Message, Purpose, RewardContext, RunSeed, Scenario, Stream,
    StreamKey, ToolCall, Trajectory,
};
use stateset_env::commerce::{Kpi, Reading};
use stateset_env::rewards::parse_reward;
use stateset_env::sets::{World, world};

/// What a policy may look at. Honest ones read of `spec` only what the texts tell.
pub(crate) struct View<'a> {
    pub(crate) spec: &'a Value,
    pub(crate) memory: &'a Value,
}

/// A policy: the next message of the agent.
pub(crate) type Policy<'a> = &'a dyn Fn(&View<'_>, &mut Stream) -> Message;

/// A finished episode.
pub(crate) struct Played {
    pub(crate) messages: Vec<Message>,
    pub(crate) state: EnvironmentState,
    pub(crate) reward: f64,
}

impl Played {
    pub(crate) fn reading(&self, kpi: Kpi) -> Reading {
        Reading::from_metadata(&self.state.metadata, kpi).unwrap_or_else(|| panic!("no {kpi}"))
    }
}

/// A message with these calls.
pub(crate) fn calls(list: &[(&str, Value)]) -> Message {
    let call = |(index, (name, arguments)): (usize, &(&str, Value))| ToolCall {
        id: format!("c{index}"),
        name: (*name).to_owned(),
        arguments: arguments.clone(),
    };
    let tool_calls = list.iter().enumerate().map(call).collect();
    Message { tool_calls, ..Message::assistant("") }
}

pub(crate) fn named(name: &str) -> Box<dyn World> {
    world(name).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(work)
}

pub(crate) fn stream(seed: u64, turn: usize) -> Stream {
    RunSeed(seed).stream(Purpose::Environment, StreamKey::default().at_turn(turn))
}

/// One episode of `scenario` under `policy`.
pub(crate) fn play(
    world: &dyn World,
    scenario: &Scenario,
    policy: Policy<'_>,
    seed: u64,
) -> Played {
    run(play_async(world, scenario, policy, seed))
}

async fn play_async(
    world: &dyn World,
    scenario: &Scenario,
    policy: Policy<'_>,
    seed: u64,
) -> Played {
    let environment = world.environment(world.max_turns());
    let opening = environment.reset(scenario, stream(seed, 0)).await.expect("it opens");
    assert!(!opening.tools.is_empty());
    let mut state = opening.state;
    let mut messages = opening.messages;
    let mut choices = RunSeed(seed).stream(Purpose::Sampling, StreamKey::default());
    let spec = &scenario.metadata["commerce"];
    while !state.is_done() {
        let turn = state.turn_count + 1;
        let memory: Value =
            serde_json::from_str(state.context["commerce"].as_str().expect("a text"))
                .expect("the memory is JSON");
        let view = View { spec, memory: &memory["world"] };
        let message = policy(&view, &mut choices);
        messages.push(message.clone());
        let action = ConversationTurn::new(message);
        let outcome = environment.step(scenario, &mut state, &action, stream(seed, turn)).await;
        messages.extend(outcome.expect("it answers").messages);
    }
    let reward = parse_reward(world.reward()).expect("a reward");
    let turns = messages.iter().cloned().map(ConversationTurn::new).collect();
    let trajectory =
        Trajectory { turns, final_state: Some(state.clone()), ..Trajectory::default() };
    let result = reward.score(&trajectory, RewardContext { scenario }).await;
    let reward = result.total.value().expect("it is scored");
    Played { messages, state, reward }
}

/// Says nothing but text, with all the words that might matter.
pub(crate) fn keywords(_: &View<'_>, _: &mut Stream) -> Message {
    Message::assistant(
        "refund approve block ship restock discount recommend price resolve excellent thank you sorry?",
    )
}

/// Says nothing at all.
pub(crate) fn nothing(_: &View<'_>, _: &mut Stream) -> Message {
    Message::assistant("")
}

pub(crate) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_else(|| panic!("{key} is no list"))
}

pub(crate) fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} is no number"))
}

pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text"))
}

pub(crate) fn is(value: &Value, key: &str) -> bool {
    value[key].as_bool().unwrap_or_else(|| panic!("{key} is not true or false"))
}

/// A random call: any tool of the world with any arguments that its schema allows; texts come from `texts`.
pub(crate) fn random_call(
    tools: &[stateset_core::ToolSpec],
    texts: &[String],
    stream: &mut Stream,
) -> Message {
    let tool = &tools[stream.index(tools.len())];
    let mut arguments = Map::new();
    for (key, schema) in tool.parameters["properties"].as_object().expect("properties") {
        let value = match schema["type"].as_str() {
            Some("string") => match schema["enum"].as_array() {
                Some(names) => names[stream.index(names.len())].clone(),
                None => json!(texts[stream.index(texts.len())]),
            },
            Some("integer") => {
                let (low, high) = (number(schema, "minimum"), number(schema, "maximum"));
                json!(low as u64 + stream.index((high - low) as usize + 1) as u64)
            }
            _ => json!(stream.uniform(number(schema, "minimum"), number(schema, "maximum"))),
        };
        arguments.insert(key.clone(), value);
    }
    calls(&[(&tool.name, Value::Object(arguments))])
}
