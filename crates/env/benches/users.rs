//! How many turns agenda users and pupils take in a second on one core, and what a turn of a scripted
//! conversation costs with the environment around it (its memory goes through JSON at every turn).

#![allow(missing_docs, reason = "criterion's macros write functions without docs")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stateset_core::{
    ConversationTurn, Environment, Message, Purpose, RunSeed, Scenario, Stream, StreamKey,
};
use stateset_env::Persona;
use stateset_env::agenda::{AgendaSpec, Style, open, react};
use stateset_env::conversation::{ConversationEnvironment, ResponseOrder};
use stateset_env::customer::Split;
use stateset_env::pupil::{self, PupilSpec};
use stateset_env::sets::world;

const REPLIES: [&str; 5] = [
    "Hello! How can I help you?",
    "Which day would you like, and for how many people should it be?",
    "Thank you. May I have your name and your email address?",
    "The price is 40 dollars and the phone number is 555 12.",
    "Thank you very much. I have booked it for you.",
];

fn stream(step: u32) -> Stream {
    RunSeed(1).stream(Purpose::Environment, StreamKey { step, ..StreamKey::default() })
}

fn users(criterion: &mut Criterion) {
    let scenarios = world("bookings").expect("it is built in").scenarios(Split::Train);
    let noisy = Style { typos: 0.05, truncation: 0.1, carelessness: 0.3, ..Style::default() };
    let specs: Vec<AgendaSpec> = scenarios
        .iter()
        .map(|scenario| {
            let spec = AgendaSpec::from_value(scenario.customer.as_ref().expect("a user"));
            AgendaSpec { style: noisy.clone(), ..spec.expect("valid") }
        })
        .collect();
    let mut group = criterion.benchmark_group("users");
    group.throughput(Throughput::Elements(REPLIES.len() as u64));
    let mut next = 0;
    group.bench_function("agenda turns", |bencher| {
        bencher.iter(|| {
            next += 1;
            let spec = &specs[next % specs.len()];
            let mut stream = stream(next as u32);
            let (mut state, _) = open(spec, &mut stream);
            for reply in REPLIES {
                black_box(react(spec, &mut state, reply, &mut stream));
            }
        });
    });
    let scenarios = world("tutoring").expect("it is built in").scenarios(Split::Train);
    let pupils: Vec<PupilSpec> = scenarios
        .iter()
        .map(|s| PupilSpec::from_value(s.customer.as_ref().expect("a user")).expect("valid"))
        .collect();
    group.bench_function("pupil turns", |bencher| {
        bencher.iter(|| {
            next += 1;
            let spec = &pupils[next % pupils.len()];
            let mut stream = stream(next as u32);
            let (mut state, _) = pupil::open(spec, &mut stream);
            for reply in REPLIES {
                black_box(pupil::react(spec, &mut state, reply, &mut stream));
            }
        });
    });
    group.finish();
}

fn scripts(criterion: &mut Criterion) {
    let line = |n: usize| format!("This is line {n}, and my order number is 48{n}.");
    let user_responses: Vec<String> = (0..=REPLIES.len()).map(line).collect();
    let scenario = Scenario { user_responses, ..Scenario::new("script") };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut group = criterion.benchmark_group("scripted conversations");
    group.throughput(Throughput::Elements(REPLIES.len() as u64));
    for (name, order, persona) in [
        ("in order", ResponseOrder::InOrder, None),
        ("reactive", ResponseOrder::Reactive, None),
        ("with a persona", ResponseOrder::InOrder, Persona::named("curious_learner").ok()),
    ] {
        let environment = ConversationEnvironment { order, persona, ..Default::default() };
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                runtime.block_on(async {
                    let opening = environment.reset(&scenario, stream(1)).await.expect("it opens");
                    let mut state = opening.state;
                    for reply in REPLIES {
                        let turn = ConversationTurn::new(Message::assistant(reply));
                        let outcome =
                            environment.step(&scenario, &mut state, &turn, stream(2)).await;
                        black_box(outcome.expect("it answers"));
                    }
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, users, scripts);
criterion_main!(benches);
