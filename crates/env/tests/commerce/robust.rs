//! Whatever is called: no panic, figures in range, the same bytes again.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use stateset_core::{
    ConversationTurn, EnvironmentState, Message, Purpose, RunSeed, Scenario, StreamKey, ToolCall,
};
use stateset_env::commerce::{Kpi, Reading, commerce_worlds};
use stateset_env::customer::Split;
use stateset_env::sets::World;

use super::play::{random_call, run, stream};

/// Plays `messages` and checks the figures after each; through JSON between turns where asked.
fn check(
    world: &dyn World,
    scenario: &Scenario,
    messages: &[Message],
    through_json: bool,
) -> String {
    let environment = world.environment(world.max_turns());
    run(async {
        let opening = environment.reset(scenario, stream(9, 0)).await.expect("it opens");
        let mut state = opening.state;
        let mut heard = opening.messages;
        for message in messages {
            if state.is_done() {
                break;
            }
            let action = ConversationTurn::new(message.clone());
            let turn = stream(9, state.turn_count + 1);
            let outcome =
                environment.step(scenario, &mut state, &action, turn).await.expect("it answers");
            heard.extend(outcome.messages);
            assert_figures(world, &state);
            if through_json {
                let text = serde_json::to_string(&state).expect("it is written");
                state = serde_json::from_str(&text).expect("it is read");
            }
        }
        format!("{heard:?} {}", serde_json::to_string(&state).expect("it is written"))
    })
}

fn assert_figures(world: &dyn World, state: &EnvironmentState) {
    let figures = state.metadata["kpis"].as_object().expect("figures");
    assert!(figures.len() >= 8);
    for name in figures.keys() {
        let kpi = Kpi::from_name(name).expect("a figure");
        let reading = Reading::from_metadata(&state.metadata, kpi);
        let reading =
            reading.unwrap_or_else(|| panic!("{}: {name} {}", world.name(), figures[name]));
        let (low, high) = kpi.range();
        assert!(low.is_none_or(|low| reading.value >= low), "{name} {reading:?}");
        assert!(high.is_none_or(|high| reading.value <= high), "{name} {reading:?}");
    }
}

/// Texts that mean something in the scenario: ids and names.
fn texts(spec: &Value) -> Vec<String> {
    match spec {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn random_calls_keep_figures_in_range_and_give_the_same_bytes_again() {
    for world in commerce_worlds() {
        let world = world.as_ref();
        let tools = {
            let scenario = &world.scenarios(Split::Train)[0];
            run(world.environment(1).reset(scenario, stream(0, 0))).expect("it opens").tools
        };
        for (index, scenario) in world.scenarios(Split::Validation).iter().take(12).enumerate() {
            let texts = texts(&scenario.metadata["commerce"]);
            let key = StreamKey { scenario: index as u32, ..StreamKey::default() };
            let mut stream = RunSeed(4).stream(Purpose::Sampling, key);
            let messages: Vec<Message> =
                (0..world.max_turns()).map(|_| random_call(&tools, &texts, &mut stream)).collect();
            let once = check(world, scenario, &messages, false);
            assert_eq!(once, check(world, scenario, &messages, false), "{}", world.name());
            assert_eq!(once, check(world, scenario, &messages, true), "{}", world.name());
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        "\\PC{0,60}".prop_map(Value::String),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::hash_map("\\PC{0,8}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A call: a name and arguments, either of which may be a real one. `pick` chooses tool, text and key.
#[derive(Clone, Debug)]
struct AnyCall {
    name: Option<String>,
    pick: [usize; 3],
    value: Value,
    shape: u8,
}

impl AnyCall {
    fn message(&self, tools: &[stateset_core::ToolSpec], texts: &[String]) -> ToolCall {
        let tool = &tools[self.pick[0] % tools.len()];
        let text = json!(texts[self.pick[1] % texts.len()]);
        let keys: Vec<&String> =
            tool.parameters["properties"].as_object().into_iter().flat_map(Map::keys).collect();
        let arguments = match self.shape % 4 {
            0 => self.value.clone(),
            // Every argument the same value, or the same real text.
            1 => keys.iter().map(|key| ((*key).clone(), self.value.clone())).collect(),
            2 => keys.iter().map(|key| ((*key).clone(), text.clone())).collect(),
            _ => json!({"order_id": text, "product_id": text, "decision": "refund"}),
        };
        ToolCall {
            id: "c".to_owned(),
            name: self.name.clone().unwrap_or_else(|| tool.name.clone()),
            arguments,
        }
    }
}

fn any_call() -> impl Strategy<Value = AnyCall> {
    let name = prop_oneof![9 => Just(None), 1 => "\\PC{0,12}".prop_map(Some)];
    (name, any::<[usize; 3]>(), any_json(), any::<u8>())
        .prop_map(|(name, pick, value, shape)| AnyCall { name, pick, value, shape })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_calls_and_texts_are_answered(
        which in 0usize..5,
        turns in prop::collection::vec((prop::collection::vec(any_call(), 0..5), "\\PC{0,40}"), 1..30)
    ) {
        let world = &commerce_worlds()[which];
        let scenario = first(which);
        let opening = run(world.environment(1).reset(&scenario, stream(0, 0))).expect("it opens");
        let texts = texts(&scenario.metadata["commerce"]);
        let messages: Vec<Message> = turns
            .iter()
            .map(|(calls, text)| Message {
                tool_calls: calls.iter().map(|call| call.message(&opening.tools, &texts)).collect(),
                ..Message::assistant(text.as_str())
            })
            .collect();
        check(world.as_ref(), &scenario, &messages, false);
    }

    #[test]
    fn any_scenario_is_played_or_refused(which in 0usize..5, value in any_json(), path in any::<usize>()) {
        let world = &commerce_worlds()[which];
        let mut scenario = first(which);
        let n = leaves(&mut scenario.metadata["commerce"].clone(), usize::MAX, &value);
        leaves(&mut scenario.metadata["commerce"], path % n, &value);
        let environment = world.environment(3);
        if run(environment.reset(&scenario, stream(0, 0))).is_ok() {
            check(world.as_ref(), &scenario, &vec![Message::assistant("Well?"); 3], false);
        }
    }
}

/// The first training scenario of a world; made once, because proptest asks often.
fn first(which: usize) -> Scenario {
    static ALL: std::sync::LazyLock<Vec<Scenario>> = std::sync::LazyLock::new(|| {
        commerce_worlds().iter().map(|world| world.scenarios(Split::Train).swap_remove(0)).collect()
    });
    ALL[which].clone()
}

/// Puts `new` in the place of leaf number `at`, and counts the leaves.
fn leaves(value: &mut Value, at: usize, new: &Value) -> usize {
    fn walk(value: &mut Value, at: usize, new: &Value, n: &mut usize) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| walk(item, at, new, n)),
            Value::Object(fields) => fields.values_mut().for_each(|field| walk(field, at, new, n)),
            leaf => {
                if *n == at {
                    *leaf = new.clone();
                }
                *n += 1;
            }
        }
    }
    let mut n = 0;
    walk(value, at, new, &mut n);
    n
}
