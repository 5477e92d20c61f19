//! The fast backend: the kernels of this folder, on as many threads as the calling pool has.
//!
//! Work is only ever cut by rows, columns or heads of the result, and sums over rows are made in
//! blocks of fixed size, so the number of threads changes nothing but time. Buffers live in a slab;
//! an operation takes its output out of the slab while it runs, so reading a buffer that is being
//! written is impossible rather than forbidden.
//!
//! # Length
//! One short method for each operation of the border; what is long is the border.
#![allow(unsafe_code)]

use std::collections::HashMap;

use rayon::prelude::*;

use super::activation::{ActivateRow, ActivateRowBackward, Activation};
use super::aligned::AlignedVec;
use super::attention::{AttentionSpec, HeadGradients, HeadTask, PagedHead, Queries, Rows, attend};
use super::cache::KeyValueCache;
use super::draw::Draw;
use super::head::{ReadRow, RowBackward, RowGradient, RowStats};
use super::matmul::{Panels, Strided, matmul, pack};
use super::norm::{NormRow, NormRowBackward};
use super::rotary::RotateHead;
use super::simd::Path;
use super::vector::{Adamw, AdamwStep, Axpy, Dot, Scale};
use crate::backend::*;

/// Numbers that one task of an element-wise operation handles, at least.
const TASK_NUMBERS: usize = 16_384;
/// Rows whose sums are made together, whatever the number of threads.
const SUM_ROWS: usize = 64;

/// The engine's arithmetic on this machine's processor.
pub struct Cpu {
    path: Path,
    buffers: Vec<AlignedVec>,
    free: Vec<u32>,
    ids: Vec<Vec<u32>>,
    packed: HashMap<(Buf, usize), Packed>,
    scratch: AlignedVec,
    caches: Vec<KeyValueCache>,
}

#[derive(Default)]
struct Packed {
    panels: AlignedVec,
    is_fresh: bool,
}

impl Cpu {
    /// A backend that uses the instructions of `path`.
    pub fn new(path: Path) -> Self {
        Cpu {
            path,
            buffers: Vec::new(),
            free: Vec::new(),
            ids: Vec::new(),
            packed: HashMap::new(),
            scratch: AlignedVec::default(),
            caches: Vec::new(),
        }
    }

    fn data(&self, buf: Buf) -> &[f32] {
        &self.buffers[buf.0 as usize]
    }

    fn stretch(&self, x: Stretch) -> &[f32] {
        &self.data(x.buf)[x.offset..x.offset + x.len]
    }

    fn row(&self, x: Mat, i: usize) -> &[f32] {
        self.stretch(x.row(i))
    }

