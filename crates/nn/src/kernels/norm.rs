//! RMS and layer normalisation of rows, forward and backward.
//!
//! Sources: Zhang and Sennrich 2019 (arXiv 1910.07467) and Ba et al. 2016 (arXiv 1607.06450). Means
//! are sums in sixteen lanes divided by the width, so a row's result does not depend on its
//! neighbours.

use super::simd::{Kernel, LANES, Simd};
use super::vector::dot;

/// Which normalisation a model uses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NormKind {
    /// `x / rms(x) * weight`.
    Rms,
    /// `x / rms(x) * (1 + weight)`, as Gemma stores its weights.
    RmsPlusOne,
    /// `(x - mean) / std * weight + bias`.
    Layer,
}

/// Normalises one row.
pub(crate) struct NormRow<'a> {
    pub(crate) kind: NormKind,
    pub(crate) eps: f32,
    pub(crate) x: &'a [f32],
    pub(crate) weight: &'a [f32],
    pub(crate) bias: Option<&'a [f32]>,
    pub(crate) out: &'a mut [f32],
}

impl Kernel for NormRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (mean, factor) = statistics(s, self.kind, self.eps, self.x);
        let (mean, factor) = (s.splat(mean), s.splat(factor));
        let plus = s.splat(if self.kind == NormKind::RmsPlusOne { 1.0 } else { 0.0 });
        let bias = self.bias.unwrap_or(&[]);
        for at in (0..self.x.len()).step_by(LANES) {
            let end = (at + LANES).min(self.x.len());
            let normal = s.mul(s.sub(read(s, &self.x[at..end]), mean), factor);
            let weight = s.add(read(s, &self.weight[at..end]), plus);
            let out = match bias.get(at..end) {
                Some(bias) => s.fma(normal, weight, read(s, bias)),
                None => s.mul(normal, weight),
            };
            write(s, out, &mut self.out[at..end]);
        }
    }
}

/// Gradients of one row: adds into `d_x`, `d_weight` and `d_bias`.
pub(crate) struct NormRowBackward<'a> {
    pub(crate) kind: NormKind,
    pub(crate) eps: f32,
    pub(crate) x: &'a [f32],
    pub(crate) weight: &'a [f32],
    pub(crate) d_out: &'a [f32],
    pub(crate) d_x: &'a mut [f32],
    /// False: `d_x` is overwritten.
    pub(crate) accumulate: bool,
    /// Gradients of weight and bias; either may be empty where nobody wants it.
    pub(crate) d_weight: &'a mut [f32],
    pub(crate) d_bias: &'a mut [f32],
}

impl Kernel for NormRowBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let n = self.x.len();
        let (mean, factor) = statistics(s, self.kind, self.eps, self.x);
        let (mean, factor) = (s.splat(mean), s.splat(factor));
        let plus = s.splat(if self.kind == NormKind::RmsPlusOne { 1.0 } else { 0.0 });
        let (mut along, mut level) = (s.zero(), s.zero());
        for at in (0..n).step_by(LANES) {
            let place = at..(at + LANES).min(n);
            let d_out = read(s, &self.d_out[place.clone()]);
            let normal = s.mul(s.sub(read(s, &self.x[place.clone()]), mean), factor);
            // Lanes beyond the row hold a normal that is not zero, but their d_out is.
            let inner = s.mul(d_out, s.add(read(s, &self.weight[place.clone()]), plus));
            along = s.fma(inner, normal, along);
            level = s.add(level, inner);
            if let Some(sum) = self.d_weight.get_mut(place.clone()) {
                write(s, s.fma(d_out, normal, read(s, sum)), sum);
            }
            if let Some(sum) = self.d_bias.get_mut(place) {
                write(s, s.add(d_out, read(s, sum)), sum);
            }
        }
        let along = s.splat(s.reduce_add(along) / n as f32);
        let centred = self.kind == NormKind::Layer;
        let level = s.splat(if centred { s.reduce_add(level) / n as f32 } else { 0.0 });
        for at in (0..n).step_by(LANES) {
            let place = at..(at + LANES).min(n);
            let d_out = read(s, &self.d_out[place.clone()]);
            let normal = s.mul(s.sub(read(s, &self.x[place.clone()]), mean), factor);
            let inner = s.mul(d_out, s.add(read(s, &self.weight[place.clone()]), plus));
            let rest = s.sub(s.sub(inner, level), s.mul(normal, along));
            let d_x = &mut self.d_x[place];
            let gradient = s.mul(rest, factor);
            let sum = if self.accumulate { s.add(read(s, d_x), gradient) } else { gradient };
            write(s, sum, d_x);
        }
    }
}

/// Mean to subtract and factor to multiply with.
#[inline(always)]
fn statistics<S: Simd>(s: S, kind: NormKind, eps: f32, x: &[f32]) -> (f32, f32) {
    let n = x.len() as f32;
    if kind != NormKind::Layer {
        return (0.0, 1.0 / (dot(s, x, x) / n + eps).sqrt());
    }
    let mut sum = s.zero();
    for at in (0..x.len()).step_by(LANES) {
        sum = s.add(sum, read(s, &x[at..(at + LANES).min(x.len())]));
    }
    let mean = s.reduce_add(sum) / n;
    let mut squares = s.zero();
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        let d = s.sub(s.load(chunk), s.splat(mean));
        squares = s.fma(d, d, squares);
    }
    if !rest.is_empty() {
        let mut lanes = [mean; LANES];
        lanes[..rest.len()].copy_from_slice(rest);
        let d = s.sub(s.load(&lanes), s.splat(mean));
        squares = s.fma(d, d, squares);
    }
    (mean, 1.0 / (s.reduce_add(squares) / n + eps).sqrt())
}

/// Up to sixteen numbers; the usual case of exactly sixteen is one load.
#[inline(always)]
pub(super) fn read<S: Simd>(s: S, x: &[f32]) -> S::V {
    match x.first_chunk::<LANES>() {
        Some(chunk) => s.load(chunk),
        None => s.load_partial(x),
    }
}

/// Up to sixteen numbers.
#[inline(always)]
pub(super) fn write<S: Simd>(s: S, v: S::V, out: &mut [f32]) {
    match out.first_chunk_mut::<LANES>() {
        Some(chunk) => s.store(v, chunk),
        None => s.store_partial(v, out),
    }
}
