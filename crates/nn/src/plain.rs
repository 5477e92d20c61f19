//! The backend's operations in plain loops: the definition that the fast one is tested against.
//!
//! Sums are made in double precision and in the most obvious order. Slow, and meant to stay so; it
//! also runs the model tests, which shows that model code works through the border alone.
//!
//! # Length
//! One short function for each operation of the border, side by side so that they can be read against it.

use crate::backend::*;
use crate::kernels::{Activation, AdamwStep, AttentionSpec, NormKind, RowGradient, RowStats};

/// Plain loops.
#[derive(Default)]
pub struct Plain {
    buffers: Vec<Vec<f32>>,
    ids: Vec<Vec<u32>>,
    caches: Vec<PlainCache>,
}

/// Keys and values by (layer, slot): one vector of all heads each.
struct PlainCache {
    size: CacheSize,
    keys: Vec<Vec<Vec<f32>>>,
    values: Vec<Vec<Vec<f32>>>,
}

impl Plain {
    fn at(&self, x: Mat, i: usize, j: usize) -> f64 {
        f64::from(self.buffers[x.buf.0 as usize][x.offset + i * x.stride + j])
    }

    fn place(&mut self, x: Mat, i: usize, j: usize) -> &mut f32 {
        &mut self.buffers[x.buf.0 as usize][x.offset + i * x.stride + j]
    }

    fn put(&mut self, x: Mat, i: usize, j: usize, value: f64, accumulate: bool) {
        let old = if accumulate { self.at(x, i, j) } else { 0.0 };
        *self.place(x, i, j) = (old + value) as f32;
    }

    fn values(&self, x: Stretch) -> &[f32] {
        &self.buffers[x.buf.0 as usize][x.offset..x.offset + x.len]
    }

    fn values_mut(&mut self, x: Stretch) -> &mut [f32] {
        &mut self.buffers[x.buf.0 as usize][x.offset..x.offset + x.len]
    }

    fn row(&self, x: Mat, i: usize) -> Vec<f64> {
        (0..x.cols).map(|j| self.at(x, i, j)).collect()
    }

    fn id(&self, ids: Ids, i: usize) -> usize {
        self.ids[ids.0 as usize][i] as usize
    }

    fn product(
        &mut self,
        out: Mat,
        k: usize,
        accumulate: bool,
        f: impl Fn(&Self, [usize; 3]) -> f64,
    ) {
        for i in 0..out.rows {
            for j in 0..out.cols {
                let sum = (0..k).map(|kk| f(self, [i, j, kk])).sum();
                self.put(out, i, j, sum, accumulate);
            }
        }
    }

    fn head(&self, qkv: Mat, row: usize, column: usize, dim: usize) -> Vec<f64> {
        (0..dim).map(|d| self.at(qkv, row, column + d)).collect()
    }
}

/// Mean and factor of a normalisation.
fn normal(x: &[f64], spec: NormSpec) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = if spec.kind == NormKind::Layer { x.iter().sum::<f64>() / n } else { 0.0 };
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    (mean, 1.0 / (variance + f64::from(spec.eps)).sqrt())
}

fn activation(f: Activation, x: f64) -> f64 {
    match f {
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            0.5 * x * (1.0 + inner.tanh())
        }
    }
}

/// Central difference, exact enough for the tests' tolerance.
fn slope(f: Activation, x: f64) -> f64 {
    let h = 1e-6;
    (activation(f, x + h) - activation(f, x - h)) / (2.0 * h)
}

/// Scores (after scale and cap) and weights of one query over keys `first..=last`.
fn weigh(q: &[f64], keys: &[Vec<f64>], spec: &AttentionSpec) -> (Vec<f64>, Vec<f64>) {
    let score = |k: &Vec<f64>| {
        let raw = q.iter().zip(k).map(|(q, k)| q * k).sum::<f64>() * f64::from(spec.scale);
        match spec.softcap {
            Some(cap) => f64::from(cap) * (raw / f64::from(cap)).tanh(),
            None => raw,
        }
    };
    let scores: Vec<f64> = keys.iter().map(score).collect();
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = scores.iter().map(|x| (x - largest).exp()).collect();
    let sum: f64 = weights.iter().sum();
    (scores, weights.into_iter().map(|w| w / sum).collect())
}

fn first_visible(position: usize, spec: &AttentionSpec) -> usize {
    spec.window.map_or(0, |window| (position + 1).saturating_sub(window))
}

