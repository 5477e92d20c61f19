//! Causal attention, forward and backward, over keys and values cut into pages of sixteen tokens.
//!
//! Training and decoding share the code: a training sequence is paged into scratch memory, a decoding
//! sequence lies in the cache's pages already. For each query the scores are chains over the head's
//! dimensions, the weights are summed in sixteen lanes by token index, and the values are chains over
//! tokens cut at multiples of [`K_BLOCK`]. None of that depends on how many queries there are or where
//! the pages lie, so a token's output is the same bits when it is sampled and when it is recomputed.
//!
//! The backward pass recomputes the weights of a block of queries instead of storing them
//! (FlashAttention-2, arXiv 2307.08691, section 3.1.2) and adds into keys and values in order of
//! query, so it is deterministic.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ops::Range;

use super::aligned::AlignedVec;
use super::math;
use super::matmul::{Factors, K_BLOCK, Out, chains, small_product};
use super::simd::{Kernel, LANES, Path, Simd};

/// Tokens of a page.
pub(crate) const PAGE: usize = LANES;
/// Queries whose weights are recomputed together in the backward pass.
const QUERY_BLOCK: usize = 28;

/// What is the same for all heads of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AttentionSpec {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Dimensions of a head.
    pub head_dim: usize,
    /// Multiplies the scores, usually `1 / sqrt(head_dim)`.
    pub scale: f32,
    /// Scores become `softcap * tanh(score / softcap)` where present.
    pub softcap: Option<f32>,
    /// Tokens a query sees, itself included, where limited.
    pub window: Option<usize>,
}

impl AttentionSpec {
    /// Query heads that share a key head.
    pub(crate) fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// Keys that the query at `position` sees.
    pub(crate) fn visible(&self, position: usize) -> Range<usize> {
        let first = self.window.map_or(0, |window| (position + 1).saturating_sub(window));
        first..position + 1
    }

    fn padded_dim(&self) -> usize {
        self.head_dim.next_multiple_of(LANES)
    }
}

/// Numbers a page of one key head takes: dimensions in rows, tokens in columns.
pub(crate) fn key_page_len(head_dim: usize) -> usize {
    head_dim * PAGE
}

/// Numbers a page of one value head takes: tokens in rows, dimensions (padded) in columns.
pub(crate) fn value_page_len(head_dim: usize) -> usize {
    head_dim.next_multiple_of(LANES) * PAGE
}

/// Pages of one head: page i is at `offset + table[i] * stride`.
#[derive(Clone, Copy)]
pub(crate) struct PagedHead<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) offset: usize,
    pub(crate) stride: usize,
    pub(crate) page_len: usize,
    pub(crate) table: &'a [u32],
}

impl PagedHead<'_> {
    #[inline(always)]
    fn page(&self, index: usize) -> *const f32 {
        let start = self.offset + self.table[index] as usize * self.stride;
        self.data[start..start + self.page_len].as_ptr()
    }
}

/// Writes one token's key (or a row of gradients) into its column of a page.
pub(crate) fn write_key(page: &mut [f32], column: usize, key: &[f32]) {
    for (d, &x) in key.iter().enumerate() {
        page[d * PAGE + column] = x;
    }
}

/// Writes one token's value into its row of a page; the padding stays zero.
pub(crate) fn write_value(page: &mut [f32], row: usize, value: &[f32]) {
    let width = page.len() / PAGE;
    page[row * width..row * width + value.len()].copy_from_slice(value);
}

/// Queries of one head and the tokens they belong to.
#[derive(Clone, Copy)]
pub(crate) struct Queries<'a> {
    /// Query i is at `offset + i * stride`.
    pub(crate) data: &'a [f32],
    pub(crate) offset: usize,
    pub(crate) stride: usize,
    /// Position of query i is `position + i * position_step` (step 0: heads of one token).
    pub(crate) position: usize,
    pub(crate) position_step: usize,
    pub(crate) len: usize,
}