    fn strided(&self, x: Mat) -> Strided<'_> {
        Strided { data: &self.data(x.buf)[x.offset..], row: x.stride, col: 1 }
    }

    /// Lends the buffer of an output to `f`, beside everything else.
    fn writing<R>(&mut self, buf: Buf, f: impl FnOnce(&Self, &mut [f32]) -> R) -> R {
        let mut out = std::mem::take(&mut self.buffers[buf.0 as usize]);
        let result = f(self, &mut out);
        self.buffers[buf.0 as usize] = out;
        result
    }

    /// Calls `f` for every row of `out`, several rows at a time on each thread.
    fn each_row(&mut self, out: Mat, f: impl Fn(&Self, usize, &mut [f32]) + Sync) {
        self.writing(out.buf, |this, data| {
            let data = &mut data[out.offset..];
            let used = (out.rows.max(1) - 1) * out.stride + out.cols;
            let per_task = (TASK_NUMBERS / out.cols.max(1)).max(1);
            let task = |(t, rows): (usize, &mut [f32])| {
                for (i, row) in rows.chunks_mut(out.stride).enumerate() {
                    f(this, t * per_task + i, &mut row[..out.cols]);
                }
            };
            if out.rows == 0 {
                return;
            }
            let data = &mut data[..used];
            if out.rows <= per_task {
                task((0, data));
            } else {
                data.par_chunks_mut(per_task * out.stride).enumerate().for_each(task);
            }
        });
    }

    /// Calls `f` for pieces of equally long stretches of which the first is written.
    fn each_piece(&mut self, out: Stretch, f: impl Fn(&Self, usize, &mut [f32]) + Sync) {
        self.writing(out.buf, |this, data| {
            let data = &mut data[out.offset..out.offset + out.len];
            data.par_chunks_mut(TASK_NUMBERS)
                .enumerate()
                .for_each(|(i, piece)| f(this, i * TASK_NUMBERS, piece));
        });
    }

    fn make_panels(&mut self, weight: Mat) {
        let packed = self.packed.entry((weight.buf, weight.offset)).or_default();
        if packed.is_fresh {
            return;
        }
        let mut panels = std::mem::take(&mut packed.panels);
        panels.ensure(Panels::len_for(weight.cols, weight.rows));
        let turned = Strided { row: 1, col: weight.stride, ..self.strided(weight) };
        pack(self.path, turned, weight.cols, weight.rows, &mut panels);
        self.packed.insert((weight.buf, weight.offset), Packed { panels, is_fresh: true });
    }

    /// Packs a right factor into scratch memory and multiplies.
    fn multiply(&mut self, out: Mat, a: (Mat, bool), b: Mat, accumulate: bool) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let (k, n) = (b.rows, b.cols);
        scratch.ensure(Panels::len_for(k, n));
        pack(self.path, self.strided(b), k, n, &mut scratch);
        self.writing(out.buf, |this, data| {
            let (a, turned) = a;
            let mut left = this.strided(a);
            if turned {
                (left.row, left.col) = (1, a.stride);
            }
            let panels = Panels::new(&scratch, k, n);
            let data = &mut data[out.offset..];
            matmul(this.path, out.rows, left, panels, data, out.stride, accumulate);
        });
        self.scratch = scratch;
    }

    /// Sums `f(row)` vectors of `width` numbers over rows, in blocks of [`SUM_ROWS`].
    fn sum_rows(
        &self,
        rows: usize,
        width: usize,
        f: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Vec<f32> {
        let block = |b: usize| {
            let mut sums = vec![0.0; width];
            (b * SUM_ROWS..(b * SUM_ROWS + SUM_ROWS).min(rows)).for_each(|i| f(i, &mut sums));
            sums
        };
        let blocks: Vec<Vec<f32>> =
            (0..rows.div_ceil(SUM_ROWS)).into_par_iter().map(block).collect();
        let mut total = vec![0.0; width];
        for sums in blocks {
            self.path.run(Axpy { factor: 1.0, x: &sums, y: &mut total });
        }
        total
    }

    fn add_to(&mut self, to: Stretch, sums: &[f32]) {
        let path = self.path;
        self.writing(to.buf, |_, data| {
            let y = &mut data[to.offset..to.offset + to.len];
            path.run(Axpy { factor: 1.0, x: sums, y });
        });
    }
}

/// A place that the tasks of one operation write in disjoint parts.
#[derive(Clone, Copy)]
struct SharedOut(*mut f32);

// SAFETY: every task writes its own rows and heads only.
unsafe impl Send for SharedOut {}
// SAFETY: as above.
unsafe impl Sync for SharedOut {}

impl SharedOut {
    fn at(self, index: usize) -> *mut f32 {
        self.0.wrapping_add(index)
    }
}

impl Backend for Cpu {
    fn name(&self) -> String {
        format!("CPU ({}, {} threads)", self.path.name(), rayon::current_num_threads())
    }

    fn alloc(&mut self, len: usize) -> Buf {
        let buffer = AlignedVec::zeros(len);
        match self.free.pop() {
            Some(index) => {
                self.buffers[index as usize] = buffer;
                Buf(index)
            }
            None => {
                self.buffers.push(buffer);
                Buf(self.buffers.len() as u32 - 1)
            }
        }
    }

    fn free(&mut self, buf: Buf) {
        self.buffers[buf.0 as usize] = AlignedVec::default();
        self.packed.retain(|(owner, _), _| *owner != buf);
        self.free.push(buf.0);
    }

    fn write(&mut self, to: Stretch, from: &[f32]) {
        self.buffers[to.buf.0 as usize][to.offset..to.offset + to.len].copy_from_slice(from);
    }

    fn read(&mut self, from: Stretch, to: &mut [f32]) {
        to.copy_from_slice(self.stretch(from));
    }

