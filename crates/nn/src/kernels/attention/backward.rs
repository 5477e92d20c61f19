//! The backward pass of one key head: the weights of a block of queries are made again, then their
//! gradients are carried to queries, keys and values.
#![allow(unsafe_code)]

use std::ops::Range;

use super::forward::{page_products, weights};
use super::pages::{PAGE, Queries};
use super::task::{HeadGradients, HeadTask, Rows, Scratch, TaskPages, reset};
use crate::kernels::matmul::{Factors, Out, small_product};
use crate::kernels::simd::{Kernel, LANES, Simd};
use crate::kernels::vector::dot;

/// Queries whose weights are recomputed together in the backward pass.
const QUERY_BLOCK: usize = 28;

pub(super) struct Backward<'a, 'b> {
    pub(super) task: &'a HeadTask<'b>,
    pub(super) gradients: &'a HeadGradients<'b>,
    pub(super) pages: &'a mut TaskPages,
    pub(super) scratch: &'a mut Scratch,
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
