//! Matrix products with one order of summation.
//!
//! An element of a product is the sum over blocks of [`K_BLOCK`] of chains of fused multiply-adds in
//! order of k. That order does not depend on how many rows there are, how the work is cut into tiles
//! or which thread does it, so a row of a product is the same bits alone, in a decoding batch of
//! eight and in a training batch of two thousand. This is what makes sampled log-probs equal to
//! recomputed ones exactly, and it is why the products are written here rather than taken from a
//! library, whose order depends on shape, cache sizes and row count.
//!
//! The scheme is the usual one (Goto and van de Geijn 2008): the right factor is packed into panels
//! 32 columns wide, the left one into tiles of as many rows as fit the registers.
#![allow(unsafe_code)]

use std::cell::RefCell;

use rayon::prelude::*;

use super::aligned::AlignedVec;
use super::simd::{Kernel, LANES, Path, Simd};

/// Length of a chain of fused multiply-adds. Part of the arithmetic: another value, other bits.
pub(crate) const K_BLOCK: usize = 512;
/// Columns of a panel.
pub(crate) const PANEL: usize = 2 * LANES;
/// Rows that are packed together, as a multiple of the rows of a tile.
const TILES_PER_BLOCK: usize = 8;
/// Panels that are multiplied with a block of rows before the next rows are taken up.
const PANELS_PER_BLOCK: usize = 4;
/// Products with fewer multiplications than this stay on the calling thread.
const SERIAL_BELOW: usize = 200_000;

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
    fn assert_holds(&self, rows: usize, cols: usize) {
        let last = (rows.max(1) - 1) * self.row + (cols.max(1) - 1) * self.col;
        assert!(last < self.data.len(), "a {rows}x{cols} matrix does not fit its slice");
    }
}

/// A right factor (k rows, n columns) cut into panels of 32 columns, the last padded with zeros.
#[derive(Clone, Copy)]
pub(crate) struct Panels<'a> {
    data: &'a [f32],
    k: usize,
    n: usize,
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
fn sixteen(data: &[f32], at: usize) -> &[f32; LANES] {
    data[at..].first_chunk().expect("bounds were checked for the whole matrix")
}

#[inline(always)]
fn sixteen_mut(data: &mut [f32], at: usize) -> &mut [f32; LANES] {
    data[at..].first_chunk_mut().expect("bounds were checked for the whole panel")
}

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

/// Where a tile reads: `a` is depth columns of rows, each entry of `b` begins sixteen columns.
#[derive(Clone, Copy)]
pub(super) struct Factors<const G: usize> {
    pub(super) depth: usize,
    pub(super) a: *const f32,
    pub(super) a_row: usize,
    pub(super) a_col: usize,
    pub(super) b: [*const f32; G],
    pub(super) b_row: usize,
}

impl<const G: usize> Factors<G> {
    pub(super) fn with<const H: usize>(self, b: [*const f32; H]) -> Factors<H> {
        let Factors { depth, a, a_row, a_col, b_row, .. } = self;
        Factors { depth, a, a_row, a_col, b, b_row }
    }
}

/// Where a tile writes: rows of `width` columns, `row` apart.
#[derive(Clone, Copy)]
pub(super) struct Out {
    pub(super) at: *mut f32,
    pub(super) row: usize,
    pub(super) width: usize,
    pub(super) add: bool,
}