/// Attention of one head's queries; writes output i at `out_offset + i * out_stride`.
///
/// # Safety
/// `out` must hold every output, and nobody else may write there meanwhile.
pub(crate) unsafe fn attend(
    path: Path,
    spec: &AttentionSpec,
    queries: Queries<'_>,
    keys: PagedHead<'_>,
    values: PagedHead<'_>,
    out: *mut f32,
    out_stride: usize,
) {
    SCRATCH.with_borrow_mut(|scratch| {
        path.run(Attend { spec, queries, keys, values, out, out_stride, scratch });
    });
}

/// Rows of one training sequence: token i of tensor x is at `x.0[x.1 + i * x.2]`.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a>(pub(crate) &'a [f32], pub(crate) usize, pub(crate) usize);

impl<'a> Rows<'a> {
    fn row(&self, i: usize, len: usize) -> &'a [f32] {
        let start = self.1 + i * self.2;
        &self.0[start..start + len]
    }
}

/// One key head of one training sequence, with the query heads that share it.
pub(crate) struct HeadTask<'a> {
    pub(crate) spec: &'a AttentionSpec,
    /// Tokens of the sequence.
    pub(crate) len: usize,
    /// First query head of the group; the others follow side by side.
    pub(crate) q: Rows<'a>,
    pub(crate) k: Rows<'a>,
    pub(crate) v: Rows<'a>,
}

/// What the backward pass reads and writes beside the task.
pub(crate) struct HeadGradients<'a> {
    pub(crate) out: Rows<'a>,
    pub(crate) d_out: Rows<'a>,
    /// First element and row distance of the gradient of the first query head.
    pub(crate) d_q: (*mut f32, usize),
    /// The same of keys and values.
    pub(crate) d_k: (*mut f32, usize),
    pub(crate) d_v: (*mut f32, usize),
}

impl HeadTask<'_> {
    /// Output of the group's heads, side by side, at `out` with rows `out_stride` apart.
    ///
    /// # Safety
    /// `out` must hold every output, and nobody else may write there meanwhile.
    pub(crate) unsafe fn forward(&self, path: Path, out: *mut f32, out_stride: usize) {
        let dim = self.spec.head_dim;
        PAGES.with_borrow_mut(|pages| {
            pages.fill(self);
            for head in 0..self.spec.group() {
                let queries = self.queries(head, 0, self.len);
                // SAFETY: the caller's promise for the group covers each of its heads.
                unsafe {
                    let out = out.add(head * dim);
                    attend(path, self.spec, queries, pages.keys(), pages.values(), out, out_stride);
                }
            }
        });
    }

    /// Gradients of the group's queries (written) and of its key and value head (written).
    ///
    /// # Safety
    /// The gradient pointers must hold every row, and nobody else may write there meanwhile.
    pub(crate) unsafe fn backward(&self, path: Path, gradients: &HeadGradients<'_>) {
        PAGES.with_borrow_mut(|pages| {
            pages.fill(self);
            pages.fill_for_backward(self);
            SCRATCH.with_borrow_mut(|scratch| {
                path.run(Backward { task: self, gradients, pages, scratch });
            });
            pages.write_key_gradients(self, gradients);
        });
    }

    fn queries(&self, head: usize, first: usize, len: usize) -> Queries<'_> {
        Queries {
            data: self.q.0,
            offset: self.q.1 + head * self.spec.head_dim + first * self.q.2,
            stride: self.q.2,
            position: first,
            position_step: 1,
            len,
        }
    }
}

/// Pages of one sequence and head, made anew for each task.
#[derive(Default)]
struct TaskPages {
    table: Vec<u32>,
    keys: AlignedVec,
    values: AlignedVec,
    key_rows: AlignedVec,
    value_columns: AlignedVec,
    d_keys: AlignedVec,
    d_values: AlignedVec,
    key_len: usize,
    value_len: usize,
}