fn mix(weights: &[f64], values: &[Vec<f64>], dim: usize) -> Vec<f64> {
    let sum = |d: usize| weights.iter().zip(values).map(|(w, v)| w * v[d]).sum();
    (0..dim).map(sum).collect()
}

fn read_row(z: &[f64], spec: LogitSpec) -> Vec<f64> {
    let capped = |x: &f64| match spec.softcap {
        Some(cap) => f64::from(cap) * (x / f64::from(cap)).tanh(),
        None => *x,
    };
    z.iter().map(|x| capped(x) / f64::from(spec.temperature)).collect()
}

fn log_softmax(z: &[f64]) -> Vec<f64> {
    let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = z.iter().map(|x| (x - largest).exp()).sum();
    z.iter().map(|x| x - largest - sum.ln()).collect()
}

impl Backend for Plain {
    fn name(&self) -> String {
        "plain loops".to_owned()
    }

    fn alloc(&mut self, len: usize) -> Buf {
        self.buffers.push(vec![0.0; len]);
        Buf(self.buffers.len() as u32 - 1)
    }

    fn free(&mut self, buf: Buf) {
        self.buffers[buf.0 as usize] = Vec::new();
    }

    fn write(&mut self, to: Stretch, from: &[f32]) {
        self.values_mut(to).copy_from_slice(from);
    }

    fn read(&mut self, from: Stretch, to: &mut [f32]) {
        to.copy_from_slice(self.values(from));
    }

    fn copy(&mut self, to: Mat, from: Mat) {
        self.product(to, 1, false, |this, [i, j, _]| this.at(from, i, j));
    }

    fn fill(&mut self, to: Stretch, value: f32) {
        self.values_mut(to).fill(value);
    }

    fn alloc_ids(&mut self, len: usize) -> Ids {
        self.ids.push(vec![0; len]);
        Ids(self.ids.len() as u32 - 1)
    }

    fn write_ids(&mut self, to: Ids, from: &[u32]) {
        self.ids[to.0 as usize][..from.len()].copy_from_slice(from);
    }

    fn weights_changed(&mut self, _: Buf) {}

    fn embed(&mut self, out: Mat, table: Mat, ids: Ids, scale: f32, accumulate: bool) {
        self.product(out, 1, accumulate, |this, [i, j, _]| {
            this.at(table, this.id(ids, i), j) * f64::from(scale)
        });
    }

    fn embed_backward(&mut self, d_table: Mat, d_out: Mat, ids: Ids, scale: f32) {
        for i in 0..d_out.rows {
            for j in 0..d_out.cols {
                let d = self.at(d_out, i, j) * f64::from(scale);
                self.put(d_table, self.id(ids, i), j, d, true);
            }
        }
    }

    fn gather(&mut self, out: Mat, x: Mat, ids: Ids) {
        self.product(out, 1, false, |this, [i, j, _]| this.at(x, this.id(ids, i), j));
    }

    fn scatter_add(&mut self, x: Mat, d: Mat, ids: Ids) {
        self.embed_backward(x, d, ids, 1.0);
    }

    fn add(&mut self, y: Mat, x: Mat, factor: f32) {
        self.product(y, 1, true, |this, [i, j, _]| this.at(x, i, j) * f64::from(factor));
    }

    fn norm(&mut self, out: Mat, x: Mat, weights: NormWeights, spec: NormSpec) {
        let width = out.cols / spec.groups;
        let plus = if spec.kind == NormKind::RmsPlusOne { 1.0 } else { 0.0 };
        for i in 0..out.rows {
            let row = self.row(x, i);
            for (g, group) in row.chunks(width).enumerate() {
                let (mean, factor) = normal(group, spec);
                for (j, x) in group.iter().enumerate() {
                    let weight = f64::from(self.values(weights.weight)[j]) + plus;
                    let bias = weights.bias.map_or(0.0, |b| f64::from(self.values(b)[j]));
                    let y = (x - mean) * factor * weight + bias;
                    self.put(out, i, g * width + j, y, false);
                }
            }
        }
    }