    fn copy(&mut self, to: Mat, from: Mat) {
        self.each_row(to, |this, i, out| out.copy_from_slice(this.row(from, i)));
    }

    fn fill(&mut self, to: Stretch, value: f32) {
        self.each_piece(to, |_, _, piece| piece.fill(value));
    }

    fn alloc_ids(&mut self, len: usize) -> Ids {
        self.ids.push(vec![0; len]);
        Ids(self.ids.len() as u32 - 1)
    }

    fn write_ids(&mut self, to: Ids, from: &[u32]) {
        self.ids[to.0 as usize][..from.len()].copy_from_slice(from);
    }

    fn weights_changed(&mut self, buf: Buf) {
        for ((owner, _), packed) in &mut self.packed {
            packed.is_fresh &= *owner != buf;
        }
    }

    fn embed(&mut self, out: Mat, table: Mat, ids: Ids, scale: f32, accumulate: bool) {
        self.each_row(out, |this, i, out| {
            let row = this.row(table, this.ids[ids.0 as usize][i] as usize);
            for (y, &x) in out.iter_mut().zip(row) {
                *y = if accumulate { *y + scale * x } else { scale * x };
            }
        });
    }

    fn embed_backward(&mut self, d_table: Mat, d_out: Mat, ids: Ids, scale: f32) {
        self.writing(d_table.buf, |this, data| {
            let ids = &this.ids[ids.0 as usize][..d_out.rows];
            for (i, &id) in ids.iter().enumerate() {
                let start = d_table.offset + id as usize * d_table.stride;
                let y = &mut data[start..start + d_table.cols];
                this.path.run(Axpy { factor: scale, x: this.row(d_out, i), y });
            }
        });
    }

    fn gather(&mut self, out: Mat, x: Mat, ids: Ids) {
        self.each_row(out, |this, i, out| {
            out.copy_from_slice(this.row(x, this.ids[ids.0 as usize][i] as usize));
        });
    }

    fn scatter_add(&mut self, x: Mat, d: Mat, ids: Ids) {
        self.embed_backward(x, d, ids, 1.0);
    }

    fn add(&mut self, y: Mat, x: Mat, factor: f32) {
        self.each_row(y, |this, i, y| this.path.run(Axpy { factor, x: this.row(x, i), y }));
    }

    fn norm(&mut self, out: Mat, x: Mat, weights: NormWeights, spec: NormSpec) {
        self.each_row(out, |this, i, out| {
            let width = out.len() / spec.groups;
            let weight = this.stretch(weights.weight);
            let bias = weights.bias.map(|bias| this.stretch(bias));
            let groups = this.row(x, i).chunks_exact(width).zip(out.chunks_exact_mut(width));
            for (x, out) in groups {
                let (kind, eps) = (spec.kind, spec.eps);
                this.path.run(NormRow { kind, eps, x, weight, bias, out });
            }
        });
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
        let biased = d_weights.is_some_and(|d| d.bias.is_some());
        let sums_width = if d_weights.is_some() { width * (1 + usize::from(biased)) } else { 0 };
        let sums = self.writing(d_x.buf, |this, data| {
            let out = SharedOut(data.as_mut_ptr());
            let len = data.len();
            this.sum_rows(d_x.rows, sums_width, |i, sums| {
                let (d_weight, d_bias) = sums.split_at_mut(width.min(sums.len()));
                let start = d_x.offset + i * d_x.stride;
                assert!(start + d_x.cols <= len);
                // SAFETY: each row is handled by one task, and rows do not overlap.
                let d_x = unsafe { std::slice::from_raw_parts_mut(out.at(start), d_x.cols) };
                let rows = this.row(x, i).chunks_exact(width);
                let rows = rows.zip(this.row(d_out, i).chunks_exact(width));
                for ((x, d_out), d_x) in rows.zip(d_x.chunks_exact_mut(width)) {
                    this.path.run(NormRowBackward {
                        kind: spec.kind,
                        eps: spec.eps,
                        x,
                        weight: this.stretch(weights.weight),
                        d_out,
                        d_x,
                        accumulate,
                        d_weight,
                        d_bias,
                    });
                }
            })
        });
        if let Some(d_weights) = d_weights {
            self.add_to(d_weights.weight, &sums[..width]);
            if let Some(bias) = d_weights.bias {
                self.add_to(bias, &sums[width..]);
            }
        }
    }

