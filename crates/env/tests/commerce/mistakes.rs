//! What does not fit is answered with what is wrong, and costs.

use serde_json::{Value, json};
use stateset_core::{ConversationTurn, Message, Role, Scenario};
use stateset_env::commerce::Kpi;
use stateset_env::customer::Split;

use super::play::{calls, named, nothing, play, run, stream};

fn answers(world: &str, message: Message) -> Vec<Message> {
    let world = named(world);
    let scenario = &world.scenarios(Split::Train)[0];
    let environment = world.environment(world.max_turns());
    run(async {
        let opening = environment.reset(scenario, stream(1, 0)).await.expect("it opens");
        let mut state = opening.state;
        let action = ConversationTurn::new(message);
        environment
            .step(scenario, &mut state, &action, stream(1, 1))
            .await
            .expect("it answers")
            .messages
    })
}

#[test]
fn calls_are_answered_in_order_with_what_is_wrong() {
    let message = calls(&[
        ("set_prise", json!({})),
        ("set_price", json!({"price": "low"})),
        ("set_price", json!({"price": 1e5})),
        ("set_price", json!({"price": 5, "region": "south"})),
    ]);
    let texts: Vec<String> = answers("dynamic_pricing", message)
        .into_iter()
        .map(|message| {
            assert_eq!(message.role, Role::Tool);
            format!("{} {}", message.tool_call_id.expect("an id"), message.content)
        })
        .collect();
    assert_eq!(
        texts[0],
        "c0 error: no tool is called \"set_prise\"; there are set_price, promote, review_sales and close_week; \
         did you mean set_price?"
    );
    assert_eq!(texts[1], "c1 error: set_price: price must be a number from 0 to 1000000");
    assert!(
        texts[2].starts_with("c2 error: set_price: the price must be from 0 to "),
        "{}",
        texts[2]
    );
    assert!(texts[3].ends_with("south 5.00."), "{}", texts[3]);
}

#[test]
fn a_flood_of_calls_is_cut_off() {
    let many: Vec<(&str, Value)> = (0..20).map(|_| ("check_stock", json!({}))).collect();
    let found = answers("fulfilment", calls(&many));
    assert_eq!(found.len(), 20);
    assert!(found[7].content.starts_with("Stock"));
    assert_eq!(found[8].content, "error: more than 8 calls in one turn; this one was not made");
}

#[test]
fn mistakes_cost_time() {
    let world = named("fraud_review");
    let scenario = &world.scenarios(Split::Train)[0];
    let policy = |id: &'static str| {
        move |view: &super::play::View<'_>, stream: &mut stateset_core::Stream| {
            let message = super::fraud::naive(view, stream);
            let mut all = vec![("show_order", json!({"order_id": id}))];
            if let Some(call) = message.tool_calls.first() {
                let name = if call.name == "block" { "block" } else { "approve" };
                all.push((name, call.arguments.clone()));
            }
            calls(&all)
        }
    };
    let wrong = play(world.as_ref(), scenario, &policy("F1"), 3);
    let plain = play(world.as_ref(), scenario, &super::fraud::naive, 3);
    let minutes = |played: &super::play::Played| played.reading(Kpi::HandlingTime).value;
    assert!((minutes(&wrong) - minutes(&plain) - 2.0).abs() < 0.3, "two minutes for each decision");
    assert!(wrong.reward < plain.reward);
}

#[test]
fn an_episode_without_calls_ends_and_is_scored() {
    for world in stateset_env::commerce::commerce_worlds() {
        let scenario = &world.scenarios(Split::Train)[0];
        let played = play(world.as_ref(), scenario, &nothing, 1);
        assert!(played.state.turn_count <= world.max_turns(), "{}", world.name());
        assert!((0.0..0.6).contains(&played.reward), "{}: {}", world.name(), played.reward);
    }
}

/// Scenarios that somebody wrote are refused with what is wrong, each in its own episode.
#[test]
fn scenarios_that_cannot_be_played_are_refused() {
    let refused = |name: &str, metadata: Value| {
        let world = named(name);
        let mut scenario = Scenario::new("mine");
        scenario.metadata = metadata.as_object().cloned().unwrap_or_default();
        let opened = run(world.environment(5).reset(&scenario, stream(1, 0)));
        opened.map(|_| ()).expect_err("it cannot be played").to_string()
    };
    let message = refused("returns_desk", json!({}));
    assert_eq!(
        message,
        "play the episode: environment: scenario \"mine\": its metadata has no \"commerce\" for returns_desk"
    );
    let message = refused("returns_desk", json!({"commerce": {"cases": [], "clerk": 1}}));
    assert!(message.contains("unknown field `clerk`, expected `cases`"), "{message}");
    let message = refused("returns_desk", json!({"commerce": {"cases": []}}));
    assert!(message.ends_with("0 cases, allowed are 1 to 12"), "{message}");
    for world in stateset_env::commerce::commerce_worlds() {
        let mut scenario = world.scenarios(Split::Train).swap_remove(0);
        spoil(&mut scenario.metadata["commerce"]);
        let opened = run(world.environment(5).reset(&scenario, stream(1, 0)));
        assert!(opened.is_err(), "{}", world.name());
    }
}

/// Makes every number negative.
fn spoil(value: &mut Value) {
    match value {
        Value::Number(_) => *value = json!(-1),
        Value::Array(items) => items.iter_mut().for_each(spoil),
        Value::Object(fields) => fields.values_mut().for_each(spoil),
        _ => {}
    }
}