    fn norm_backward(
        &mut self,
        d_x: Mat,
        d_weights: Option<NormWeights>,
        d_out: Mat,
        x: Mat,
        weights: NormWeights,
        spec: NormSpec,
        accumulate: bool,
    ) {
        let width = d_x.cols / spec.groups;
        let plus = if spec.kind == NormKind::RmsPlusOne { 1.0 } else { 0.0 };
        for i in 0..d_x.rows {
            let (row, d_row) = (self.row(x, i), self.row(d_out, i));
            for (g, (x, d)) in row.chunks(width).zip(d_row.chunks(width)).enumerate() {
                let (mean, factor) = normal(x, spec);
                let hat: Vec<f64> = x.iter().map(|x| (x - mean) * factor).collect();
                let weight = |j: usize| f64::from(self.values(weights.weight)[j]) + plus;
                let inner: Vec<f64> = (0..width).map(|j| d[j] * weight(j)).collect();
                let n = width as f64;
                let along = inner.iter().zip(&hat).map(|(a, b)| a * b).sum::<f64>() / n;
                let layer = spec.kind == NormKind::Layer;
                let level = if layer { inner.iter().sum::<f64>() / n } else { 0.0 };
                for j in 0..width {
                    let value = factor * (inner[j] - level - hat[j] * along);
                    self.put(d_x, i, g * width + j, value, accumulate);
                    if let Some(d_weights) = d_weights {
                        self.values_mut(d_weights.weight)[j] += (d[j] * hat[j]) as f32;
                        if let Some(bias) = d_weights.bias {
                            self.values_mut(bias)[j] += d[j] as f32;
                        }
                    }
                }
            }
        }
    }

    fn linear(&mut self, out: Mat, x: Mat, weight: Mat, bias: Option<Stretch>, accumulate: bool) {
        self.product(out, x.cols, accumulate, |this, [i, j, k]| {
            this.at(x, i, k) * this.at(weight, j, k)
        });
        if let Some(bias) = bias {
            self.product(out, 1, true, |this, [_, j, _]| f64::from(this.values(bias)[j]));
        }
    }

    fn linear_input_gradient(&mut self, d_x: Mat, d_out: Mat, weight: Mat, accumulate: bool) {
        self.product(d_x, d_out.cols, accumulate, |this, [i, j, k]| {
            this.at(d_out, i, k) * this.at(weight, k, j)
        });
    }

    fn linear_weight_gradient(&mut self, d_weight: Mat, d_out: Mat, x: Mat) {
        self.product(d_weight, x.rows, true, |this, [i, j, k]| {
            this.at(d_out, k, i) * this.at(x, k, j)
        });
    }

    fn bias_gradient(&mut self, d_bias: Stretch, d_out: Mat) {
        let out = d_bias.as_mat(1, d_bias.len);
        self.product(out, d_out.rows, true, |this, [_, j, k]| this.at(d_out, k, j));
    }

    fn rotate(&mut self, x: Mat, heads: Heads, table: Mat, positions: Ids, inverse: bool) {
        let half = table.cols / 2;
        for i in 0..x.rows {
            let angles = self.row(table, self.id(positions, i));
            for head in 0..heads.count {
                for d in 0..half {
                    let (low, high) = (head * heads.dim + d, head * heads.dim + d + half);
                    let (a, b) = (self.at(x, i, low), self.at(x, i, high));
                    let (cos, sin) = (angles[d], angles[half + d]);
                    let sin = if inverse { -sin } else { sin };
                    self.put(x, i, low, a * cos - b * sin, false);
                    self.put(x, i, high, b * cos + a * sin, false);
                }
            }
        }
    }

    fn activate(&mut self, out: Mat, x: Mat, f: Activation, gated: bool) {
        self.product(out, 1, false, |this, [i, j, _]| {
            let up = if gated { this.at(x, i, out.cols + j) } else { 1.0 };
            activation(f, this.at(x, i, j)) * up
        });
    }

    fn activate_backward(&mut self, d_x: Mat, d_out: Mat, x: Mat, f: Activation, gated: bool) {
        for i in 0..d_x.rows {
            for j in 0..d_out.cols {
                let (d, gate) = (self.at(d_out, i, j), self.at(x, i, j));
                let up = if gated { self.at(x, i, d_out.cols + j) } else { 1.0 };
                self.put(d_x, i, j, d * slope(f, gate) * up, false);
                if gated {
                    self.put(d_x, i, d_out.cols + j, d * activation(f, gate), false);
                }
            }
        }
    }

