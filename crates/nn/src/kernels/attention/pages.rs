//! Pages of sixteen tokens, the queries that read them, and what a layer's heads have in common.

use std::ops::Range;

use crate::kernels::simd::LANES;

/// Tokens of a page.
pub(crate) const PAGE: usize = LANES;

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

    pub(super) fn padded_dim(&self) -> usize {
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
    pub(super) fn page(&self, index: usize) -> *const f32 {
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

impl<'a> Queries<'a> {
    pub(super) fn part(&self, first: usize, len: usize) -> Queries<'a> {
        Queries {
            offset: self.offset + first * self.stride,
            position: self.position + first * self.position_step,
            len,
            ..*self
        }
    }

    pub(super) fn position_of(&self, i: usize) -> usize {
        self.position + i * self.position_step
    }

    /// Pages that any of the queries sees.
    pub(super) fn pages(&self, spec: &AttentionSpec) -> Range<usize> {
        let first = spec.visible(self.position).start / PAGE;
        let last = self.position_of(self.len - 1) / PAGE;
        first..last + 1
    }
}
