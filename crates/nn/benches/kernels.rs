//! The engine's kernels by themselves, through the border that the model uses them by: matrix products
//! of a training pass and of a decoding step, attention, norm, head and cross-entropy, drawing a token,
//! AdamW. Shapes are those of the model in `benchmarks/`: dim 512, 8 heads, 1376, vocabulary 8192.
//!
//! `cargo bench -p stateset-nn`, on all threads; `RAYON_NUM_THREADS=1` in front takes one.

#![allow(missing_docs, reason = "criterion makes a public item")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use stateset_core::{Purpose, RunSeed, Stream, StreamKey};
use stateset_nn::{
    Activation, AdamwStep, AttentionSpec, Backend, Cpu, DrawRow, LogitSpec, Mat, NormKind,
    NormSpec, NormWeights, Path, RowGradient, SequenceRows, Stretch,
};

const DIM: usize = 512;
const HIDDEN: usize = 1376;
const VOCAB: usize = 8192;
/// Rows of a training pass: 8 sequences of 256 tokens.
const N_ROWS: usize = 2048;
const N_SEQUENCES: usize = 8;
/// Rows of a decoding step.
const N_DECODED: usize = 8;
/// Rows that go through the head at a time.
const N_HEAD_ROWS: usize = 256;
const N_PARAMETERS: usize = 4 << 20;

const ATTENTION: AttentionSpec = AttentionSpec {
    heads: 8,
    kv_heads: 8,
    head_dim: 64,
    scale: 0.125,
    softcap: None,
    window: None,
};
const NORM: NormSpec = NormSpec { kind: NormKind::Rms, eps: 1e-5, groups: 1 };
const LOGITS: LogitSpec = LogitSpec { softcap: None, temperature: 1.0 };

/// A processor, and random numbers to fill its buffers with.
struct Bench {
    cpu: Cpu,
    stream: Stream,
}

impl Bench {
    fn new() -> Bench {
        let stream = RunSeed(1).stream(Purpose::Data, StreamKey::default());
        Bench { cpu: Cpu::new(Path::best()), stream }
    }

    /// A matrix of numbers in (-1, 1).
    fn matrix(&mut self, rows: usize, cols: usize) -> Mat {
        let len = rows * cols;
        let numbers: Vec<f32> = (0..len).map(|_| self.stream.uniform(-1.0, 1.0) as f32).collect();
        let matrix = self.zeros(rows, cols);
        self.cpu.write(Stretch::of(matrix.buf, len), &numbers);
        matrix
    }

    fn zeros(&mut self, rows: usize, cols: usize) -> Mat {
        Mat::dense(self.cpu.alloc(rows * cols), rows, cols)
    }

    /// Time of `action` alone, where each repetition needs `matrix` as it was in the beginning.
    fn time_from(
        &mut self,
        n: u64,
        (matrix, original): (Mat, Mat),
        mut action: impl FnMut(&mut Cpu),
    ) -> Duration {
        let mut total = Duration::ZERO;
        for _ in 0..n {
            self.cpu.copy(matrix, original);
            let start = Instant::now();
            action(&mut self.cpu);
            total += start.elapsed();
        }
        total
    }
}

fn sequences() -> Vec<SequenceRows> {
    let len = N_ROWS / N_SEQUENCES;
    (0..N_SEQUENCES).map(|i| SequenceRows { first: i * len, len }).collect()
}

fn tokens(n: usize) -> Vec<u32> {
    (0..n).map(|i| (i * 37 % VOCAB) as u32).collect()
}

/// Multiply-adds count as two operations.
fn operations(group: &mut BenchmarkGroup<'_, WallTime>, rows: usize) {
    group.throughput(Throughput::Elements((2 * rows * DIM * HIDDEN) as u64));
}

fn matmul(c: &mut Criterion) {
    let mut group = c.benchmark_group("matmul 512 x 1376");
    for rows in [1, N_DECODED, 64, N_ROWS] {
        let mut bench = Bench::new();
        let (x, weight) = (bench.matrix(rows, DIM), bench.matrix(HIDDEN, DIM));
        let out = bench.zeros(rows, HIDDEN);
        operations(&mut group, rows);
        group.bench_function(format!("{rows} rows"), |b| {
            b.iter(|| bench.cpu.linear(black_box(out), x, weight, None, false));
        });
    }
    let mut bench = Bench::new();
    let (x, weight) = (bench.matrix(N_ROWS, DIM), bench.matrix(HIDDEN, DIM));
    let (d_out, d_x) = (bench.matrix(N_ROWS, HIDDEN), bench.zeros(N_ROWS, DIM));
    let d_weight = bench.zeros(HIDDEN, DIM);
    operations(&mut group, N_ROWS);
    group.bench_function("gradient of the input", |b| {
        b.iter(|| bench.cpu.linear_input_gradient(black_box(d_x), d_out, weight, false));
    });
    group.bench_function("gradient of the weight", |b| {
        b.iter(|| bench.cpu.linear_weight_gradient(black_box(d_weight), d_out, x));
    });
    group.finish();
}