    fn attention(&mut self, out: Mat, qkv: Mat, rows: &[SequenceRows], spec: AttentionSpec) {
        let dim = spec.head_dim;
        for sequence in rows {
            for head in 0..spec.heads {
                let kv = head / (spec.heads / spec.kv_heads);
                for i in 0..sequence.len {
                    let seen = first_visible(i, &spec)..i + 1;
                    let at = |j: usize, column: usize| {
                        self.head(qkv, sequence.first + j, column * dim, dim)
                    };
                    let keys: Vec<_> = seen.clone().map(|j| at(j, spec.heads + kv)).collect();
                    let values: Vec<_> =
                        seen.map(|j| at(j, spec.heads + spec.kv_heads + kv)).collect();
                    let (_, weights) = weigh(&at(i, head), &keys, &spec);
                    for (d, y) in mix(&weights, &values, dim).into_iter().enumerate() {
                        self.put(out, sequence.first + i, head * dim + d, y, false);
                    }
                }
            }
        }
    }

    fn attention_backward(
        &mut self,
        d_qkv: Mat,
        d_out: Mat,
        out: Mat,
        qkv: Mat,
        rows: &[SequenceRows],
        spec: AttentionSpec,
    ) {
        let dim = spec.head_dim;
        for sequence in rows {
            for i in sequence.first..sequence.first + sequence.len {
                (0..d_qkv.cols).for_each(|j| self.put(d_qkv, i, j, 0.0, false));
            }
            for head in 0..spec.heads {
                let kv = head / (spec.heads / spec.kv_heads);
                let columns =
                    [head * dim, (spec.heads + kv) * dim, (spec.heads + spec.kv_heads + kv) * dim];
                for i in 0..sequence.len {
                    let seen: Vec<usize> = (first_visible(i, &spec)..i + 1).collect();
                    let at =
                        |j: usize, c: usize| self.head(qkv, sequence.first + j, columns[c], dim);
                    let (q, keys): (_, Vec<_>) =
                        (at(i, 0), seen.iter().map(|&j| at(j, 1)).collect());
                    let values: Vec<_> = seen.iter().map(|&j| at(j, 2)).collect();
                    let (scores, weights) = weigh(&q, &keys, &spec);
                    let d = self.head(d_out, sequence.first + i, head * dim, dim);
                    let y = self.head(out, sequence.first + i, head * dim, dim);
                    let shared: f64 = d.iter().zip(&y).map(|(a, b)| a * b).sum();
                    for (s, &j) in seen.iter().enumerate() {
                        let d_weight: f64 = d.iter().zip(&values[s]).map(|(a, b)| a * b).sum();
                        let mut d_score = weights[s] * (d_weight - shared) * f64::from(spec.scale);
                        if let Some(cap) = spec.softcap {
                            d_score *= 1.0 - (scores[s] / f64::from(cap)).powi(2);
                        }
                        for e in 0..dim {
                            let (i, j) = (sequence.first + i, sequence.first + j);
                            self.put(d_qkv, i, columns[0] + e, d_score * keys[s][e], true);
                            self.put(d_qkv, j, columns[1] + e, d_score * q[e], true);
                            self.put(d_qkv, j, columns[2] + e, weights[s] * d[e], true);
                        }
                    }
                }
            }
        }
    }

    fn new_cache(&mut self, size: CacheSize) -> Cache {
        let slot = vec![0.0; size.kv_heads * size.head_dim];
        let layer = vec![slot; size.pages * PAGE_TOKENS];
        let all = vec![layer; size.layers];
        self.caches.push(PlainCache { size, keys: all.clone(), values: all });
        Cache(self.caches.len() as u32 - 1)
    }

    fn cache_store(&mut self, cache: Cache, layer: usize, qkv: Mat, slots: &[u32], heads: usize) {
        for (i, &slot) in slots.iter().enumerate() {
            let row: Vec<f32> = self.row(qkv, i).into_iter().map(|x| x as f32).collect();
            let store = &mut self.caches[cache.0 as usize];
            let width = store.size.kv_heads * store.size.head_dim;
            let first = heads * store.size.head_dim;
            store.keys[layer][slot as usize] = row[first..first + width].to_vec();
            store.values[layer][slot as usize] = row[first + width..first + 2 * width].to_vec();
        }
    }

    fn cache_copy(&mut self, cache: Cache, from: u32, to: u32, tokens: usize) {
        let store = &mut self.caches[cache.0 as usize];
        for layer in store.keys.iter_mut().chain(&mut store.values) {
            for t in 0..tokens {
                layer[to as usize * PAGE_TOKENS + t] =
                    layer[from as usize * PAGE_TOKENS + t].clone();
            }
        }
    }

