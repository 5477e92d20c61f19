//! One key head of one training sequence: its pages, and the query heads that share it.
#![allow(unsafe_code)]

use std::cell::RefCell;

use super::backward::Backward;
use super::forward::attend;
use super::pages::{
    AttentionSpec, PAGE, PagedHead, Queries, key_page_len, value_page_len, write_key, write_value,
};
use crate::kernels::aligned::AlignedVec;
use crate::kernels::simd::Path;

/// Rows of one training sequence: token i of tensor x is at `x.0[x.1 + i * x.2]`.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a>(pub(crate) &'a [f32], pub(crate) usize, pub(crate) usize);

impl<'a> Rows<'a> {
    pub(super) fn row(&self, i: usize, len: usize) -> &'a [f32] {
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

    pub(super) fn queries(&self, head: usize, first: usize, len: usize) -> Queries<'_> {
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
pub(super) struct TaskPages {
    pub(super) table: Vec<u32>,
    pub(super) keys: AlignedVec,
    pub(super) values: AlignedVec,
    pub(super) key_rows: AlignedVec,
    pub(super) value_columns: AlignedVec,
    pub(super) d_keys: AlignedVec,
    pub(super) d_values: AlignedVec,
    pub(super) key_len: usize,
    pub(super) value_len: usize,
}

thread_local! {
    static PAGES: RefCell<TaskPages> = RefCell::default();
    pub(super) static SCRATCH: RefCell<Scratch> = RefCell::default();
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

    pub(super) fn keys(&self) -> PagedHead<'_> {
        self.head(&self.keys, self.key_len)
    }

    fn values(&self) -> PagedHead<'_> {
        self.head(&self.values, self.value_len)
    }

    pub(super) fn head<'a>(&'a self, data: &'a [f32], page_len: usize) -> PagedHead<'a> {
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
pub(super) fn reset(buffer: &mut AlignedVec, len: usize) {
    buffer.ensure(len);
    buffer[..len].fill(0.0);
}

#[derive(Default)]
pub(super) struct Scratch {
    /// Scores, then weights, of a block of queries.
    pub(super) scores: AlignedVec,
    /// Scores after the soft cap, where there is one.
    pub(super) capped: AlignedVec,
    /// Gradient of the weights, then of the scores.
    pub(super) d_scores: AlignedVec,
    pub(super) queries: AlignedVec,
    pub(super) d_out: AlignedVec,
    pub(super) d_queries: AlignedVec,
}
