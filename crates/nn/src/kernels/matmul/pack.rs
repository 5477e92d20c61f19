//! Matrices as the products read them: anywhere in a slice, or cut into panels of 32 columns.

use rayon::prelude::*;

use super::{PANEL, SERIAL_BELOW};
use crate::kernels::simd::{Kernel, LANES, Path, Simd};

/// A matrix somewhere inside a slice: element (i, j) is at `i * row + j * col`.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a> {
    /// Holds the elements.
    pub(crate) data: &'a [f32],
    /// Distance between rows.
    pub(crate) row: usize,
    /// Distance between columns.
    pub(crate) col: usize,
}

impl Strided<'_> {
    pub(super) fn assert_holds(&self, rows: usize, cols: usize) {
        let last = (rows.max(1) - 1) * self.row + (cols.max(1) - 1) * self.col;
        assert!(last < self.data.len(), "a {rows}x{cols} matrix does not fit its slice");
    }
}

/// A right factor (k rows, n columns) cut into panels of 32 columns, the last padded with zeros.
#[derive(Clone, Copy)]
pub(crate) struct Panels<'a> {
    pub(super) data: &'a [f32],
    pub(super) k: usize,
    pub(super) n: usize,
}

impl<'a> Panels<'a> {
    /// Length of the storage for a k x n factor.
    pub(crate) fn len_for(k: usize, n: usize) -> usize {
        n.div_ceil(PANEL) * PANEL * k
    }

    /// Storage that [`pack`] has filled.
    pub(crate) fn new(data: &'a [f32], k: usize, n: usize) -> Self {
        assert!(data.len() >= Panels::len_for(k, n), "panels of {k}x{n} do not fit their slice");
        Panels { data, k, n }
    }
}

/// Cuts the right factor `b` (k rows, n columns) into panels.
pub(crate) fn pack(path: Path, b: Strided<'_>, k: usize, n: usize, out: &mut [f32]) {
    b.assert_holds(k, n);
    let out = &mut out[..Panels::len_for(k, n)];
    let one = |(p, panel): (usize, &mut [f32])| {
        let columns = p * PANEL..(p * PANEL + PANEL).min(n);
        path.run(PackPanel { b, k, columns, panel });
    };
    if k * n < SERIAL_BELOW / 8 {
        out.chunks_mut(k * PANEL).enumerate().for_each(one);
    } else {
        out.par_chunks_mut(k * PANEL).enumerate().for_each(one);
    }
}

struct PackPanel<'a> {
    b: Strided<'a>,
    k: usize,
    columns: std::ops::Range<usize>,
    panel: &'a mut [f32],
}

impl Kernel for PackPanel<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let width = self.columns.len();
        if self.b.row == 1 && width == PANEL && self.b.col > 1 {
            return self.transpose(s);
        }
        for (kk, out) in self.panel.chunks_exact_mut(PANEL).enumerate() {
            let start = kk * self.b.row + self.columns.start * self.b.col;
            if self.b.col == 1 {
                out[..width].copy_from_slice(&self.b.data[start..start + width]);
            } else {
                for (j, x) in out[..width].iter_mut().enumerate() {
                    *x = self.b.data[start + j * self.b.col];
                }
            }
            out[width..].fill(0.0);
        }
    }
}

impl PackPanel<'_> {
    /// The columns of a full panel are contiguous in memory: turn blocks of 16 x 16.
    #[inline(always)]
    fn transpose<S: Simd>(self, s: S) {
        let whole = self.k / LANES * LANES;
        for half in 0..2 {
            let column = |j: usize| (self.columns.start + half * LANES + j) * self.b.col;
            for k0 in (0..whole).step_by(LANES) {
                let rows = std::array::from_fn(|j| s.load(sixteen(self.b.data, column(j) + k0)));
                for (i, row) in s.transpose(rows).into_iter().enumerate() {
                    let at = (k0 + i) * PANEL + half * LANES;
                    s.store(row, sixteen_mut(self.panel, at));
                }
            }
            for kk in whole..self.k {
                for j in 0..LANES {
                    self.panel[kk * PANEL + half * LANES + j] = self.b.data[column(j) + kk];
                }
            }
        }
    }
}

#[inline(always)]
pub(super) fn sixteen(data: &[f32], at: usize) -> &[f32; LANES] {
    data[at..].first_chunk().expect("bounds were checked for the whole matrix")
}

#[inline(always)]
pub(super) fn sixteen_mut(data: &mut [f32], at: usize) -> &mut [f32; LANES] {
    data[at..].first_chunk_mut().expect("bounds were checked for the whole panel")
}
