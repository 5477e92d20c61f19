//! Whole buffers: sums, scalings, inner products and the optimiser's update.

use super::norm::{read, write};
use super::simd::{Kernel, LANES, Simd};

/// `y += factor * x`.
pub(crate) struct Axpy<'a> {
    pub(crate) factor: f32,
    pub(crate) x: &'a [f32],
    pub(crate) y: &'a mut [f32],
}

impl Kernel for Axpy<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let factor = s.splat(self.factor);
        for at in (0..self.x.len()).step_by(LANES) {
            let place = at..(at + LANES).min(self.x.len());
            let y = &mut self.y[place.clone()];
            write(s, s.fma(factor, read(s, &self.x[place]), read(s, y)), y);
        }
    }
}

/// `x *= factor`.
pub(crate) struct Scale<'a> {
    pub(crate) factor: f32,
    pub(crate) x: &'a mut [f32],
}

impl Kernel for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let factor = s.splat(self.factor);
        for at in (0..self.x.len()).step_by(LANES) {
            let end = (at + LANES).min(self.x.len());
            let x = &mut self.x[at..end];
            write(s, s.mul(factor, read(s, x)), x);
        }
    }
}

/// Sum of products.
pub(crate) struct Dot<'a> {
    pub(crate) a: &'a [f32],
    pub(crate) b: &'a [f32],
}

impl Kernel for Dot<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        dot(s, self.a, self.b)
    }
}

/// Settings of one AdamW step (arXiv 1711.05101).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamwStep {
    /// Learning rate of this step.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment, after bias correction.
    pub eps: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Counts from 1.
    pub step: u64,
    /// Multiplies the gradient first (clipping).
    pub gradient_factor: f64,
}

/// One AdamW step on a stretch of parameters.
pub(crate) struct Adamw<'a> {
    pub(crate) settings: AdamwStep,
    pub(crate) weight: &'a mut [f32],
    pub(crate) gradient: &'a [f32],
    pub(crate) m: &'a mut [f32],
    pub(crate) v: &'a mut [f32],
}

impl Kernel for Adamw<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let AdamwStep { learning_rate, beta1, beta2, eps, weight_decay, step, gradient_factor } =
            self.settings;
        let correction = |beta: f64| 1.0 - libm::pow(beta, step as f64);
        let splat = |x: f64| s.splat(x as f32);
        let rate = splat(learning_rate / correction(beta1));
        let root = splat(1.0 / correction(beta2).sqrt());
        let keep = splat(1.0 - learning_rate * weight_decay);
        let (eps, factor) = (splat(eps), splat(gradient_factor));
        let (b1, c1) = (splat(beta1), splat(1.0 - beta1));
        let (b2, c2) = (splat(beta2), splat(1.0 - beta2));
        for at in (0..self.weight.len()).step_by(LANES) {
            let place = at..(at + LANES).min(self.weight.len());
            let g = s.mul(read(s, &self.gradient[place.clone()]), factor);
            let m = s.fma(b1, read(s, &self.m[place.clone()]), s.mul(c1, g));
            let v = s.fma(b2, read(s, &self.v[place.clone()]), s.mul(s.mul(c2, g), g));
            write(s, m, &mut self.m[place.clone()]);
            write(s, v, &mut self.v[place.clone()]);
            let divisor = s.fma(s.sqrt(v), root, eps);
            let weight = s.mul(read(s, &self.weight[place.clone()]), keep);
            write(s, s.sub(weight, s.div(s.mul(rate, m), divisor)), &mut self.weight[place]);
        }
    }
}

/// Sum of products in sixteen lanes.
#[inline(always)]
pub(crate) fn dot<S: Simd>(s: S, a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sum = s.zero();
    for (a, b) in a.iter().zip(b) {
        sum = s.fma(s.load(a), s.load(b), sum);
    }
    if !a_rest.is_empty() {
        sum = s.fma(s.load_partial(a_rest), s.load_partial(b_rest), sum);
    }
    s.reduce_add(sum)
}
