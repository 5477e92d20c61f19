//! How many turns a simulated customer takes in a second on one core: understanding, judging, answering.
//! `whole episodes` adds the environment around it, whose memory goes through JSON at every turn.

#![allow(missing_docs, reason = "criterion's macros write functions without docs")]

#[path = "../tests/policies/mod.rs"]
mod policies;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use policies::{ORACLE, play};
use stateset_core::{Purpose, RunSeed, StreamKey};
use stateset_env::customer::{CustomerSpec, Split, open, react, understand};
use stateset_env::sets::CONVERSATION_CONFIGS;

const REPLIES: [&str; 4] = [
    "I am sorry to hear that. May I have your order number and your zip code, please?",
    "Thank you for that. Could you tell me which item it is and why you want to send it back?",
    "I see. What is the email address on your account?",
    "I have traced your parcel and it will arrive on Friday. Is there anything else I can do for you?",
];

fn turns(criterion: &mut Criterion) {
    let scenarios = CONVERSATION_CONFIGS[0].scenarios(Split::Train);
    let specs: Vec<CustomerSpec> = scenarios
        .iter()
        .map(|scenario| {
            CustomerSpec::from_value(scenario.customer.as_ref().expect("a customer"))
                .expect("valid")
        })
        .collect();
    let mut group = criterion.benchmark_group("customer");
    group.throughput(Throughput::Elements(REPLIES.len() as u64));
    group.bench_function("understand", |bencher| {
        bencher.iter(|| REPLIES.map(|reply| understand(black_box(reply))));
    });
    let mut next = 0;
    group.bench_function("turns", |bencher| {
        bencher.iter(|| {
            next += 1;
            let spec = &specs[next % specs.len()];
            let key = StreamKey { step: next as u32, ..StreamKey::default() };
            let mut stream = RunSeed(1).stream(Purpose::Environment, key);
            let (mut state, _) = open(spec, &mut stream);
            for reply in REPLIES {
                black_box(react(spec, &mut state, reply, &mut stream));
            }
        });
    });
    group.finish();
}

fn episodes(criterion: &mut Criterion) {
    let config = CONVERSATION_CONFIGS[0];
    let environment = config.environment();
    let scenarios = config.scenarios(Split::Train);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut next = 0;
    criterion.bench_function("whole episodes of the oracle", |bencher| {
        bencher.iter(|| {
            next += 1;
            let scenario = &scenarios[next % scenarios.len()];
            black_box(runtime.block_on(play(&environment, scenario, &ORACLE, next as u64)))
        });
    });
}

criterion_group!(benches, turns, episodes);
criterion_main!(benches);