    fn cache_attention(
        &mut self,
        out: Mat,
        qkv: Mat,
        cache: Cache,
        layer: usize,
        rows: &[CachedRows],
        spec: AttentionSpec,
    ) {
        let dim = spec.head_dim;
        for sequence in rows {
            for head in 0..spec.heads {
                let kv = head / (spec.heads / spec.kv_heads);
                for i in 0..sequence.len {
                    let position = sequence.position + i;
                    let store = &self.caches[cache.0 as usize];
                    let read = |of: &Vec<Vec<Vec<f32>>>| -> Vec<Vec<f64>> {
                        let slot = |t: usize| {
                            sequence.pages[t / PAGE_TOKENS] as usize * PAGE_TOKENS + t % PAGE_TOKENS
                        };
                        let part = |x: &[f32]| {
                            x[kv * dim..(kv + 1) * dim].iter().map(|&x| f64::from(x)).collect()
                        };
                        (first_visible(position, &spec)..position + 1)
                            .map(|t| part(&of[layer][slot(t)]))
                            .collect()
                    };
                    let (keys, values) = (read(&store.keys), read(&store.values));
                    let q = self.head(qkv, sequence.first + i, head * dim, dim);
                    let (_, weights) = weigh(&q, &keys, &spec);
                    for (d, y) in mix(&weights, &values, dim).into_iter().enumerate() {
                        self.put(out, sequence.first + i, head * dim + d, y, false);
                    }
                }
            }
        }
    }

    fn read_rows(
        &mut self,
        logits: Mat,
        tokens: &[u32],
        spec: LogitSpec,
        wants_moments: bool,
    ) -> Vec<(RowStats, f32)> {
        let mut all = Vec::new();
        for (i, &token) in tokens.iter().enumerate() {
            let z = read_row(&self.row(logits, i), spec);
            z.iter().enumerate().for_each(|(j, &z)| self.put(logits, i, j, z, false));
            let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let logp = log_softmax(&z);
            let sum: f64 = z.iter().map(|x| (x - largest).exp()).sum();
            let mut stats =
                RowStats { largest: largest as f32, sum: sum as f32, ..Default::default() };
            if wants_moments {
                stats.entropy = -logp.iter().map(|l| l.exp() * l.max(-1e30)).sum::<f64>() as f32;
                stats.log_sum_p2 = logp.iter().map(|l| (2.0 * l).exp()).sum::<f64>().ln() as f32;
            }
            all.push((stats, logp[token as usize].min(0.0) as f32));
        }
        all
    }

    fn rows_backward(
        &mut self,
        logits: Mat,
        tokens: &[u32],
        _: &[RowStats],
        gradients: &[RowGradient],
        spec: LogitSpec,
    ) {
        for (i, (&token, g)) in tokens.iter().zip(gradients).enumerate() {
            let z = self.row(logits, i);
            let logp = log_softmax(&z);
            let entropy: f64 = -logp.iter().map(|l| l.exp() * l.max(-1e30)).sum::<f64>();
            let p2: f64 = logp.iter().map(|l| (2.0 * l).exp()).sum();
            for (j, l) in logp.iter().enumerate() {
                let p = l.exp();
                let hit = f64::from(u8::from(j == token as usize));
                let mut d = f64::from(g.logprob) * (hit - p)
                    - f64::from(g.entropy) * p * (l.max(-1e30) + entropy)
                    + f64::from(g.log_sum_p2) * 2.0 * (p * p / p2 - p);
                d /= f64::from(spec.temperature);
                if let Some(cap) = spec.softcap {
                    d *= 1.0 - (z[j] * f64::from(spec.temperature) / f64::from(cap)).powi(2);
                }
                self.put(logits, i, j, d, false);
            }
        }
    }