thread_local! {
    static PAGES: RefCell<TaskPages> = RefCell::default();
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl TaskPages {
    fn fill(&mut self, task: &HeadTask<'_>) {
        let (dim, n_pages) = (task.spec.head_dim, task.len.div_ceil(PAGE));
        self.table.clear();
        self.table.extend(0..n_pages as u32);
        (self.key_len, self.value_len) = (key_page_len(dim), value_page_len(dim));
        reset(&mut self.keys, n_pages * self.key_len);
        reset(&mut self.values, n_pages * self.value_len);
        for i in 0..task.len {
            let (page, slot) = (i / PAGE, i % PAGE);
            let keys = &mut self.keys[page * self.key_len..][..self.key_len];
            write_key(keys, slot, task.k.row(i, dim));
            let values = &mut self.values[page * self.value_len..][..self.value_len];
            write_value(values, slot, task.v.row(i, dim));
        }
    }

    /// The backward pass also reads keys by token and values by dimension.
    fn fill_for_backward(&mut self, task: &HeadTask<'_>) {
        let (dim, n_pages) = (task.spec.head_dim, self.table.len());
        for sums in [&mut self.key_rows, &mut self.d_keys, &mut self.d_values] {
            reset(sums, n_pages * self.value_len);
        }
        reset(&mut self.value_columns, n_pages * self.key_len);
        for i in 0..task.len {
            let (page, slot) = (i / PAGE, i % PAGE);
            let keys = &mut self.key_rows[page * self.value_len..][..self.value_len];
            write_value(keys, slot, task.k.row(i, dim));
            let values = &mut self.value_columns[page * self.key_len..][..self.key_len];
            write_key(values, slot, task.v.row(i, dim));
        }
    }

    fn keys(&self) -> PagedHead<'_> {
        self.head(&self.keys, self.key_len)
    }

    fn values(&self) -> PagedHead<'_> {
        self.head(&self.values, self.value_len)
    }

    fn head<'a>(&'a self, data: &'a [f32], page_len: usize) -> PagedHead<'a> {
        PagedHead { data, offset: 0, stride: page_len, page_len, table: &self.table }
    }

    fn write_key_gradients(&self, task: &HeadTask<'_>, gradients: &HeadGradients<'_>) {
        let (dim, width) = (task.spec.head_dim, self.value_len / PAGE);
        for (sums, (at, stride)) in [(&self.d_keys, gradients.d_k), (&self.d_values, gradients.d_v)]
        {
            for i in 0..task.len {
                // SAFETY: the caller of `backward` promised room for every row.
                let row = unsafe { std::slice::from_raw_parts_mut(at.add(i * stride), dim) };
                row.copy_from_slice(&sums[i * width..i * width + dim]);
            }
        }
    }
}

/// Makes `buffer` exactly as long as needed for this task, all zero.
fn reset(buffer: &mut AlignedVec, len: usize) {
    buffer.ensure(len);
    buffer[..len].fill(0.0);
}

#[derive(Default)]
struct Scratch {
    /// Scores, then weights, of a block of queries.
    scores: AlignedVec,
    /// Scores after the soft cap, where there is one.
    capped: AlignedVec,
    /// Gradient of the weights, then of the scores.
    d_scores: AlignedVec,
    queries: AlignedVec,
    d_out: AlignedVec,
    d_queries: AlignedVec,
}

struct Attend<'a> {
    spec: &'a AttentionSpec,
    queries: Queries<'a>,
    keys: PagedHead<'a>,
    values: PagedHead<'a>,
    out: *mut f32,
    out_stride: usize,
    scratch: &'a mut Scratch,
}