    fn linear(&mut self, out: Mat, x: Mat, weight: Mat, bias: Option<Stretch>, accumulate: bool) {
        self.make_panels(weight);
        self.writing(out.buf, |this, data| {
            let panels = &this.packed[&(weight.buf, weight.offset)].panels;
            let panels = Panels::new(panels, weight.cols, weight.rows);
            let data = &mut data[out.offset..];
            let x = this.strided(x);
            matmul(this.path, out.rows, x, panels, data, out.stride, accumulate);
        });
        if let Some(bias) = bias {
            self.each_row(out, |this, _, y| {
                this.path.run(Axpy { factor: 1.0, x: this.stretch(bias), y });
            });
        }
    }

    fn linear_input_gradient(&mut self, d_x: Mat, d_out: Mat, weight: Mat, accumulate: bool) {
        self.multiply(d_x, (d_out, false), weight, accumulate);
    }

    fn linear_weight_gradient(&mut self, d_weight: Mat, d_out: Mat, x: Mat) {
        self.multiply(d_weight, (d_out, true), x, true);
    }

    fn bias_gradient(&mut self, d_bias: Stretch, d_out: Mat) {
        let sums = self.sum_rows(d_out.rows, d_out.cols, |i, sums| {
            self.path.run(Axpy { factor: 1.0, x: self.row(d_out, i), y: sums });
        });
        self.add_to(d_bias, &sums);
    }

    fn rotate(&mut self, x: Mat, heads: Heads, table: Mat, positions: Ids, inverse: bool) {
        self.each_row(x, |this, i, row| {
            let angles = this.row(table, this.ids[positions.0 as usize][i] as usize);
            let (cos, sin) = angles.split_at(angles.len() / 2);
            for x in row[..heads.count * heads.dim].chunks_exact_mut(heads.dim) {
                this.path.run(RotateHead { x, cos, sin, inverse });
            }
        });
    }

    fn activate(&mut self, out: Mat, x: Mat, activation: Activation, gated: bool) {
        self.each_row(out, |this, i, out| {
            let (gate, up) = this.row(x, i).split_at(out.len());
            let up = gated.then_some(up);
            this.path.run(ActivateRow { activation, gate, up, out });
        });
    }

    fn activate_backward(&mut self, d_x: Mat, d_out: Mat, x: Mat, f: Activation, gated: bool) {
        self.each_row(d_x, |this, i, d_x| {
            let d_out = this.row(d_out, i);
            let (gate, up) = this.row(x, i).split_at(d_out.len());
            let (d_gate, d_up) = d_x.split_at_mut(d_out.len());
            let up = gated.then_some(up);
            this.path.run(ActivateRowBackward { activation: f, gate, up, d_out, d_gate, d_up });
        });
    }

    fn attention(&mut self, out: Mat, qkv: Mat, rows: &[SequenceRows], spec: AttentionSpec) {
        self.writing(out.buf, |this, data| {
            assert!(out.offset + (out.rows.max(1) - 1) * out.stride + out.cols <= data.len());
            let place = SharedOut(data.as_mut_ptr());
            for_each_head(rows, &spec, |sequence, kv_head| {
                let task = this.head_task(qkv, sequence, kv_head, &spec);
                let start = out.offset + sequence.first * out.stride;
                let column = kv_head * spec.group() * spec.head_dim;
                // SAFETY: each task writes the rows of its sequence in the columns of its heads.
                unsafe { task.forward(this.path, place.at(start + column), out.stride) };
            });
        });
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
        self.writing(d_qkv.buf, |this, data| {
            assert!(
                d_qkv.offset + (d_qkv.rows.max(1) - 1) * d_qkv.stride + d_qkv.cols <= data.len()
            );
            let place = SharedOut(data.as_mut_ptr());
            for_each_head(rows, &spec, |sequence, kv_head| {
                let task = this.head_task(qkv, sequence, kv_head, &spec);
                let [q, k, v] = head_columns(kv_head, &spec);
                let start = d_qkv.offset + sequence.first * d_qkv.stride;
                let gradients = HeadGradients {
                    out: this.head_rows(out, sequence, q),
                    d_out: this.head_rows(d_out, sequence, q),
                    d_q: (place.at(start + q), d_qkv.stride),
                    d_k: (place.at(start + k), d_qkv.stride),
                    d_v: (place.at(start + v), d_qkv.stride),
                };
                // SAFETY: each task writes the rows of its sequence in the columns of its heads.
                unsafe { task.backward(this.path, &gradients) };
            });
        });
    }

