//! Sixteen `f32` lanes on three kinds of machine, with one arithmetic.
//!
//! A kernel is written once over [`Simd`] and compiled for AVX-512, for AVX2 with FMA, and portably
//! (where the compiler turns the arrays into whatever the target has, NEON included). Every path has
//! sixteen lanes, fuses the same multiplications and sums lanes in the same tree, so all paths give
//! the same bits; what differs is speed alone.
//!
//! Values of the token types exist only where the CPU has the instructions, so the lane operations
//! are safe to call. The unsafe blocks below all lean on that one fact.
#![allow(unsafe_code)]

/// Lanes of a vector.
pub(crate) const LANES: usize = 16;

/// A set of instructions this CPU has. Values come from [`Path::best`] and [`Path::available`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Path {
    /// The fastest path this CPU has.
    pub fn best() -> Path {
        let available = Path::available();
        available[available.len() - 1]
    }

    /// Every path this CPU has, slowest first; never empty.
    pub fn available() -> Vec<Path> {
        #[allow(unused_mut, reason = "other architectures have the portable path only")]
        let mut paths = vec![Path(Kind::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                paths.push(Path(Kind::Avx2));
                if is_x86_feature_detected!("avx512f") {
                    paths.push(Path(Kind::Avx512));
                }
            }
        }
        paths
    }

    /// `portable`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
        }
    }

    /// Runs `kernel` with the instructions of this path switched on.
    #[inline]
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Kind::Portable => kernel.run(Portable(())),
            // SAFETY: a `Path` of this kind is only made after the CPU said it has AVX2 and FMA.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { x86::run_avx2(kernel) },
            // SAFETY: a `Path` of this kind is only made after the CPU said it has AVX-512F.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { x86::run_avx512(kernel) },
        }
    }
}

/// A computation written once for every path. `run` must be `#[inline(always)]`.
pub(crate) trait Kernel {
    /// What it returns.
    type Output;
    /// Does it.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Operations on sixteen lanes. Implementations are inlined into the kernels.
pub(crate) trait Simd: Copy + Send + Sync {
    /// Sixteen lanes.
    type V: Copy;
    /// Rows of a matmul tile that fit the registers when the tile is `TILE_GROUPS` vectors wide.
    const TILE_ROWS: usize;
    /// Vectors of a matmul tile side by side; 1 or 2.
    const TILE_GROUPS: usize;

