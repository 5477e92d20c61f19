//! How long GRPO's arithmetic takes beside a model's forward and backward pass: group advantages and
//! the plan of 16 groups of 8, and the loss with gradients and statistics over 128 rows of 1,024
//! tokens.
//!
//! `cargo bench -p stateset-algo`

#![allow(missing_docs, reason = "criterion makes a public item")]
#![allow(clippy::unwrap_used, reason = "a step that cannot be prepared ends the benchmark")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stateset_algo::{
    Algorithm, KlEstimator, KlPenalty, PolicyGradient, RowData, RowScores, StepData, TrajectoryData,
};
use stateset_core::{Purpose, RunSeed, StreamKey};

const N_ROWS: usize = 128;
const N_TOKENS: usize = 1024;
const GROUP_SIZE: usize = 8;

/// Log-probs in (-3, 0), a little apart by `offset`.
fn logprobs(offset: f64) -> Vec<Vec<f32>> {
    let mut stream = RunSeed(1).stream(Purpose::Data, StreamKey::default());
    let mut row = || (0..N_TOKENS).map(|_| (stream.uniform(-3.0, -0.1) + offset) as f32).collect();
    (0..N_ROWS).map(|_| row()).collect()
}

fn bench(c: &mut Criterion) {
    let (current, old, reference) = (logprobs(0.0), logprobs(0.05), logprobs(0.1));
    let entropies = vec![0.5f32; N_TOKENS];
    let trajectory = |i: usize| TrajectoryData {
        group: i / GROUP_SIZE,
        reward: Some((i % 5) as f64),
        ..TrajectoryData::default()
    };
    let row = |i: usize| RowData {
        trajectory: i,
        behaviour: &old[i],
        old: Some(&old[i]),
        reference: Some(&reference[i]),
        ..RowData::default()
    };
    let step = StepData {
        trajectories: (0..N_ROWS).map(trajectory).collect(),
        rows: (0..N_ROWS).map(row).collect(),
        ..StepData::default()
    };
    let score = |row: usize| RowScores {
        row,
        logprobs: &current[row],
        entropies: &entropies,
        ..RowScores::default()
    };
    let scores: Vec<RowScores<'_>> = (0..N_ROWS).map(score).collect();
    let kl = KlPenalty { coef: 0.04, estimator: KlEstimator::K3ImportanceCorrected };
    let grpo = PolicyGradient { kl, entropy_coef: 0.01, ..PolicyGradient::default() };

    c.bench_function("credit, 128 x 1024", |b| {
        b.iter(|| grpo.credit(black_box(&step)).unwrap());
    });
    let credit = grpo.credit(&step).unwrap().rows;
    c.bench_function("prepare, 128 x 1024", |b| {
        b.iter(|| grpo.prepare(black_box(&step), credit.clone()).unwrap());
    });
    let plan = grpo.prepare(&step, credit).unwrap();
    let mut group = c.benchmark_group("loss");
    group.throughput(Throughput::Elements((N_ROWS * N_TOKENS) as u64));
    group.bench_function("128 x 1024", |b| b.iter(|| grpo.loss(&plan, black_box(&scores))));
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