/// A whole product of plain factors on the calling thread, for the small products of attention:
/// `c = a * b` with m rows and n columns. The rows of `b` must be readable up to a multiple of
/// sixteen columns.
///
/// # Safety
/// `factors` must cover m rows and n columns over its depth, `out` m rows of n columns.
#[inline(always)]
pub(super) unsafe fn small_product<S: Simd>(s: S, m: usize, factors: Factors<1>, out: Out) {
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
unsafe fn by_height<S: Simd, const G: usize>(s: S, height: usize, factors: Factors<G>, out: Out) {
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
pub(super) unsafe fn chains<S: Simd, const M: usize, const G: usize>(
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

#[cfg(test)]
mod tests {
    use super::*;
    use stateset_core::{Purpose, RunSeed, StreamKey};

    fn random(len: usize, salt: u32) -> Vec<f32> {
        let key = StreamKey { step: salt, ..StreamKey::default() };
        let mut stream = RunSeed(1).stream(Purpose::Data, key);
        (0..len).map(|_| stream.uniform(-1.0, 1.0) as f32).collect()
    }

    /// The definition: chains of `K_BLOCK`, summed in order.
    fn naive(m: usize, n: usize, k: usize, a: Strided, b: Strided, c: &mut [f32], add: bool) {
        for i in 0..m {
            for j in 0..n {
                let mut total = if add { Some(c[i * n + j]) } else { None };
                for k0 in (0..k).step_by(K_BLOCK) {
                    let mut chain = 0.0f32;
                    for kk in k0..(k0 + K_BLOCK).min(k) {
                        let x = a.data[i * a.row + kk * a.col];
                        chain = x.mul_add(b.data[kk * b.row + j * b.col], chain);
                    }
                    total = Some(total.map_or(chain, |t| t + chain));
                }
                c[i * n + j] = total.unwrap();
            }
        }
    }

    #[test]
    fn every_path_gives_the_bits_of_the_definition() {
        let shapes = [
            (1, 1, 1),
            (1, 33, 5),
            (2, 31, 17),
            (3, 64, 64),
            (5, 40, 600),
            (14, 32, 512),
            (15, 96, 33),
            (29, 70, 1030),
            (120, 65, 48),
            (230, 129, 20),
        ];
        for (m, n, k) in shapes {
            for (a_turned, b_turned) in [(false, false), (true, false), (false, true), (true, true)]
            {
                let (a, b, c0) = (random(m * k, 1), random(k * n, 2), random(m * n, 3));
                let a = if a_turned {
                    Strided { data: &a, row: 1, col: m }
                } else {
                    Strided { data: &a, row: k, col: 1 }
                };
                let b = if b_turned {
                    Strided { data: &b, row: 1, col: k }
                } else {
                    Strided { data: &b, row: n, col: 1 }
                };
                for add in [false, true] {
                    let mut expected = c0.clone();
                    naive(m, n, k, a, b, &mut expected, add);
                    for path in Path::available() {
                        let mut panels = vec![f32::NAN; Panels::len_for(k, n)];
                        pack(path, b, k, n, &mut panels);
                        let mut c = c0.clone();
                        matmul(path, m, a, Panels::new(&panels, k, n), &mut c, n, add);
                        assert!(c == expected, "{m}x{n}x{k} on {}", path.name());
                    }
                }
            }
        }
    }

    #[test]
    #[ignore]
    fn speed() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        pool.install(|| {
            for (m, n, k) in [
                (2048, 512, 512),
                (2048, 2752, 512),
                (2048, 512, 1376),
                (2048, 8192, 512),
                (6784, 384, 128),
                (6784, 128, 384),
                (512, 2048, 2048),
                (8, 2752, 512),
                (8, 8192, 512),
                (64, 384, 128),
                (1, 512, 512),
            ] {
                let (a, b) = (random(m * k, 1), random(n * k, 2));
                let mut c = vec![0.0; m * n];
                let path = Path::best();
                let mut panels = vec![0.0; Panels::len_for(k, n)];
                let f = 2.0 * (m * n * k) as f64 / 1e9;
                let time = |g: &mut dyn FnMut()| {
                    let reps = (2.0 / f).ceil().max(2.0) as usize;
                    let mut best = f64::MAX;
                    for _ in 0..5 {
                        let t = std::time::Instant::now();
                        for _ in 0..reps {
                            g();
                        }
                        best = best.min(t.elapsed().as_secs_f64() / reps as f64);
                    }
                    best
                };
                let t = time(&mut || {
                    pack(path, Strided { data: &b, row: 1, col: k }, k, n, &mut panels)
                });
                let t2 = time(&mut || {
                    matmul(
                        path,
                        m,
                        Strided { data: &a, row: k, col: 1 },
                        Panels::new(&panels, k, n),
                        &mut c,
                        n,
                        false,
                    )
                });
                let at = random(m * k, 1);
                let t3 = time(&mut || {
                    matmul(
                        path,
                        m,
                        Strided { data: &at, row: 1, col: m },
                        Panels::new(&panels, k, n),
                        &mut c,
                        n,
                        false,
                    )
                });
                println!(
                    "{m}x{n}x{k}: pack {:.3} ms, {:.0} GFLOP/s, a transposed {:.0}",
                    t * 1e3,
                    f / t2,
                    f / t3
                );
            }
        });
    }
}