    /// `x` in every lane.
    fn splat(self, x: f32) -> Self::V;
    /// Reads sixteen numbers.
    fn load(self, x: &[f32; LANES]) -> Self::V;
    /// Writes sixteen numbers.
    fn store(self, v: Self::V, out: &mut [f32; LANES]);
    /// `a + b`.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a - b`.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b`.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a / b`.
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The larger of each pair; `b` where either is NaN.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// The smaller of each pair; `b` where either is NaN.
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// Square root.
    fn sqrt(self, a: Self::V) -> Self::V;
    /// `yes` where `a < b`, else `no`.
    fn select_lt(self, a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V;
    /// 2 to the power `n`, for whole numbers `n` in -126..=127.
    fn exp2_whole(self, n: Self::V) -> Self::V;

    /// Turns sixteen rows into sixteen columns.
    #[inline(always)]
    fn transpose(self, rows: [Self::V; LANES]) -> [Self::V; LANES] {
        let mut flat = [[0.0f32; LANES]; LANES];
        for (row, out) in rows.into_iter().zip(&mut flat) {
            self.store(row, out);
        }
        std::array::from_fn(|j| self.load(&std::array::from_fn(|i| flat[i][j])))
    }

    /// Zero in every lane.
    #[inline(always)]
    fn zero(self) -> Self::V {
        self.splat(0.0)
    }

    /// Reads up to sixteen numbers, zero in the lanes beyond.
    #[inline(always)]
    fn load_partial(self, x: &[f32]) -> Self::V {
        let mut lanes = [0.0; LANES];
        lanes[..x.len()].copy_from_slice(x);
        self.load(&lanes)
    }

    /// Writes the first `out.len()` lanes, at most sixteen.
    #[inline(always)]
    fn store_partial(self, v: Self::V, out: &mut [f32]) {
        let mut lanes = [0.0; LANES];
        self.store(v, &mut lanes);
        out.copy_from_slice(&lanes[..out.len()]);
    }

    /// Sum of the lanes, halves onto halves.
    #[inline(always)]
    fn reduce_add(self, v: Self::V) -> f32 {
        reduce(self, v, |a, b| a + b)
    }

    /// Largest lane.
    #[inline(always)]
    fn reduce_max(self, v: Self::V) -> f32 {
        reduce(self, v, f32::max)
    }
}

#[inline(always)]
fn reduce<S: Simd>(simd: S, v: S::V, combine: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0; LANES];
    simd.store(v, &mut lanes);
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = combine(lanes[i], lanes[i + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// The path without special instructions.
#[derive(Clone, Copy)]
pub(crate) struct Portable(());

impl Portable {
    #[inline(always)]
    fn zip(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
        std::array::from_fn(|i| f(a[i], b[i]))
    }
}

impl Simd for Portable {
    type V = [f32; LANES];
    const TILE_ROWS: usize = 4;
    const TILE_GROUPS: usize = 1;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::V {
        [x; LANES]
    }
    #[inline(always)]
    fn load(self, x: &[f32; LANES]) -> Self::V {
        *x
    }
    #[inline(always)]
    fn store(self, v: Self::V, out: &mut [f32; LANES]) {
        *out = v;
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        Portable::zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        Portable::zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        Portable::zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        Portable::zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
    }
    #[inline(always)]
    fn max(self, a: Self::V, b: Self::V) -> Self::V {
        Portable::zip(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, a: Self::V, b: Self::V) -> Self::V {
        Portable::zip(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn sqrt(self, a: Self::V) -> Self::V {
        a.map(f32::sqrt)
    }
    #[inline(always)]
    fn select_lt(self, a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V {
        std::array::from_fn(|i| if a[i] < b[i] { yes[i] } else { no[i] })
    }
    #[inline(always)]
    fn exp2_whole(self, n: Self::V) -> Self::V {
        n.map(|n| f32::from_bits(((n as i32 + 127) << 23) as u32))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{Kernel, LANES, Simd};

    /// AVX2 with FMA: two registers of eight lanes.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx2(());

    /// AVX-512: one register of sixteen lanes.
    #[derive(Clone, Copy)]
    pub(crate) struct Avx512(());

    #[target_feature(enable = "avx2,fma")]
    pub(super) unsafe fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
        kernel.run(Avx2(()))
    }

    #[target_feature(enable = "avx512f,avx2,fma")]
    pub(super) unsafe fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
        kernel.run(Avx512(()))
    }

    macro_rules! lanes {
        ($e:expr) => {{
            // SAFETY: the token exists, so the CPU has the instruction; pointers come from
            // references to whole arrays.
            unsafe { $e }
        }};
    }

    impl Simd for Avx512 {
        type V = __m512;
        const TILE_ROWS: usize = 14;
        const TILE_GROUPS: usize = 2;

        #[inline(always)]
        fn splat(self, x: f32) -> __m512 {
            lanes!(_mm512_set1_ps(x))
        }
        #[inline(always)]
        fn load(self, x: &[f32; LANES]) -> __m512 {
            lanes!(_mm512_loadu_ps(x.as_ptr()))
        }
        #[inline(always)]
        fn store(self, v: __m512, out: &mut [f32; LANES]) {
            lanes!(_mm512_storeu_ps(out.as_mut_ptr(), v))
        }
        #[inline(always)]
        fn add(self, a: __m512, b: __m512) -> __m512 {
            lanes!(_mm512_add_ps(a, b))
        }
        #[inline(always)]
        fn sub(self, a: __m512, b: __m512) -> __m512 {
            lanes!(_mm512_sub_ps(a, b))
        }
        #[inline(always)]
        fn mul(self, a: __m512, b: __m512) -> __m512 {
            lanes!(_mm512_mul_ps(a, b))
        }
        #[inline(always)]
        fn div(self, a: __m512, b: __m512) -> __m512 {
            lanes!(_mm512_div_ps(a, b))
        }
        #[inline(always)]
        fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
            lanes!(_mm512_fmadd_ps(a, b, c))
        }
        #[inline(always)]
        fn max(self, a: __m512, b: __m512) -> __m512 {
            lanes!(_mm512_max_ps(a, b))
        }
        #[inline(always)]
        fn min(self, a: __m512, b: __m512) -> __m512 {
            lanes!(_mm512_min_ps(a, b))
        }
        #[inline(always)]
        fn sqrt(self, a: __m512) -> __m512 {
            lanes!(_mm512_sqrt_ps(a))
        }
        #[inline(always)]
        fn select_lt(self, a: __m512, b: __m512, yes: __m512, no: __m512) -> __m512 {
            lanes!({
                let mask = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b);
                _mm512_mask_blend_ps(mask, no, yes)
            })
        }
        #[inline(always)]
        fn exp2_whole(self, n: __m512) -> __m512 {
            lanes!({
                let biased = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
                _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
            })
        }
        #[inline(always)]
        fn transpose(self, rows: [__m512; LANES]) -> [__m512; LANES] {
            lanes!(transpose_512(rows))
        }
        #[inline(always)]
        fn load_partial(self, x: &[f32]) -> __m512 {
            debug_assert!(x.len() <= LANES);
            let mask = (1u32 << x.len()).wrapping_sub(1) as __mmask16;
            // SAFETY: lanes beyond the slice are masked out and not read.
            unsafe { _mm512_maskz_loadu_ps(mask, x.as_ptr()) }
        }
        #[inline(always)]
        fn store_partial(self, v: __m512, out: &mut [f32]) {
            debug_assert!(out.len() <= LANES);
            let mask = (1u32 << out.len()).wrapping_sub(1) as __mmask16;
            // SAFETY: lanes beyond the slice are masked out and not written.
            unsafe { _mm512_mask_storeu_ps(out.as_mut_ptr(), mask, v) }
        }
    }

    /// Four rounds of pairwise exchange: lanes, pairs of lanes, quarters, halves.
    #[inline(always)]
    unsafe fn transpose_512(rows: [__m512; LANES]) -> [__m512; LANES] {
        // SAFETY: only called with an `Avx512` token at hand; no memory is touched.
        unsafe {
            let pd = |x| _mm512_castps_pd(x);
            let ps = |x| _mm512_castpd_ps(x);
            let mut t = rows;
            for i in (0..LANES).step_by(2) {
                t[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
                t[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
            }
            let mut u = t;
            for i in (0..LANES).step_by(4) {
                u[i] = ps(_mm512_unpacklo_pd(pd(t[i]), pd(t[i + 2])));
                u[i + 1] = ps(_mm512_unpackhi_pd(pd(t[i]), pd(t[i + 2])));
                u[i + 2] = ps(_mm512_unpacklo_pd(pd(t[i + 1]), pd(t[i + 3])));
                u[i + 3] = ps(_mm512_unpackhi_pd(pd(t[i + 1]), pd(t[i + 3])));
            }
            for i in 0..4 {
                t[i] = _mm512_shuffle_f32x4::<0x88>(u[i], u[i + 4]);
                t[i + 4] = _mm512_shuffle_f32x4::<0xdd>(u[i], u[i + 4]);
                t[i + 8] = _mm512_shuffle_f32x4::<0x88>(u[i + 8], u[i + 12]);
                t[i + 12] = _mm512_shuffle_f32x4::<0xdd>(u[i + 8], u[i + 12]);
            }
            for i in 0..8 {
                u[i] = _mm512_shuffle_f32x4::<0x88>(t[i], t[i + 8]);
                u[i + 8] = _mm512_shuffle_f32x4::<0xdd>(t[i], t[i + 8]);
            }
            u
        }
    }

    type Pair = (__m256, __m256);

    #[inline(always)]
    fn both(a: Pair, b: Pair, f: impl Fn(__m256, __m256) -> __m256) -> Pair {
        (f(a.0, b.0), f(a.1, b.1))
    }

    impl Simd for Avx2 {
        type V = Pair;
        const TILE_ROWS: usize = 6;
        const TILE_GROUPS: usize = 1;

        #[inline(always)]
        fn splat(self, x: f32) -> Pair {
            lanes!((_mm256_set1_ps(x), _mm256_set1_ps(x)))
        }
        #[inline(always)]
        fn load(self, x: &[f32; LANES]) -> Pair {
            let p = x.as_ptr();
            lanes!((_mm256_loadu_ps(p), _mm256_loadu_ps(p.add(8))))
        }
        #[inline(always)]
        fn store(self, v: Pair, out: &mut [f32; LANES]) {
            let p = out.as_mut_ptr();
            lanes!({
                _mm256_storeu_ps(p, v.0);
                _mm256_storeu_ps(p.add(8), v.1);
            })
        }
        #[inline(always)]
        fn add(self, a: Pair, b: Pair) -> Pair {
            both(a, b, |a, b| lanes!(_mm256_add_ps(a, b)))
        }
        #[inline(always)]
        fn sub(self, a: Pair, b: Pair) -> Pair {
            both(a, b, |a, b| lanes!(_mm256_sub_ps(a, b)))
        }
        #[inline(always)]
        fn mul(self, a: Pair, b: Pair) -> Pair {
            both(a, b, |a, b| lanes!(_mm256_mul_ps(a, b)))
        }
        #[inline(always)]
        fn div(self, a: Pair, b: Pair) -> Pair {
            both(a, b, |a, b| lanes!(_mm256_div_ps(a, b)))
        }
        #[inline(always)]
        fn fma(self, a: Pair, b: Pair, c: Pair) -> Pair {
            lanes!((_mm256_fmadd_ps(a.0, b.0, c.0), _mm256_fmadd_ps(a.1, b.1, c.1)))
        }
        #[inline(always)]
        fn max(self, a: Pair, b: Pair) -> Pair {
            both(a, b, |a, b| lanes!(_mm256_max_ps(a, b)))
        }
        #[inline(always)]
        fn min(self, a: Pair, b: Pair) -> Pair {
            both(a, b, |a, b| lanes!(_mm256_min_ps(a, b)))
        }
        #[inline(always)]
        fn sqrt(self, a: Pair) -> Pair {
            lanes!((_mm256_sqrt_ps(a.0), _mm256_sqrt_ps(a.1)))
        }
        #[inline(always)]
        fn select_lt(self, a: Pair, b: Pair, yes: Pair, no: Pair) -> Pair {
            let pick = |a, b, yes, no| {
                lanes!(_mm256_blendv_ps(no, yes, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b)))
            };
            (pick(a.0, b.0, yes.0, no.0), pick(a.1, b.1, yes.1, no.1))
        }
        #[inline(always)]
        fn exp2_whole(self, n: Pair) -> Pair {
            let half = |n| {
                lanes!({
                    let biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
                    _mm256_castsi256_ps(_mm256_slli_epi32::<23>(biased))
                })
            };
            (half(n.0), half(n.1))
        }
    }
}