    fn new_cache(&mut self, size: CacheSize) -> Cache {
        self.caches.push(KeyValueCache::new(size));
        Cache(self.caches.len() as u32 - 1)
    }

    fn cache_store(&mut self, cache: Cache, layer: usize, qkv: Mat, slots: &[u32], heads: usize) {
        let mut store = std::mem::take(&mut self.caches[cache.0 as usize]);
        for (i, &slot) in slots.iter().enumerate() {
            store.store(layer, slot as usize, &self.row(qkv, i)[heads * store.size.head_dim..]);
        }
        self.caches[cache.0 as usize] = store;
    }

    fn cache_copy(&mut self, cache: Cache, from: u32, to: u32, tokens: usize) {
        self.caches[cache.0 as usize].copy(from as usize, to as usize, tokens);
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
        self.writing(out.buf, |this, data| {
            assert!(out.offset + (out.rows.max(1) - 1) * out.stride + out.cols <= data.len());
            let place = SharedOut(data.as_mut_ptr());
            let store = &this.caches[cache.0 as usize];
            let tasks = rows.len() * spec.kv_heads;
            (0..tasks).into_par_iter().with_min_len(4).for_each(|task| {
                let (sequence, kv_head) = (&rows[task / spec.kv_heads], task % spec.kv_heads);
                let [keys, values] = store.heads(layer, kv_head, &sequence.pages);
                let column = kv_head * spec.group() * spec.head_dim;
                let queries = Queries {
                    data: this.data(qkv.buf),
                    offset: qkv.offset + sequence.first * qkv.stride + column,
                    stride: qkv.stride,
                    position: sequence.position,
                    position_step: 1,
                    len: sequence.len,
                };
                let start = out.offset + sequence.first * out.stride + column;
                // SAFETY: each task writes the rows of its sequence in the columns of its heads.
                unsafe {
                    this.cached_heads(&spec, queries, keys, values, place.at(start), out.stride)
                };
            });
        });
    }

    fn read_rows(
        &mut self,
        logits: Mat,
        tokens: &[u32],
        spec: LogitSpec,
        wants_moments: bool,
    ) -> Vec<(RowStats, f32)> {
        self.writing(logits.buf, |this, data| {
            let rows = data[logits.offset..].par_chunks_mut(logits.stride).with_min_len(4);
            let read = |(row, &token): (&mut [f32], &u32)| {
                let stats = this.path.run(ReadRow {
                    logits: &mut row[..logits.cols],
                    softcap: spec.softcap,
                    inverse_temperature: 1.0 / spec.temperature,
                    wants_moments,
                });
                (stats, stats.logprob(row[token as usize]))
            };
            rows.zip(tokens).map(read).collect()
        })
    }

    fn rows_backward(
        &mut self,
        logits: Mat,
        tokens: &[u32],
        stats: &[RowStats],
        gradients: &[RowGradient],
        spec: LogitSpec,
    ) {
        self.each_row(logits, |this, i, z| {
            this.path.run(RowBackward {
                z,
                token: tokens[i] as usize,
                stats: stats[i],
                gradient: gradients[i],
                softcap: spec.softcap,
                inverse_temperature: 1.0 / spec.temperature,
            });
        });
    }

    fn draw(&mut self, logits: Mat, softcap: Option<f32>, rows: &[DrawRow]) -> Vec<Drawn> {
        self.writing(logits.buf, |this, data| {
            let data = data[logits.offset..].par_chunks_mut(logits.stride).with_min_len(4);
            let draw = |scratch: &mut Vec<f32>, (z, row): (&mut [f32], &DrawRow)| {
                let logits = &mut z[..logits.cols];
                this.path.run(Draw { logits, softcap, row, scratch })
            };
            data.zip(rows).map_init(Vec::new, draw).collect()
        })
    }

