//! How long advantages of a whole rollout take, each kernel beside the plain loop that defines it:
//! estimation over 128 x 1,024 steps with done flags in both layouts, and group advantages of
//! 1,048,576 rewards in groups of 8. `benchmarks/peers/numpy_advantages.py` does the same in numpy.
//!
//! `cargo bench -p stateset-algo --bench advantages`

#![allow(missing_docs, reason = "criterion makes a public item")]
#![allow(clippy::unwrap_used, reason = "a batch that does not fit ends the benchmark")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stateset_algo::{Gae, GaeBatch, Real, group_advantages};
use stateset_core::{Purpose, RunSeed, StreamKey};

const N_ENVS: usize = 128;
const N_STEPS: usize = 1024;
const N_REWARDS: usize = 1 << 20;
const GROUP_SIZE: usize = 8;
const GAE: Gae = Gae { gamma: 0.99, lambda: 0.95 };

fn uniform<T: Real>(seed: u64, n: usize) -> Vec<T> {
    let mut stream = RunSeed(seed).stream(Purpose::Data, StreamKey::default());
    (0..n).map(|_| T::from_f64(stream.uniform(-1.0, 1.0))).collect()
}

/// One environment after the other, one step after the other.
fn plain_gae<T: Real>(batch: &GaeBatch<'_, T>, out: &mut [T]) {
    let n_steps = batch.rewards.len() / batch.last_values.len();
    let (gamma, decay) = (T::from_f64(GAE.gamma), T::from_f64(GAE.gamma * GAE.lambda));
    for (env, &last_value) in batch.last_values.iter().enumerate() {
        let (mut next_value, mut next) = (last_value, T::ZERO);
        for t in (env * n_steps..(env + 1) * n_steps).rev() {
            if batch.dones[t] {
                (next_value, next) = (T::ZERO, T::ZERO);
            }
            next = batch.rewards[t] + gamma * next_value - batch.values[t] + decay * next;
            next_value = batch.values[t];
            out[t] = next;
        }
    }
}

fn plain_groups<T: Real>(rewards: &[T], out: &mut [T]) {
    for (group, out) in rewards.chunks(GROUP_SIZE).zip(out.chunks_mut(GROUP_SIZE)) {
        let n = T::from_f64(GROUP_SIZE as f64);
        let mean = group.iter().copied().sum::<T>() / n;
        let squares = group.iter().map(|&r| (r - mean) * (r - mean)).sum::<T>();
        let std = (squares / (n - T::from_f64(1.0))).sqrt();
        for (out, &reward) in out.iter_mut().zip(group) {
            *out = (reward - mean) / (std + T::from_f64(1e-4));
        }
    }
}

fn bench_gae<T: Real>(c: &mut Criterion, kind: &str) {
    let n = N_ENVS * N_STEPS;
    let dones: Vec<bool> = uniform::<f64>(3, n).iter().map(|&x| x > 0.98).collect();
    let (rewards, values, last_values) =
        (uniform::<T>(1, n), uniform::<T>(2, n), uniform::<T>(4, N_ENVS));
    let batch =
        GaeBatch { rewards: &rewards, values: &values, dones: &dones, last_values: &last_values };
    let mut out = vec![T::ZERO; n];
    let mut group = c.benchmark_group(format!("gae 128 x 1024 {kind}"));
    group.throughput(Throughput::Elements(n as u64));
    group.bench_function("steps first", |b| {
        b.iter(|| GAE.steps_first(black_box(&batch), &mut out).unwrap());
    });
    group.bench_function("rows first", |b| {
        b.iter(|| GAE.rows_first(black_box(&batch), &mut out).unwrap());
    });
    group.bench_function("rows first, plain loop", |b| {
        b.iter(|| plain_gae(black_box(&batch), &mut out));
    });
    group.finish();
}

fn bench_groups<T: Real>(c: &mut Criterion, kind: &str) {
    let rewards = uniform::<T>(5, N_REWARDS);
    let mut out = vec![T::ZERO; N_REWARDS];
    let mut group = c.benchmark_group(format!("groups of 8, 2^20 rewards {kind}"));
    group.throughput(Throughput::Bytes((2 * size_of::<T>() * N_REWARDS) as u64));
    group.bench_function("kernel", |b| {
        b.iter(|| group_advantages(black_box(&rewards), GROUP_SIZE, 1e-4, &mut out).unwrap());
    });
    group.bench_function("plain loop", |b| {
        b.iter(|| plain_groups(black_box(&rewards), &mut out));
    });
    group.bench_function("copy", |b| b.iter(|| out.copy_from_slice(black_box(&rewards))));
    group.finish();
}

fn bench(c: &mut Criterion) {
    bench_gae::<f32>(c, "f32");
    bench_gae::<f64>(c, "f64");
    bench_groups::<f32>(c, "f32");
    bench_groups::<f64>(c, "f64");
}

criterion_group!(benches, bench);
criterion_main!(benches);
