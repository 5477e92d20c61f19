//! Contract of the backends:
//!
//! 1. every operation of the fast backend agrees with the plain loops, on random shapes;
//! 2. every instruction path of the fast backend gives the same bits;
//! 3. one thread and two give the same bits;
//! 4. a row's result does not depend on how many rows there are;
//! 5. attention over a cache gives the bits of attention over the whole sequence.
#![allow(clippy::unwrap_used, reason = "tests")]

use stateset_core::{Purpose, RunSeed, Stream, StreamKey};
use stateset_nn::*;

/// Buffers with the same contents in every backend.
struct World {
    backends: Vec<Box<dyn Backend>>,
    stream: Stream,
}

impl World {
    /// The plain backend first, then the fast one on every path.
    fn new(seed: u32) -> World {
        let mut backends: Vec<Box<dyn Backend>> = vec![Box::new(Plain::default())];
        for path in Path::available() {
            backends.push(Box::new(Cpu::new(path)));
        }
        let key = StreamKey { step: seed, ..StreamKey::default() };
        World { backends, stream: RunSeed(7).stream(Purpose::Data, key) }
    }

    fn random(&mut self, rows: usize, cols: usize) -> Mat {
        let stride = cols + self.stream.index(3);
        let numbers: Vec<f32> = (0..rows * stride).map(|_| self.stream.normal() as f32).collect();
        let mut buf = None;
        for backend in &mut self.backends {
            let handle = backend.alloc(numbers.len());
            backend.write(Stretch::of(handle, numbers.len()), &numbers);
            assert_eq!(*buf.get_or_insert(handle), handle);
        }
        Mat { buf: buf.unwrap(), offset: 0, rows, cols, stride }
    }

    fn vector(&mut self, len: usize) -> Stretch {
        let mat = self.random(1, len);
        Stretch { buf: mat.buf, offset: 0, len }
    }

    fn ids(&mut self, len: usize, below: usize) -> Ids {
        let ids: Vec<u32> = (0..len).map(|_| self.stream.index(below) as u32).collect();
        self.given_ids(&ids)
    }

    fn given_ids(&mut self, ids: &[u32]) -> Ids {
        let mut handle = None;
        for backend in &mut self.backends {
            let new = backend.alloc_ids(ids.len());
            backend.write_ids(new, ids);
            handle = Some(new);
        }
        handle.unwrap()
    }

    fn each(&mut self, f: impl Fn(&mut dyn Backend)) {
        self.backends.iter_mut().for_each(|backend| f(backend.as_mut()));
    }

    fn read(&mut self, index: usize, x: Mat) -> Vec<f32> {
        let backend = &mut self.backends[index];
        let mut all = Vec::new();
        for i in 0..x.rows {
            let mut row = vec![0.0; x.cols];
            backend.read(x.row(i), &mut row);
            all.extend(row);
        }
        all
    }

    /// The fast backend agrees with the plain one, and with itself on every path.
    fn compare(&mut self, what: &str, x: Mat, tolerance: f32) {
        let plain = self.read(0, x);
        let fast = self.read(1, x);
        for (i, (a, b)) in plain.iter().zip(&fast).enumerate() {
            let limit = tolerance * (1.0 + a.abs());
            assert!((a - b).abs() <= limit, "{what}: {a} and {b} at {i} of {x:?}");
        }
        for path in 2..self.backends.len() {
            let other = self.read(path, x);
            let name = self.backends[path].name();
            assert!(bits(&fast) == bits(&other), "{what}: other bits on {name}");
        }
    }

