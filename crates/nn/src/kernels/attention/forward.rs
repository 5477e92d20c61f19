//! The forward pass: scores, weights and weighted values of a few queries at a time.
#![allow(unsafe_code)]

use std::ops::Range;

use super::pages::{AttentionSpec, PAGE, PagedHead, Queries};
use super::task::{SCRATCH, Scratch};
use crate::kernels::math;
use crate::kernels::matmul::{Factors, K_BLOCK, chains};
use crate::kernels::simd::{Kernel, LANES, Path, Simd};

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

/// `scores[i][t] = query i . key t` for the tokens of `pages`.
#[inline(always)]
pub(super) fn page_products<S: Simd>(
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
pub(super) fn weights<S: Simd>(
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