fn attention(c: &mut Criterion) {
    let mut bench = Bench::new();
    let qkv = bench.matrix(N_ROWS, 3 * DIM);
    let (out, d_out) = (bench.zeros(N_ROWS, DIM), bench.matrix(N_ROWS, DIM));
    let d_qkv = bench.zeros(N_ROWS, 3 * DIM);
    let rows = sequences();
    let mut group = c.benchmark_group("attention 8 x 256, 8 heads of 64");
    group.bench_function("forward", |b| {
        b.iter(|| bench.cpu.attention(black_box(out), qkv, &rows, ATTENTION));
    });
    group.bench_function("backward", |b| {
        b.iter(|| {
            bench.cpu.attention_backward(d_qkv, d_out, black_box(out), qkv, &rows, ATTENTION)
        });
    });
    group.finish();
}

fn rows(c: &mut Criterion) {
    let mut bench = Bench::new();
    let (x, d_out) = (bench.matrix(N_ROWS, DIM), bench.matrix(N_ROWS, DIM));
    let (out, d_x) = (bench.zeros(N_ROWS, DIM), bench.zeros(N_ROWS, DIM));
    let of = |row: Mat| NormWeights { weight: row.row(0), bias: None };
    let (weight, d_weight) = (of(bench.matrix(1, DIM)), of(bench.zeros(1, DIM)));
    let (gate, hidden) = (bench.matrix(N_ROWS, 2 * HIDDEN), bench.zeros(N_ROWS, HIDDEN));
    let mut group = c.benchmark_group("2048 rows");
    group.bench_function("RMS norm", |b| {
        b.iter(|| bench.cpu.norm(black_box(out), x, weight, NORM));
    });
    group.bench_function("RMS norm, backward", |b| {
        let d_weights = Some(d_weight);
        b.iter(|| {
            bench.cpu.norm_backward(black_box(d_x), d_weights, d_out, x, weight, NORM, false)
        });
    });
    group.bench_function("gated SiLU", |b| {
        b.iter(|| bench.cpu.activate(black_box(hidden), gate, Activation::Silu, true));
    });
    group.finish();
}

fn head(c: &mut Criterion) {
    let mut bench = Bench::new();
    let (hidden, weight) = (bench.matrix(N_HEAD_ROWS, DIM), bench.matrix(VOCAB, DIM));
    let logits = bench.zeros(N_HEAD_ROWS, VOCAB);
    bench.cpu.linear(logits, hidden, weight, None, false);
    let original = bench.zeros(N_HEAD_ROWS, VOCAB);
    bench.cpu.copy(original, logits);
    let ids = tokens(N_HEAD_ROWS);
    let mut group = c.benchmark_group("256 rows of 8192 logits");
    group.throughput(Throughput::Elements(N_HEAD_ROWS as u64));
    for (name, wants_moments) in [("log-probs", false), ("log-probs and entropies", true)] {
        // At temperature 1 and without a soft cap the logits stay what they are.
        group.bench_function(name, |b| {
            b.iter(|| bench.cpu.read_rows(black_box(logits), &ids, LOGITS, wants_moments));
        });
    }
    let read = bench.cpu.read_rows(logits, &ids, LOGITS, true);
    let stats: Vec<_> = read.into_iter().map(|(stats, _)| stats).collect();
    let gradients =
        vec![RowGradient { logprob: -1e-3, entropy: 0.0, log_sum_p2: 0.0 }; N_HEAD_ROWS];
    group.bench_function("backward of the cross-entropy", |b| {
        b.iter_custom(|n| {
            bench.time_from(n, (logits, original), |cpu| {
                cpu.rows_backward(logits, &ids, &stats, &gradients, LOGITS);
            })
        });
    });
    group.finish();
}

fn draw(c: &mut Criterion) {
    let mut bench = Bench::new();
    let (logits, original) = (bench.zeros(N_DECODED, VOCAB), bench.matrix(N_DECODED, VOCAB));
    let plain = DrawRow::plain(0.5);
    let rows = [
        ("whole vocabulary", plain.clone()),
        ("greedy", DrawRow { greedy: true, ..plain.clone() }),
        ("top-k 50, top-p 0.9", DrawRow { top_k: 50, top_p: 0.9, ..plain }),
    ];
    let mut group = c.benchmark_group("a token for each of 8 rows of 8192 logits");
    group.throughput(Throughput::Elements(N_DECODED as u64));
    for (name, row) in rows {
        let rows = vec![row; N_DECODED];
        group.bench_function(name, |b| {
            b.iter_custom(|n| {
                bench.time_from(n, (logits, original), |cpu| {
                    black_box(cpu.draw(logits, None, &rows));
                })
            });
        });
    }
    group.finish();
}

fn adamw(c: &mut Criterion) {
    let mut bench = Bench::new();
    let [weight, gradient] = [(); 2].map(|()| bench.matrix(1, N_PARAMETERS).row(0));
    let [m, v] = [(); 2].map(|()| bench.zeros(1, N_PARAMETERS).row(0));
    let step = AdamwStep {
        learning_rate: 1e-5,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.01,
        step: 1,
        gradient_factor: 1.0,
    };
    let mut group = c.benchmark_group("optimiser, 4 Mi parameters");
    group.throughput(Throughput::Elements(N_PARAMETERS as u64));
    group.bench_function("AdamW", |b| {
        b.iter(|| bench.cpu.adamw(black_box(weight), gradient, m, v, step));
    });
    group.bench_function("norm of the gradient", |b| {
        b.iter(|| bench.cpu.sum_squares(black_box(gradient)));
    });
    group.finish();
}

criterion_group!(benches, matmul, attention, rows, head, draw, adamw);
criterion_main!(benches);