    fn adamw(
        &mut self,
        weight: Stretch,
        gradient: Stretch,
        m: Stretch,
        v: Stretch,
        step: AdamwStep,
    ) {
        let mut first = std::mem::take(&mut self.buffers[m.buf.0 as usize]);
        let mut second = std::mem::take(&mut self.buffers[v.buf.0 as usize]);
        let path = self.path;
        self.writing(weight.buf, |this, data| {
            let weights =
                data[weight.offset..weight.offset + weight.len].par_chunks_mut(TASK_NUMBERS);
            let first = first[m.offset..m.offset + m.len].par_chunks_mut(TASK_NUMBERS);
            let second = second[v.offset..v.offset + v.len].par_chunks_mut(TASK_NUMBERS);
            let gradients = this.stretch(gradient).par_chunks(TASK_NUMBERS);
            weights.zip(gradients).zip(first.zip(second)).for_each(
                |((weight, gradient), (m, v))| {
                    path.run(Adamw { settings: step, weight, gradient, m, v });
                },
            );
        });
        self.buffers[m.buf.0 as usize] = first;
        self.buffers[v.buf.0 as usize] = second;
    }

    fn sum_squares(&mut self, x: Stretch) -> f64 {
        self.dot(x, x)
    }

    fn dot(&mut self, a: Stretch, b: Stretch) -> f64 {
        const PIECE: usize = 1024;
        let a = self.stretch(a).par_chunks(PIECE).with_min_len(16);
        let pieces: Vec<f64> = a
            .zip(self.stretch(b).par_chunks(PIECE))
            .map(|(a, b)| f64::from(self.path.run(Dot { a, b })))
            .collect();
        pieces.iter().sum()
    }

    fn scale(&mut self, x: Stretch, factor: f32) {
        self.each_piece(x, |this, _, x| this.path.run(Scale { factor, x }));
    }
}

impl Cpu {
    fn head_rows(&self, x: Mat, sequence: SequenceRows, column: usize) -> Rows<'_> {
        Rows(self.data(x.buf), x.offset + sequence.first * x.stride + column, x.stride)
    }

    fn head_task<'a>(
        &'a self,
        qkv: Mat,
        sequence: SequenceRows,
        kv_head: usize,
        spec: &'a AttentionSpec,
    ) -> HeadTask<'a> {
        let [q, k, v] = head_columns(kv_head, spec);
        HeadTask {
            spec,
            len: sequence.len,
            q: self.head_rows(qkv, sequence, q),
            k: self.head_rows(qkv, sequence, k),
            v: self.head_rows(qkv, sequence, v),
        }
    }

    /// The query heads of one key head. A single row of several heads is one block of queries.
    ///
    /// # Safety
    /// As [`attend`], for every head of the group.
    unsafe fn cached_heads(
        &self,
        spec: &AttentionSpec,
        queries: Queries<'_>,
        keys: PagedHead<'_>,
        values: PagedHead<'_>,
        out: *mut f32,
        out_stride: usize,
    ) {
        let dim = spec.head_dim;
        if queries.len == 1 {
            let heads = Queries { stride: dim, position_step: 0, len: spec.group(), ..queries };
            // SAFETY: the caller's promise.
            unsafe { attend(self.path, spec, heads, keys, values, out, dim) };
            return;
        }
        for head in 0..spec.group() {
            let one = Queries { offset: queries.offset + head * dim, ..queries };
            // SAFETY: the caller's promise.
            unsafe { attend(self.path, spec, one, keys, values, out.add(head * dim), out_stride) };
        }
    }
}

fn head_columns(kv_head: usize, spec: &AttentionSpec) -> [usize; 3] {
    let dim = spec.head_dim;
    [
        kv_head * spec.group() * dim,
        (spec.heads + kv_head) * dim,
        (spec.heads + spec.kv_heads + kv_head) * dim,
    ]
}

fn for_each_head(
    rows: &[SequenceRows],
    spec: &AttentionSpec,
    f: impl Fn(SequenceRows, usize) + Sync,
) {
    (0..rows.len() * spec.kv_heads)
        .into_par_iter()
        .with_max_len(1)
        .for_each(|task| f(rows[task / spec.kv_heads], task % spec.kv_heads));
}