impl Kernel for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let per_block = query_rows::<S>();
        for first in (0..self.queries.len).step_by(per_block) {
            let rows = per_block.min(self.queries.len - first);
            let queries = self.queries.part(first, rows);
            let pages = queries.pages(self.spec);
            let width = pages.len() * PAGE;
            self.scratch.scores.ensure(rows * width);
            let scores = &mut self.scratch.scores[..rows * width];
            page_products(s, queries, self.spec.head_dim, self.keys, pages.clone(), scores);
            for (i, row) in scores.chunks_exact_mut(width).enumerate() {
                let visible = self.spec.visible(queries.position_of(i));
                let sum = weights(s, self.spec, row, pages.start * PAGE, visible, None);
                // SAFETY: the caller of `attend` promised room for every output.
                let out = unsafe {
                    let at = self.out.add((first + i) * self.out_stride);
                    std::slice::from_raw_parts_mut(at, self.spec.head_dim)
                };
                weighted_values(s, row, pages.clone(), self.values, 1.0 / sum, out);
            }
        }
    }
}

/// Queries that are scored together.
#[inline(always)]
fn query_rows<S: Simd>() -> usize {
    if S::TILE_GROUPS == 2 { 6 } else { 3 }
}

impl<'a> Queries<'a> {
    fn part(&self, first: usize, len: usize) -> Queries<'a> {
        Queries {
            offset: self.offset + first * self.stride,
            position: self.position + first * self.position_step,
            len,
            ..*self
        }
    }

    fn position_of(&self, i: usize) -> usize {
        self.position + i * self.position_step
    }

    /// Pages that any of the queries sees.
    fn pages(&self, spec: &AttentionSpec) -> Range<usize> {
        let first = spec.visible(self.position).start / PAGE;
        let last = self.position_of(self.len - 1) / PAGE;
        first..last + 1
    }
}

/// `scores[i][t] = query i . key t` for the tokens of `pages`.
#[inline(always)]
fn page_products<S: Simd>(
    s: S,
    queries: Queries<'_>,
    dim: usize,
    keys: PagedHead<'_>,
    pages: Range<usize>,
    scores: &mut [f32],
) {
    let width = pages.len() * PAGE;
    let last = queries.offset + (queries.len - 1) * queries.stride + dim;
    assert!(queries.data.len() >= last && scores.len() >= queries.len * width);
    for row in (0..queries.len).step_by(query_rows::<S>()) {
        let height = query_rows::<S>().min(queries.len - row);
        let mut page = pages.start;
        while page < pages.end {
            let count = if pages.end - page >= 4 && S::TILE_GROUPS == 2 { 4 } else { 1 };
            let at = row * width + (page - pages.start) * PAGE;
            // SAFETY: queries, pages and scores were checked above and in `page`.
            unsafe {
                let part = Factors {
                    depth: dim,
                    a: queries.data.as_ptr().add(queries.offset + row * queries.stride),
                    a_row: queries.stride,
                    a_col: 1,
                    b: [keys.page(page)],
                    b_row: PAGE,
                };
                let out = scores.as_mut_ptr().add(at);
                if count == 4 {
                    let b = [0, 1, 2, 3].map(|i| keys.page(page + i));
                    score_block(s, height, part.with(b), out, width);
                } else {
                    score_block(s, height, part, out, width);
                }
            }
            page += count;
        }
    }
}

/// # Safety
/// As [`chains`] for `height` rows; `out` must have room for them, `width` apart.
#[inline(always)]
unsafe fn score_block<S: Simd, const G: usize>(
    s: S,
    height: usize,
    factors: Factors<G>,
    out: *mut f32,
    width: usize,
) {
    macro_rules! heights {
        ($($m:literal)*) => {
            match height {
                $($m if $m <= query_rows::<S>() => {
                    // SAFETY: the caller's promise, handed on.
                    unsafe {
                        let sums = chains(s, factors, [[s.zero(); G]; $m]);
                        for (i, row) in sums.into_iter().enumerate() {
                            for (g, sum) in row.into_iter().enumerate() {
                                let place = out.add(i * width + g * PAGE);
                                s.store(sum, &mut *place.cast::<[f32; LANES]>());
                            }
                        }
                    }
                })*
                _ => unreachable!("a block has 1 to {} queries", query_rows::<S>()),
            }
        };
    }
    heights!(6 5 4 3 2 1)
}

