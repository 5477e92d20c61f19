//! One tile of a product, held in registers: the chains of fused multiply-adds that fix its bits.
#![allow(unsafe_code)]

use super::K_BLOCK;
use crate::kernels::simd::{LANES, Simd};

/// Where a tile reads: `a` is depth columns of rows, each entry of `b` begins sixteen columns.
#[derive(Clone, Copy)]
pub(crate) struct Factors<const G: usize> {
    pub(crate) depth: usize,
    pub(crate) a: *const f32,
    pub(crate) a_row: usize,
    pub(crate) a_col: usize,
    pub(crate) b: [*const f32; G],
    pub(crate) b_row: usize,
}

impl<const G: usize> Factors<G> {
    pub(crate) fn with<const H: usize>(self, b: [*const f32; H]) -> Factors<H> {
        let Factors { depth, a, a_row, a_col, b_row, .. } = self;
        Factors { depth, a, a_row, a_col, b, b_row }
    }
}

/// Where a tile writes: rows of `width` columns, `row` apart.
#[derive(Clone, Copy)]
pub(crate) struct Out {
    pub(crate) at: *mut f32,
    pub(crate) row: usize,
    pub(crate) width: usize,
    pub(crate) add: bool,
}

/// A whole product of plain factors on the calling thread, for the small products of attention:
/// `c = a * b` with m rows and n columns. The rows of `b` must be readable up to a multiple of
/// sixteen columns.
///
/// # Safety
/// `factors` must cover m rows and n columns over its depth, `out` m rows of n columns.
#[inline(always)]
pub(crate) unsafe fn small_product<S: Simd>(s: S, m: usize, factors: Factors<1>, out: Out) {
    for k0 in (0..factors.depth).step_by(K_BLOCK) {
        let depth = K_BLOCK.min(factors.depth - k0);
        let add = out.add || k0 > 0;
        let mut column = 0;
        while column < out.width {
            let groups = if S::TILE_GROUPS == 2 && out.width - column > LANES { 2 } else { 1 };
            for row in (0..m).step_by(S::TILE_ROWS) {
                // SAFETY: every tile lies inside what the caller promised.
                unsafe {
                    let b = factors.b[0].add(k0 * factors.b_row + column);
                    let a = factors.a.add(row * factors.a_row + k0 * factors.a_col);
                    let part = Factors { depth, a, b: [b], ..factors };
                    let at = out.at.add(row * out.row + column);
                    let width = (out.width - column).min(groups * LANES);
                    let place = Out { at, width, add, ..out };
                    let height = S::TILE_ROWS.min(m - row);
                    if groups == 2 {
                        by_height(s, height, part.with([b, b.add(LANES)]), place);
                    } else {
                        by_height(s, height, part, place);
                    }
                }
            }
            column += groups * LANES;
        }
    }
}

/// # Safety
/// As [`chains`] for `height` rows, and `out` must have room for them.
#[inline(always)]
pub(super) unsafe fn by_height<S: Simd, const G: usize>(
    s: S,
    height: usize,
    factors: Factors<G>,
    out: Out,
) {
    macro_rules! heights {
        ($($m:literal)*) => {
            match height {
                // SAFETY: the caller's promise, handed on.
                $($m if $m <= S::TILE_ROWS => unsafe { finish::<S, $m, G>(s, factors, out) },)*
                _ => unreachable!("a tile has 1 to {} rows", S::TILE_ROWS),
            }
        };
    }
    heights!(14 13 12 11 10 9 8 7 6 5 4 3 2 1)
}

/// # Safety
/// As [`chains`], and `out` must have room for `M` rows.
#[inline(always)]
unsafe fn finish<S: Simd, const M: usize, const G: usize>(s: S, factors: Factors<G>, out: Out) {
    // SAFETY: the caller promises that the factors cover `M` rows and `G` vectors of columns over
    // their depth, and that `out` has room for `M` rows of `width` columns.
    unsafe {
        let sums = chains(s, factors, [[s.zero(); G]; M]);
        for (i, row) in sums.into_iter().enumerate() {
            for (g, sum) in row.into_iter().enumerate() {
                let first = g * LANES;
                if first >= out.width {
                    break;
                }
                let at = out.at.add(i * out.row + first);
                let width = (out.width - first).min(LANES);
                let place = std::slice::from_raw_parts_mut(at, width);
                if let Some(place) = place.first_chunk_mut::<LANES>() {
                    let sum = if out.add { s.add(s.load(place), sum) } else { sum };
                    s.store(sum, place);
                } else {
                    let sum = if out.add { s.add(s.load_partial(place), sum) } else { sum };
                    s.store_partial(sum, place);
                }
            }
        }
    }
}

/// Continues the chains of one tile: fused multiply-adds of `a[i][k] * b[k][g]` in order of k.
///
/// # Safety
/// `a` must cover `M` rows and `b` sixteen columns for each of its entries, over `depth` steps.
#[inline(always)]
pub(crate) unsafe fn chains<S: Simd, const M: usize, const G: usize>(
    s: S,
    factors: Factors<G>,
    mut sums: [[S::V; G]; M],
) -> [[S::V; G]; M] {
    let (mut a, mut b) = (factors.a, factors.b);
    for _ in 0..factors.depth {
        // SAFETY: the caller promises `M` rows and `G` vectors of columns over `depth` steps; the
        // pointers are advanced with `wrapping_add` because the last step points past the end.
        unsafe {
            let columns = b.map(|b| s.load(&*b.cast::<[f32; LANES]>()));
            for (i, row) in sums.iter_mut().enumerate() {
                let x = s.splat(*a.add(i * factors.a_row));
                for (sum, &column) in row.iter_mut().zip(&columns) {
                    *sum = s.fma(x, column, *sum);
                }
            }
        }
        a = a.wrapping_add(factors.a_col);
        b = b.map(|b| b.wrapping_add(factors.b_row));
    }
    sums
}
