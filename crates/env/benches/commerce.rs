//! What a turn of the worlds of commerce costs without a model: episodes of the sensible policies are
//! recorded once and replayed. Criterion's elements are turns of the agent.

#![allow(missing_docs, reason = "criterion's macros write functions without docs")]
#![allow(dead_code, reason = "the policies of the tests are more than is played here")]

#[path = "../tests/commerce/cross_sell.rs"]
mod cross_sell;
#[path = "../tests/commerce/fraud.rs"]
mod fraud;
#[path = "../tests/commerce/fulfilment.rs"]
mod fulfilment;
#[path = "../tests/commerce/play.rs"]
mod play;
#[path = "../tests/commerce/pricing.rs"]
mod pricing;
#[path = "../tests/commerce/returns.rs"]
mod returns;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use play::{Policy, named, play, stream};
use stateset_core::{ConversationTurn, Role};
use stateset_env::customer::Split;

fn turns(criterion: &mut Criterion) {
    let worlds: [(&str, Policy<'_>); 5] = [
        ("returns_desk", &returns::sensible),
        ("dynamic_pricing", &pricing::sensible),
        ("fulfilment", &fulfilment::sensible),
        ("cross_sell", &cross_sell::sensible),
        ("fraud_review", &fraud::sensible),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut group = criterion.benchmark_group("commerce turns");
    for (name, policy) in worlds {
        let world = named(name);
        let scenario = world.scenarios(Split::Train).swap_remove(0);
        let played = play(world.as_ref(), &scenario, policy, 1);
        let said = played.messages.into_iter().filter(|message| message.role == Role::Assistant);
        let actions: Vec<ConversationTurn> = said.map(ConversationTurn::new).collect();
        let environment = world.environment(world.max_turns());
        let opened =
            runtime.block_on(environment.reset(&scenario, stream(1, 0))).expect("it opens");
        group.throughput(Throughput::Elements(actions.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                runtime.block_on(async {
                    let mut state = opened.state.clone();
                    for action in &actions {
                        let turn = stream(1, state.turn_count + 1);
                        let outcome = environment.step(&scenario, &mut state, action, turn).await;
                        black_box(outcome.expect("it answers"));
                    }
                    state
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, turns);
criterion_main!(benches);
