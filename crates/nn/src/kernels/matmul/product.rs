//! The product itself: blocks of rows against blocks of panels, on several threads.
#![allow(unsafe_code)]

use std::cell::RefCell;

use rayon::prelude::*;

use super::pack::{Panels, Strided, sixteen, sixteen_mut};
use super::tile::{Factors, Out, by_height};
use super::{K_BLOCK, PANEL, SERIAL_BELOW};
use crate::kernels::aligned::AlignedVec;
use crate::kernels::simd::{Kernel, LANES, Path, Simd};

/// Rows that are packed together, as a multiple of the rows of a tile.
const TILES_PER_BLOCK: usize = 8;
/// Panels that are multiplied with a block of rows before the next rows are taken up.
const PANELS_PER_BLOCK: usize = 4;

/// `c = a * b`, or `c += a * b` where `accumulate`; `c` has m rows `c_row` apart.
pub(crate) fn matmul(
    path: Path,
    m: usize,
    a: Strided<'_>,
    b: Panels<'_>,
    c: &mut [f32],
    c_row: usize,
    accumulate: bool,
) {
    let (k, n) = (b.k, b.n);
    if m == 0 || n == 0 || k == 0 {
        return;
    }
    a.assert_holds(m, k);
    assert!((m - 1) * c_row + n <= c.len() && n <= c_row, "the product does not fit its slice");
    let product = Product { m, a, b, c: Shared(c.as_mut_ptr()), c_row, accumulate };
    let rows = path.run(BlockRows) * TILES_PER_BLOCK;
    let (row_blocks, panels) = (m.div_ceil(rows), n.div_ceil(PANEL));
    if m * n * k < SERIAL_BELOW || rayon::current_num_threads() == 1 {
        for block in 0..row_blocks {
            product.block(path, block * rows..(block * rows + rows).min(m), 0..panels);
        }
        return;
    }
    let wanted = 2 * rayon::current_num_threads();
    let column_blocks = wanted.div_ceil(row_blocks).min(panels);
    let per = panels.div_ceil(column_blocks);
    (0..row_blocks * column_blocks).into_par_iter().with_max_len(1).for_each(|task| {
        let (i, j) = (task / column_blocks, task % column_blocks);
        let columns = (j * per).min(panels)..(j * per + per).min(panels);
        product.block(path, i * rows..(i * rows + rows).min(m), columns);
    });
}

struct BlockRows;

impl Kernel for BlockRows {
    type Output = usize;
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        S::TILE_ROWS
    }
}

/// A destination that several threads write in disjoint places.
#[derive(Clone, Copy)]
struct Shared(*mut f32);

// SAFETY: blocks of one product cover disjoint rows and columns of the destination.
unsafe impl Send for Shared {}
// SAFETY: as above; nothing is read through it by another thread.
unsafe impl Sync for Shared {}

#[derive(Clone, Copy)]
struct Product<'a> {
    m: usize,
    a: Strided<'a>,
    b: Panels<'a>,
    c: Shared,
    c_row: usize,
    accumulate: bool,
}

thread_local! {
    static PACKED_ROWS: RefCell<AlignedVec> = RefCell::default();
}

impl Product<'_> {
    fn block(&self, path: Path, rows: std::ops::Range<usize>, panels: std::ops::Range<usize>) {
        PACKED_ROWS.with_borrow_mut(|packed| {
            let product = *self;
            path.run(Block { product, rows, panels, packed });
        });
    }
}

struct Block<'a> {
    product: Product<'a>,
    rows: std::ops::Range<usize>,
    panels: std::ops::Range<usize>,
    packed: &'a mut AlignedVec,
}