/// Turns scores into `exp(score - largest)` in place, 0 where a token is not visible, and returns
/// their sum. `first` is the token of the first score; `capped` receives the scores after the cap.
#[inline(always)]
fn weights<S: Simd>(
    s: S,
    spec: &AttentionSpec,
    scores: &mut [f32],
    first: usize,
    visible: Range<usize>,
    mut capped: Option<&mut [f32]>,
) -> f32 {
    let scale = s.splat(spec.scale);
    let mut largest = s.splat(f32::NEG_INFINITY);
    let (chunks, _) = scores.as_chunks_mut::<LANES>();
    for (p, chunk) in chunks.iter_mut().enumerate() {
        let mut x = s.mul(s.load(chunk), scale);
        if let Some(cap) = spec.softcap {
            let inner = math::tanh(s, s.div(x, s.splat(cap)));
            x = s.mul(inner, s.splat(cap));
        }
        s.store(x, chunk);
        if let Some(capped) = capped.as_deref_mut() {
            capped[p * LANES..(p + 1) * LANES].copy_from_slice(&chunk[..]);
        }
        let start = first + p * LANES;
        if start < visible.start || start + LANES > visible.end {
            for (j, x) in chunk.iter_mut().enumerate() {
                if !visible.contains(&(start + j)) {
                    *x = f32::NEG_INFINITY;
                }
            }
        }
        largest = s.max(largest, s.load(chunk));
    }
    let largest = s.splat(s.reduce_max(largest));
    let mut sum = s.zero();
    for chunk in chunks {
        let e = math::exp(s, s.sub(s.load(chunk), largest));
        s.store(e, chunk);
        sum = s.add(sum, e);
    }
    s.reduce_add(sum)
}

/// `out = factor * sum over tokens of weight * value`.
#[inline(always)]
fn weighted_values<S: Simd>(
    s: S,
    weights: &[f32],
    pages: Range<usize>,
    values: PagedHead<'_>,
    factor: f32,
    out: &mut [f32],
) {
    let groups = values.page_len / PAGE / LANES;
    let mut group = 0;
    while group < groups {
        let rest = &mut out[group * LANES..];
        match groups - group {
            4.. => {
                value_columns::<S, 4>(s, weights, pages.clone(), values, group, factor, rest);
                group += 4;
            }
            2 | 3 => {
                value_columns::<S, 2>(s, weights, pages.clone(), values, group, factor, rest);
                group += 2;
            }
            _ => {
                value_columns::<S, 1>(s, weights, pages.clone(), values, group, factor, rest);
                group += 1;
            }
        }
    }
}

#[inline(always)]
fn value_columns<S: Simd, const G: usize>(
    s: S,
    weights: &[f32],
    pages: Range<usize>,
    values: PagedHead<'_>,
    group: usize,
    factor: f32,
    out: &mut [f32],
) {
    const PAGES_PER_BLOCK: usize = K_BLOCK / PAGE;
    assert!(weights.len() >= pages.len() * PAGE);
    let mut total = [s.zero(); G];
    let mut page = pages.start;
    while page < pages.end {
        let block_end = ((page / PAGES_PER_BLOCK + 1) * PAGES_PER_BLOCK).min(pages.end);
        let mut sums = [[s.zero(); G]; 1];
        for p in page..block_end {
            let start = values.page(p);
            // SAFETY: the page was checked, it has `PAGE` rows of `groups * LANES` columns, and the
            // weights cover it.
            unsafe {
                let part = Factors {
                    depth: PAGE,
                    a: weights.as_ptr().add((p - pages.start) * PAGE),
                    a_row: 0,
                    a_col: 1,
                    b: std::array::from_fn(|g| start.add((group + g) * LANES)),
                    b_row: values.page_len / PAGE,
                };
                sums = chains(s, part, sums);
            }
        }
        for (total, sum) in total.iter_mut().zip(sums[0]) {
            *total = s.add(*total, sum);
        }
        page = block_end;
    }
    let factor = s.splat(factor);
    for (g, total) in total.into_iter().enumerate() {
        let at = g * LANES;
        if at < out.len() {
            let width = (out.len() - at).min(LANES);
            s.store_partial(s.mul(total, factor), &mut out[at..at + width]);
        }
    }
}