    fn draw(&mut self, logits: Mat, softcap: Option<f32>, rows: &[DrawRow]) -> Vec<Drawn> {
        let draw = |(i, row): (usize, &DrawRow)| {
            let raw = read_row(&self.row(logits, i), LogitSpec { softcap, temperature: 1.0 });
            let temperature = if row.greedy { 1.0 } else { row.temperature };
            let logp = log_softmax(&raw.iter().map(|z| z / temperature).collect::<Vec<_>>());
            let weights = warped(&raw, row, temperature);
            let token = if row.greedy {
                (0..weights.len())
                    .rev()
                    .max_by(|&a, &b| weights[a].total_cmp(&weights[b]))
                    .unwrap_or(0)
            } else {
                let mut sum = 0.0;
                let exceeds = |w: &f64| {
                    sum += w;
                    sum > row.unit
                };
                weights.iter().position(exceeds).unwrap_or(weights.len() - 1)
            };
            let mut order: Vec<usize> = (0..logp.len()).collect();
            order.sort_by(|&a, &b| logp[b].total_cmp(&logp[a]));
            let top = order.iter().take(row.n_top).map(|&i| (i as u32, logp[i] as f32)).collect();
            Drawn { token: token as u32, logprob: logp[token] as f32, top }
        };
        rows.iter().enumerate().map(draw).collect()
    }

    fn adamw(
        &mut self,
        weight: Stretch,
        gradient: Stretch,
        m: Stretch,
        v: Stretch,
        step: AdamwStep,
    ) {
        for i in 0..weight.len {
            let g = f64::from(self.values(gradient)[i]) * step.gradient_factor;
            let m1 = step.beta1 * f64::from(self.values(m)[i]) + (1.0 - step.beta1) * g;
            let v1 = step.beta2 * f64::from(self.values(v)[i]) + (1.0 - step.beta2) * g * g;
            self.values_mut(m)[i] = m1 as f32;
            self.values_mut(v)[i] = v1 as f32;
            let hat = |x: f64, beta: f64| x / (1.0 - beta.powi(step.step as i32));
            let update = hat(m1, step.beta1) / (hat(v1, step.beta2).sqrt() + step.eps);
            let old =
                f64::from(self.values(weight)[i]) * (1.0 - step.learning_rate * step.weight_decay);
            self.values_mut(weight)[i] = (old - step.learning_rate * update) as f32;
        }
    }

    fn sum_squares(&mut self, x: Stretch) -> f64 {
        self.dot(x, x)
    }

    fn dot(&mut self, a: Stretch, b: Stretch) -> f64 {
        let pairs = self.values(a).iter().zip(self.values(b));
        pairs.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }

    fn scale(&mut self, x: Stretch, factor: f32) {
        self.values_mut(x).iter_mut().for_each(|x| *x *= factor);
    }
}

/// Probabilities after every warper, in the order of `transformers`.
fn warped(raw: &[f64], row: &DrawRow, temperature: f64) -> Vec<f64> {
    let mut z = raw.to_vec();
    row.bias.iter().for_each(|(token, bias)| z[*token as usize] += f64::from(*bias));
    if row.repetition_penalty != 1.0 {
        for (token, z) in z.iter_mut().enumerate() {
            if row.seen.contains(&(token as u32)) {
                *z *= if *z < 0.0 { row.repetition_penalty } else { 1.0 / row.repetition_penalty };
            }
        }
    }
    row.penalties.iter().for_each(|(token, penalty)| z[*token as usize] -= f64::from(*penalty));
    if let Some(mask) = &row.mask {
        for (token, z) in z.iter_mut().enumerate() {
            if !mask.allows(token as u32) {
                *z = f64::NEG_INFINITY;
            }
        }
    }
    z.iter_mut().for_each(|z| *z /= temperature);
    if row.greedy {
        return z;
    }
    if row.top_k > 0 && row.top_k < z.len() {
        let mut sorted = z.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        z.iter_mut().filter(|z| **z < sorted[row.top_k - 1]).for_each(|z| *z = f64::NEG_INFINITY);
    }
    if row.top_p < 1.0 {
        let p: Vec<f64> = log_softmax(&z).iter().map(|l| l.exp()).collect();
        let mut order: Vec<usize> = (0..z.len()).collect();
        order.sort_by(|&a, &b| z[a].total_cmp(&z[b]));
        let mut sum = 0.0;
        for &token in &order[..order.len() - 1] {
            sum += p[token];
            if sum <= 1.0 - row.top_p {
                z[token] = f64::NEG_INFINITY;
            }
        }
    }
    let p: Vec<f64> = log_softmax(&z).iter().map(|l| l.exp()).collect();
    let largest = p.iter().copied().fold(0.0, f64::max);
    let kept: Vec<f64> =
        p.into_iter().map(|p| if p < row.min_p * largest { 0.0 } else { p }).collect();
    let sum: f64 = kept.iter().sum();
    kept.into_iter().map(|p| p / sum).collect()
}
