//! How many replies a second each reward judges on one core: the committed honest replies, one exchange
//! each, without the tokens behind them. Where the system says how long a thread has been on a processor
//! (Linux), that is what is measured, so that other work on the machine does not count.

#![allow(missing_docs, reason = "criterion's macros write functions without docs")]

#[path = "../tests/attack/mod.rs"]
mod attack;

use std::hint::black_box;
use std::time::{Duration, Instant};

use attack::TARGETS;
use attack::honest::honest;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stateset_core::{RewardContext, Trajectory};

/// How long this thread has been on a processor.
fn time_on_cpu() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn replies(criterion: &mut Criterion) {
    let all = honest();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut group = criterion.benchmark_group("rewards");
    for target in TARGETS {
        let reward = target.reward();
        let exchanges = target.exchanges(&all);
        let played: Vec<(Trajectory, _)> =
            exchanges.iter().map(|one| (one.with_reply(&one.reply), &one.scenario)).collect();
        group.throughput(Throughput::Elements(played.len() as u64));
        group.bench_function(target.name, |bencher| {
            bencher.iter_custom(|n_rounds| {
                let (started, on_cpu) = (Instant::now(), time_on_cpu());
                runtime.block_on(async {
                    for _ in 0..n_rounds {
                        for (trajectory, scenario) in &played {
                            let context = RewardContext { scenario };
                            black_box(reward.score(black_box(trajectory), context).await);
                        }
                    }
                });
                let on_cpu = time_on_cpu().zip(on_cpu).map(|(end, start)| end - start);
                on_cpu.unwrap_or_else(|| started.elapsed())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, replies);
criterion_main!(benches);
