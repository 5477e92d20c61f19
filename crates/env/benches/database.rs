//! What a turn over a database costs without a model: an episode of the shop with two calls and an answer.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use stateset_core::{ConversationTurn, Message, Purpose, RunSeed, StreamKey, ToolCall};
use stateset_env::customer::Split;
use stateset_env::sets::World;
use stateset_env::shop::{Shop, shop_domain};

fn shop_turns(criterion: &mut Criterion) {
    let domain = shop_domain();
    let scenarios = Shop.scenarios(Split::Train);
    let cancels = |scenario: &&stateset_core::Scenario| {
        domain.task(&scenario.id).is_some_and(|task| task.calls.len() == 2)
    };
    let Some(scenario) = scenarios.iter().find(cancels) else { return };
    let Some(task) = domain.task(&scenario.id) else { return };
    let environment = Shop.environment(8);
    let call = |name: &str, arguments: &serde_json::Value| {
        let call = ToolCall { id: "1".into(), name: name.into(), arguments: arguments.clone() };
        ConversationTurn::new(Message { tool_calls: vec![call], ..Message::assistant("") })
    };
    let mut turns: Vec<ConversationTurn> =
        task.calls.iter().map(|expected| call(&expected.name, &expected.arguments)).collect();
    turns.push(call("get_item", &json!({"item": "lamp"})));
    turns.push(ConversationTurn::new(Message::assistant("It is done.")));
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    let stream = |turn| RunSeed(1).stream(Purpose::Environment, StreamKey::default().at_turn(turn));
    let mut group = criterion.benchmark_group("shop");
    group.throughput(Throughput::Elements(turns.len() as u64));
    group.bench_function("turns", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let opening = environment.reset(scenario, stream(0)).await;
                let mut state = opening.map(|opening| opening.state)?;
                for (index, turn) in turns.iter().enumerate() {
                    environment.step(scenario, &mut state, turn, stream(index + 1)).await?;
                }
                Ok::<_, stateset_core::RolloutError>(state)
            })
        });
    });
    group.finish();
}

criterion_group!(benches, shop_turns);
criterion_main!(benches);