struct Backward<'a, 'b> {
    task: &'a HeadTask<'b>,
    gradients: &'a HeadGradients<'b>,
    pages: &'a mut TaskPages,
    scratch: &'a mut Scratch,
}

impl Kernel for Backward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        for head in 0..self.task.spec.group() {
            for first in (0..self.task.len).step_by(QUERY_BLOCK) {
                let rows = QUERY_BLOCK.min(self.task.len - first);
                self.block(s, head, first, rows);
            }
        }
    }
}

impl Backward<'_, '_> {
    #[inline(always)]
    fn block<S: Simd>(&mut self, s: S, head: usize, first: usize, rows: usize) {
        let spec = self.task.spec;
        let queries = self.task.queries(head, first, rows);
        let pages = queries.pages(spec);
        let width = pages.len() * PAGE;
        self.load_block(head, first, rows, width);
        self.recompute_weights(s, queries, pages.clone(), width);
        let d_out =
            Queries { data: &self.scratch.d_out, offset: 0, stride: spec.padded_dim(), ..queries };
        let columns = self.pages.head(&self.pages.value_columns, self.pages.key_len);
        let d_scores = &mut self.scratch.d_scores[..rows * width];
        page_products(s, d_out, spec.head_dim, columns, pages.clone(), d_scores);
        self.score_gradients(s, head, first, rows, width);
        self.add_gradients(s, head, first, rows, pages);
    }

    /// Copies the block's queries and output gradients into padded rows.
    fn load_block(&mut self, head: usize, first: usize, rows: usize, width: usize) {
        let (dim, padded) = (self.task.spec.head_dim, self.task.spec.padded_dim());
        let scratch = &mut *self.scratch;
        for sums in [&mut scratch.scores, &mut scratch.capped, &mut scratch.d_scores] {
            sums.ensure(rows * width);
        }
        for sums in [&mut scratch.queries, &mut scratch.d_out, &mut scratch.d_queries] {
            reset(sums, rows * padded);
        }
        let shift = |rows: Rows<'_>| rows.1 + head * dim;
        let (q, d_out) = (self.task.q, self.gradients.d_out);
        for i in 0..rows {
            let place = i * padded..i * padded + dim;
            let query = Rows(q.0, shift(q), q.2).row(first + i, dim);
            scratch.queries[place.clone()].copy_from_slice(query);
            let gradient = Rows(d_out.0, shift(d_out), d_out.2).row(first + i, dim);
            scratch.d_out[place].copy_from_slice(gradient);
        }
    }

    #[inline(always)]
    fn recompute_weights<S: Simd>(
        &mut self,
        s: S,
        queries: Queries<'_>,
        pages: Range<usize>,
        width: usize,
    ) {
        let spec = self.task.spec;
        let (first, keys) = (pages.start * PAGE, self.pages.keys());
        let scores = &mut self.scratch.scores[..queries.len * width];
        page_products(s, queries, spec.head_dim, keys, pages, scores);
        let capped = &mut self.scratch.capped[..queries.len * width];
        let rows = scores.chunks_exact_mut(width).zip(capped.chunks_exact_mut(width));
        for (i, (row, capped)) in rows.enumerate() {
            let visible = spec.visible(queries.position_of(i));
            let capped = spec.softcap.is_some().then_some(capped);
            let sum = s.splat(1.0 / weights(s, spec, row, first, visible, capped));
            for chunk in row.as_chunks_mut::<LANES>().0 {
                s.store(s.mul(s.load(chunk), sum), chunk);
            }
        }
    }