    fn compare_stretch(&mut self, what: &str, x: Stretch, tolerance: f32) {
        self.compare(what, x.as_mat(1, x.len), tolerance);
    }
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn elementwise_operations_agree() {
    for seed in 0..6 {
        let mut w = World::new(seed);
        let (rows, cols, vocab) = (1 + w.stream.index(70), 1 + w.stream.index(90), 37);
        let (a, b, table) = (w.random(rows, cols), w.random(rows, cols), w.random(vocab, cols));
        let ids = w.ids(rows, vocab);
        w.each(|d| {
            d.embed(a, table, ids, 1.5, false);
            d.embed(b, table, ids, 0.5, true);
            d.add(a, b, -0.25);
        });
        w.compare("embed, add", a, 1e-6);
        w.each(|d| d.embed_backward(table, a, ids, 2.0));
        w.compare("embed_backward", table, 1e-5);
        let order: Vec<u32> = (0..rows as u32).rev().collect();
        let order = w.given_ids(&order);
        w.each(|d| {
            d.gather(b, a, order);
            d.scatter_add(a, b, order);
        });
        w.compare("gather, scatter_add", a, 1e-6);
        w.each(|d| d.copy(b, a));
        w.compare("copy", b, 0.0);
    }
}

#[test]
fn norms_agree() {
    for (seed, kind) in
        [NormKind::Rms, NormKind::RmsPlusOne, NormKind::Layer].into_iter().enumerate()
    {
        for groups in [1, 3] {
            let mut w = World::new(seed as u32);
            let (rows, width) = (1 + w.stream.index(150), 1 + w.stream.index(70));
            let spec = NormSpec { kind, eps: 1e-5, groups };
            let (x, out, d_out, d_x) = (
                w.random(rows, width * groups),
                w.random(rows, width * groups),
                w.random(rows, width * groups),
                w.random(rows, width * groups),
            );
            let bias = kind == NormKind::Layer;
            let mut weights =
                || NormWeights { weight: w.vector(width), bias: bias.then(|| w.vector(width)) };
            let (weights, d_weights) = (weights(), weights());
            w.each(|d| {
                d.norm(out, x, weights, spec);
                d.norm_backward(d_x, Some(d_weights), d_out, x, weights, spec, true);
            });
            w.compare("norm", out, 2e-5);
            w.compare("norm_backward", d_x, 5e-5);
            w.compare_stretch("norm weight gradient", d_weights.weight, 1e-4);
            if let Some(bias) = d_weights.bias {
                w.compare_stretch("norm bias gradient", bias, 1e-4);
            }
            w.each(|d| d.norm_backward(d_x, None, d_out, x, weights, spec, false));
            w.compare("norm_backward written", d_x, 5e-5);
        }
    }
}

#[test]
fn linear_maps_agree() {
    for seed in 0..8 {
        let mut w = World::new(seed);
        let size = |w: &mut World| 1 + w.stream.index(130);
        let (rows, inner, outer) = (size(&mut w), size(&mut w), size(&mut w));
        let (x, y) = (w.random(rows, inner), w.random(rows, outer));
        let (weight, d_weight) = (w.random(outer, inner), w.random(outer, inner));
        let (bias, d_bias, d_x) = (w.vector(outer), w.vector(outer), w.random(rows, inner));
        w.each(|d| {
            d.linear(y, x, weight, Some(bias), seed % 2 == 0);
            d.linear_input_gradient(d_x, y, weight, seed % 2 == 1);
            d.linear_weight_gradient(d_weight, y, x);
            d.bias_gradient(d_bias, y);
        });
        w.compare("linear", y, 1e-5);
        w.compare("linear_input_gradient", d_x, 2e-4);
        w.compare("linear_weight_gradient", d_weight, 2e-4);
        w.compare_stretch("bias_gradient", d_bias, 2e-4);
        // New weights must be seen although the old ones were laid out already.
        w.each(|d| {
            d.add(weight, d_weight, 0.01);
            d.weights_changed(weight.buf);
            d.linear(y, x, weight, None, false);
        });
        w.compare("linear with new weights", y, 2e-4);
    }
}

#[test]
fn activations_and_rotations_agree() {
    for (seed, f) in [Activation::Silu, Activation::GeluTanh].into_iter().enumerate() {
        for gated in [true, false] {
            let mut w = World::new(seed as u32);
            let (rows, width) = (1 + w.stream.index(60), 1 + w.stream.index(70));
            let inputs = if gated { 2 * width } else { width };
            let (x, d_x) = (w.random(rows, inputs), w.random(rows, inputs));
            let (y, d_y) = (w.random(rows, width), w.random(rows, width));
            w.each(|d| {
                d.activate(y, x, f, gated);
                d.activate_backward(d_x, d_y, x, f, gated);
            });
            w.compare("activate", y, 1e-6);
            w.compare("activate_backward", d_x, 1e-5);
        }
    }
    let mut w = World::new(9);
    let (x, table) = (w.random(33, 5 * 24 + 7), w.random(40, 2 * 10));
    let positions = w.ids(33, 40);
    let heads = Heads { count: 5, dim: 24 };
    let before = w.read(1, x);
    w.each(|d| d.rotate(x, heads, table, positions, false));
    w.compare("rotate", x, 1e-6);
    // Angles whose squares sum to one would turn back exactly; here only the gradient is checked.
    w.each(|d| d.rotate(x, heads, table, positions, true));
    w.compare("rotate back", x, 1e-5);
    assert_ne!(before, w.read(1, x));
}

fn attention_spec(stream: &mut Stream) -> AttentionSpec {
    let kv_heads = 1 + stream.index(3);
    AttentionSpec {
        kv_heads,
        heads: kv_heads * (1 + stream.index(3)),
        head_dim: 2 * (1 + stream.index(40)),
        scale: 0.3,
        softcap: stream.chance(0.4).then_some(5.0),
        window: stream.chance(0.5).then(|| 1 + stream.index(40)),
    }
}

#[test]
fn attention_agrees() {
    for seed in 0..24 {
        let mut w = World::new(seed);
        let spec = attention_spec(&mut w.stream);
        let lens: Vec<usize> = (0..3).map(|_| 1 + w.stream.index(70)).collect();
        let rows: usize = lens.iter().sum();
        let mut sequences = Vec::new();
        let mut first = 0;
        for len in lens {
            sequences.push(SequenceRows { first, len });
            first += len;
        }
        let width = (spec.heads + 2 * spec.kv_heads) * spec.head_dim;
        let (qkv, d_qkv) = (w.random(rows, width), w.random(rows, width));
        let out_width = spec.heads * spec.head_dim;
        let (out, d_out) = (w.random(rows, out_width), w.random(rows, out_width));
        w.each(|d| d.attention(out, qkv, &sequences, spec));
        w.compare("attention", out, 2e-5);
        w.each(|d| d.attention_backward(d_qkv, d_out, out, qkv, &sequences, spec));
        w.compare("attention_backward", d_qkv, 2e-4);
    }
}

#[test]
fn a_cache_gives_the_bits_of_the_whole_sequence() {
    for seed in 0..24 {
        let mut w = World::new(100 + seed);
        let spec = attention_spec(&mut w.stream);
        let len = 2 + w.stream.index(700);
        let width = (spec.heads + 2 * spec.kv_heads) * spec.head_dim;
        let qkv = w.random(len, width);
        let (whole, cached) = {
            let out = spec.heads * spec.head_dim;
            (w.random(len, out), w.random(len, out))
        };
        let n_pages = len.div_ceil(PAGE_TOKENS);
        let size = CacheSize {
            layers: 2,
            kv_heads: spec.kv_heads,
            head_dim: spec.head_dim,
            pages: n_pages + 3,
        };
        let mut pages: Vec<u32> = (0..n_pages as u32 + 3).collect();
        w.stream.shuffle(&mut pages);
        let slot =
            |t: usize| pages[t / PAGE_TOKENS] * PAGE_TOKENS as u32 + (t % PAGE_TOKENS) as u32;
        let mut cuts = vec![0, len];
        (0..4).for_each(|_| cuts.push(w.stream.index(len)));
        cuts.sort_unstable();
        cuts.dedup();
        // The plain backend is too slow for the longest of these; it is compared above.
        for backend in &mut w.backends[1..] {
            backend.attention(whole, qkv, &[SequenceRows { first: 0, len }], spec);
            let cache = backend.new_cache(size);
            for part in cuts.windows(2) {
                let (first, last) = (part[0], part[1]);
                let rows = qkv.rows(first, last - first);
                let slots: Vec<u32> = (first..last).map(slot).collect();
                backend.cache_store(cache, 1, rows, &slots, spec.heads);
                let sequence = CachedRows {
                    first: 0,
                    len: last - first,
                    position: first,
                    pages: pages[..last.div_ceil(PAGE_TOKENS)].to_vec(),
                };
                let out = cached.rows(first, last - first);
                backend.cache_attention(out, rows, cache, 1, &[sequence], spec);
            }
            let read = |x: Mat, backend: &mut dyn Backend| {
                let mut all = vec![0.0; x.rows * x.stride];
                backend.read(Stretch::of(x.buf, x.rows * x.stride), &mut all);
                (0..x.rows)
                    .flat_map(|i| bits(&all[i * x.stride..i * x.stride + x.cols]))
                    .collect::<Vec<_>>()
            };
            assert!(read(whole, backend.as_mut()) == read(cached, backend.as_mut()), "seed {seed}");
        }
    }
}

#[test]
fn copied_cache_pages_hold_the_same_tokens() {
    let mut w = World::new(5);
    let spec = AttentionSpec {
        heads: 2,
        kv_heads: 1,
        head_dim: 20,
        scale: 0.2,
        softcap: None,
        window: None,
    };
    let (qkv, out) = (w.random(12, 4 * 20), w.random(12, 2 * 20));
    let size = CacheSize { layers: 1, kv_heads: 1, head_dim: 20, pages: 2 };
    w.each(|d| {
        let cache = d.new_cache(size);
        let slots: Vec<u32> = (0..12).collect();
        d.cache_store(cache, 0, qkv, &slots, 2);
        d.cache_copy(cache, 0, 1, 7);
        let rest: Vec<u32> = (7..12).map(|t| 16 + t).collect();
        d.cache_store(cache, 0, qkv.rows(7, 5), &rest, 2);
        let rows = CachedRows { first: 0, len: 12, position: 0, pages: vec![1] };
        d.cache_attention(out, qkv, cache, 0, &[rows], spec);
    });
    w.compare("attention over a copied page", out, 1e-5);
}

#[test]
fn heads_agree() {
    for seed in 0..8 {
        let mut w = World::new(seed);
        let (rows, vocab) = (1 + w.stream.index(40), 2 + w.stream.index(300));
        let z = w.random(rows, vocab);
        let temperature = w.stream.uniform(0.4, 1.6) as f32;
        let spec = LogitSpec { softcap: (seed % 2 == 0).then_some(3.0), temperature };
        let tokens: Vec<u32> = (0..rows).map(|_| w.stream.index(vocab) as u32).collect();
        let gradients: Vec<RowGradient> = (0..rows)
            .map(|_| RowGradient {
                logprob: w.stream.normal() as f32,
                entropy: w.stream.normal() as f32,
                log_sum_p2: w.stream.normal() as f32,
            })
            .collect();
        let mut all = Vec::new();
        for backend in &mut w.backends {
            let read = backend.read_rows(z, &tokens, spec, true);
            let stats: Vec<RowStats> = read.iter().map(|r| r.0).collect();
            backend.rows_backward(z, &tokens, &stats, &gradients, spec);
            all.push(read);
        }
        for (plain, fast) in all[0].iter().zip(&all[1]) {
            assert!((plain.1 - fast.1).abs() < 1e-5, "{plain:?} {fast:?}");
            assert!((plain.0.entropy - fast.0.entropy).abs() < 1e-5, "{plain:?} {fast:?}");
            assert!((plain.0.log_sum_p2 - fast.0.log_sum_p2).abs() < 1e-5, "{plain:?} {fast:?}");
        }
        assert!(all[1..].iter().all(|read| *read == all[1]));
        w.compare("rows_backward", z, 2e-5);
    }
}

#[test]
fn hard_logits_stay_finite_and_nan_is_not_swallowed() {
    for path in Path::available() {
        let mut cpu = Cpu::new(path);
        let buf = cpu.alloc(3 * 20);
        let z = Mat::dense(buf, 3, 20);
        let mut numbers = vec![0.0; 60];
        numbers[3] = 50.0;
        numbers[7] = -50.0;
        numbers[20..40].fill(-1e4);
        numbers[25] = 1e4;
        numbers[45] = f32::NAN;
        cpu.write(Stretch::of(buf, 60), &numbers);
        let spec = LogitSpec { softcap: None, temperature: 1.0 };
        let read = cpu.read_rows(z, &[7, 3, 0], spec, true);
        assert!((read[0].1 + 100.0).abs() < 1e-3, "{read:?}");
        assert_eq!(read[1].0.entropy, 0.0);
        assert!((read[1].1 + 2e4).abs() < 1.0);
        assert!(read[2].1.is_nan(), "{:?}", read[2]);
    }
}

#[test]
fn optimiser_and_sums_agree() {
    let mut w = World::new(3);
    let n = 40_000;
    let [p, g, m, v] = std::array::from_fn(|_| w.vector(n));
    w.each(|d| {
        d.fill(m, 0.0);
        d.fill(v, 0.0);
        for step in 1..4 {
            let settings = AdamwStep {
                learning_rate: 1e-2,
                beta1: 0.9,
                beta2: 0.999,
                eps: 1e-8,
                weight_decay: 0.1,
                step,
                gradient_factor: 0.5,
            };
            d.adamw(p, g, m, v, settings);
        }
        d.scale(g, 3.0);
    });
    w.compare_stretch("adamw", p, 2e-6);
    w.compare_stretch("scale", g, 1e-6);
    let dots: Vec<f64> = w.backends.iter_mut().map(|d| d.dot(p, g)).collect();
    assert!((dots[0] - dots[1]).abs() < 1e-5 * dots[0].abs(), "{dots:?}");
    assert!(dots[1..].iter().all(|d| *d == dots[1]), "{dots:?}");
}

/// Half of the time some numbers for some tokens.
fn pairs(w: &mut World, vocab: usize) -> Vec<(u32, f32)> {
    let n = if w.stream.chance(0.5) { 3 } else { 0 };
    (0..n).map(|_| (w.stream.index(vocab) as u32, w.stream.normal() as f32)).collect()
}

#[test]
fn draws_agree() {
    for seed in 0..40 {
        let mut w = World::new(seed);
        let vocab = 2 + w.stream.index(90);
        let z = w.random(6, vocab);
        let rows: Vec<DrawRow> = (0..6)
            .map(|_| DrawRow {
                temperature: w.stream.uniform(0.3, 1.5),
                top_k: if w.stream.chance(0.5) { 1 + w.stream.index(12) } else { 0 },
                top_p: if w.stream.chance(0.5) { w.stream.uniform(0.2, 1.0) } else { 1.0 },
                min_p: if w.stream.chance(0.3) { w.stream.uniform(0.0, 0.5) } else { 0.0 },
                repetition_penalty: if w.stream.chance(0.5) { 1.3 } else { 1.0 },
                greedy: w.stream.chance(0.2),
                seen: (0..5).map(|_| w.stream.index(vocab) as u32).collect(),
                bias: pairs(&mut w, vocab),
                penalties: pairs(&mut w, vocab),
                mask: w.stream.chance(0.3).then(|| {
                    let some: Vec<u32> = (0..4).map(|_| w.stream.index(vocab) as u32).collect();
                    TokenMask::of(&some)
                }),
                n_top: w.stream.index(25),
                unit: w.stream.unit(),
            })
            .collect();
        let softcap = (seed % 3 == 0).then_some(2.0);
        let drawn: Vec<Vec<Drawn>> =
            w.backends.iter_mut().map(|d| d.draw(z, softcap, &rows)).collect();
        for (plain, fast) in drawn[0].iter().zip(&drawn[1]) {
            assert_eq!(plain.token, fast.token);
            assert!((plain.logprob - fast.logprob).abs() < 1e-5);
            assert_eq!(plain.top.len(), fast.top.len());
            for (plain, fast) in plain.top.iter().zip(&fast.top) {
                assert_eq!(plain.0, fast.0);
                assert!((plain.1 - fast.1).abs() < 1e-5);
            }
        }
        assert!(drawn[1..].iter().all(|d| *d == drawn[1]));
    }
}

#[test]
fn neither_threads_nor_neighbours_change_a_row() {
    let run = |threads: usize, rows: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut cpu = Cpu::new(Path::best());
            let mut stream = RunSeed(1).stream(Purpose::Data, StreamKey::default());
            let mut numbers = |cpu: &mut Cpu, n: usize| {
                let buf = cpu.alloc(n);
                let x: Vec<f32> = (0..n).map(|_| stream.normal() as f32).collect();
                cpu.write(Stretch::of(buf, n), &x);
                buf
            };
            let weight = Mat::dense(numbers(&mut cpu, 700 * 530), 700, 530);
            let scale = numbers(&mut cpu, 700);
            let x = Mat::dense(numbers(&mut cpu, rows * 530), rows, 530);
            let y = Mat::dense(cpu.alloc(rows * 700), rows, 700);
            cpu.linear(y, x, weight, None, false);
            let weights = NormWeights { weight: Stretch::of(scale, 700), bias: None };
            let out = Mat::dense(cpu.alloc(rows * 700), rows, 700);
            cpu.norm(out, y, weights, NormSpec { kind: NormKind::Rms, eps: 1e-6, groups: 1 });
            let mut first = vec![0.0; 700];
            cpu.read(out.row(0), &mut first);
            bits(&first)
        })
    };
    let expected = run(1, 1);
    for (threads, rows) in [(1, 2), (1, 300), (2, 1), (2, 2), (2, 15), (2, 300), (3, 300)] {
        assert!(run(threads, rows) == expected, "{threads} threads, {rows} rows");
    }
}