impl Kernel for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let k = self.product.b.k;
        // One tile of rows that lie in memory as they are read needs no packing.
        let in_place = self.product.m <= S::TILE_ROWS;
        if !in_place {
            self.packed.ensure(self.rows.len().next_multiple_of(S::TILE_ROWS) * K_BLOCK + LANES);
        }
        for k0 in (0..k).step_by(K_BLOCK) {
            let depth = K_BLOCK.min(k - k0);
            if !in_place {
                self.product.pack_rows(s, &self.rows, k0, depth, self.packed);
            }
            let mut first = self.panels.start;
            while first < self.panels.end {
                let last = (first + PANELS_PER_BLOCK).min(self.panels.end);
                for (t, row) in self.rows.clone().step_by(S::TILE_ROWS).enumerate() {
                    let height = S::TILE_ROWS.min(self.rows.end - row);
                    let packed =
                        &self.packed[if in_place { 0 } else { t * S::TILE_ROWS * depth }..];
                    for panel in first..last {
                        let tile = Tile { row, height, panel, k0, depth };
                        self.product.tile(s, tile, (!in_place).then_some(packed));
                    }
                }
                first = last;
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Tile {
    row: usize,
    height: usize,
    panel: usize,
    k0: usize,
    depth: usize,
}

impl Product<'_> {
    /// Tile after tile, each column of a tile's rows side by side.
    #[inline(always)]
    fn pack_rows<S: Simd>(
        &self,
        s: S,
        rows: &std::ops::Range<usize>,
        k0: usize,
        depth: usize,
        out: &mut [f32],
    ) {
        for (t, row) in rows.clone().step_by(S::TILE_ROWS).enumerate() {
            let height = S::TILE_ROWS.min(rows.end - row);
            let tile = &mut out[t * S::TILE_ROWS * depth..];
            let at = |i: usize, kk: usize| (row + i) * self.a.row + (k0 + kk) * self.a.col;
            let whole = if self.a.col == 1 { depth / LANES * LANES } else { 0 };
            for kk in (0..whole).step_by(LANES) {
                // Rows beyond the tile repeat its last one; what they give is overwritten by the
                // next column or lies in the padding.
                let lines = std::array::from_fn(|i| {
                    s.load(sixteen(self.a.data, at(i.min(height - 1), kk)))
                });
                for (j, column) in s.transpose(lines).into_iter().enumerate() {
                    s.store(column, sixteen_mut(tile, (kk + j) * height));
                }
            }
            for kk in whole..depth {
                for i in 0..height {
                    tile[kk * height + i] = self.a.data[at(i, kk)];
                }
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd>(&self, s: S, tile: Tile, packed: Option<&[f32]>) {
        let b = &self.b.data[tile.panel * self.b.k * PANEL + tile.k0 * PANEL..];
        assert!(b.len() >= tile.depth * PANEL);
        let (a, a_row, a_col) = match packed {
            Some(packed) => {
                assert!(packed.len() >= tile.depth * tile.height);
                (packed.as_ptr(), 1, tile.height)
            }
            None => {
                let start = tile.row * self.a.row + tile.k0 * self.a.col;
                (self.a.data[start..].as_ptr(), self.a.row, self.a.col)
            }
        };
        let groups = S::TILE_GROUPS;
        for group in (0..PANEL / LANES).step_by(groups) {
            let column = tile.panel * PANEL + group * LANES;
            if column >= self.b.n {
                break;
            }
            let out = Out {
                // SAFETY: `matmul` asserted that every element of the product fits.
                at: unsafe { self.c.0.add(tile.row * self.c_row + column) },
                row: self.c_row,
                width: (self.b.n - column).min(groups * LANES),
                add: self.accumulate || tile.k0 > 0,
            };
            // SAFETY: `matmul` asserted that rows and columns lie inside the left factor, the packed
            // rows and the panel were checked above, and `out` is this tile's alone.
            unsafe {
                let factors = Factors {
                    depth: tile.depth,
                    a,
                    a_row,
                    a_col,
                    b: [b.as_ptr().add(group * LANES), b.as_ptr().add(group * LANES + LANES)],
                    b_row: PANEL,
                };
                if groups == 2 {
                    by_height::<S, 2>(s, tile.height, factors, out);
                } else {
                    let b = [factors.b[0]];
                    by_height::<S, 1>(s, tile.height, factors.with(b), out);
                }
            }
        }
    }
}