    /// `d_score = weight * (d_weight - d_out . out) * scale`, times the slope of the soft cap.
    #[inline(always)]
    fn score_gradients<S: Simd>(
        &mut self,
        s: S,
        head: usize,
        first: usize,
        rows: usize,
        width: usize,
    ) {
        let (spec, padded) = (self.task.spec, self.task.spec.padded_dim());
        let out = self.gradients.out;
        let out = Rows(out.0, out.1 + head * spec.head_dim, out.2);
        let scratch = &mut *self.scratch;
        for i in 0..rows {
            let d_out = &scratch.d_out[i * padded..i * padded + spec.head_dim];
            let shared = s.splat(dot(s, d_out, out.row(first + i, spec.head_dim)));
            let place = i * width..(i + 1) * width;
            let weights = scratch.scores[place.clone()].as_chunks::<LANES>().0;
            let capped = scratch.capped[place.clone()].as_chunks::<LANES>().0;
            let d_scores = scratch.d_scores[place].as_chunks_mut::<LANES>().0;
            for ((weight, capped), d_score) in weights.iter().zip(capped).zip(d_scores) {
                let inner = s.mul(s.load(weight), s.sub(s.load(d_score), shared));
                let mut d = s.mul(inner, s.splat(spec.scale));
                if let Some(cap) = spec.softcap {
                    let t = s.div(s.load(capped), s.splat(cap));
                    d = s.mul(d, s.sub(s.splat(1.0), s.mul(t, t)));
                }
                s.store(d, d_score);
            }
        }
    }

    #[inline(always)]
    fn add_gradients<S: Simd>(
        &mut self,
        s: S,
        head: usize,
        first: usize,
        rows: usize,
        pages: Range<usize>,
    ) {
        let (dim, padded) = (self.task.spec.head_dim, self.task.spec.padded_dim());
        let (width, start) = (pages.len() * PAGE, pages.start * PAGE * padded);
        let scratch = &mut *self.scratch;
        let rows_of = |a: &[f32], b: &[f32], depth: usize, turned: bool| Factors {
            depth,
            a: a.as_ptr(),
            a_row: if turned { 1 } else { width },
            a_col: if turned { width } else { 1 },
            b: [b.as_ptr()],
            b_row: padded,
        };
        let out = |at: *mut f32, add| Out { at, row: padded, width: padded, add };
        let (d_keys, d_values) =
            (&mut self.pages.d_keys[start..], &mut self.pages.d_values[start..]);
        assert!(d_keys.len() >= width * padded && d_values.len() >= width * padded);
        let key_rows = &self.pages.key_rows[start..start + width * padded];
        // SAFETY: every buffer was sized in `load_block` and `fill_for_backward` for these shapes,
        // and the padding of each row is readable.
        unsafe {
            let d_queries = scratch.d_queries.as_mut_ptr();
            let by_key = rows_of(&scratch.d_scores, key_rows, width, false);
            small_product(s, rows, by_key, out(d_queries, false));
            let by_query = rows_of(&scratch.d_scores, &scratch.queries, rows, true);
            small_product(s, width, by_query, out(d_keys.as_mut_ptr(), true));
            let by_output = rows_of(&scratch.scores, &scratch.d_out, rows, true);
            small_product(s, width, by_output, out(d_values.as_mut_ptr(), true));
            let (at, stride) = self.gradients.d_q;
            for i in 0..rows {
                let to = at.add((first + i) * stride + head * dim);
                let row = &scratch.d_queries[i * padded..i * padded + dim];
                std::slice::from_raw_parts_mut(to, dim).copy_from_slice(row);
            }
        }
    }
}

/// Sum of products in sixteen lanes.
#[inline(always)]
pub(super) fn dot<S: Simd>(s: S, a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sum = s.zero();
    for (a, b) in a.iter().zip(b) {
        sum = s.fma(s.load(a), s.load(b), sum);
    }
    if !a_rest.is_empty() {
        sum = s.fma(s.load_partial(a_rest), s.load_partial(b_rest), sum);
    }
    s.reduce_add(sum)
}
