//! How many replies a second each reward judges on one core: the committed honest replies, one exchange
//! each, without the tokens behind them.

#![allow(missing_docs, reason = "criterion's macros write functions without docs")]

#[path = "../tests/attack/mod.rs"]
mod attack;

use std::hint::black_box;

use attack::TARGETS;
use attack::honest::honest;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stateset_core::{RewardContext, Trajectory};

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
            bencher.iter(|| {
                runtime.block_on(async {
                    for (trajectory, scenario) in &played {
                        let context = RewardContext { scenario };
                        black_box(reward.score(black_box(trajectory), context).await);
                    }
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, replies);
criterion_main!(benches);
