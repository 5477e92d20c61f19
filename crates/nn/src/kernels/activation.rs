//! The feed-forward activation of one row, plain or gated, forward and backward.

use super::math;
use super::norm::{read, write};
use super::simd::{Kernel, LANES, Simd};

/// Activation functions of the known model families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x * sigmoid(x)` (arXiv 1702.03118).
    Silu,
    /// Gaussian error linear unit in its tanh form (arXiv 1606.08415).
    GeluTanh,
}

impl Activation {
    #[inline(always)]
    fn value<S: Simd>(self, s: S, x: S::V) -> S::V {
        match self {
            Activation::Silu => math::silu(s, x),
            Activation::GeluTanh => math::gelu(s, x),
        }
    }

    #[inline(always)]
    fn value_and_slope<S: Simd>(self, s: S, x: S::V) -> (S::V, S::V) {
        match self {
            Activation::Silu => math::silu_grad(s, x),
            Activation::GeluTanh => math::gelu_grad(s, x),
        }
    }
}

/// `out = f(gate) * up`, or `f(gate)` where there is no `up`.
pub(crate) struct ActivateRow<'a> {
    pub(crate) activation: Activation,
    pub(crate) gate: &'a [f32],
    pub(crate) up: Option<&'a [f32]>,
    pub(crate) out: &'a mut [f32],
}

impl Kernel for ActivateRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for at in (0..self.gate.len()).step_by(LANES) {
            let place = at..(at + LANES).min(self.gate.len());
            let mut y = self.activation.value(s, read(s, &self.gate[place.clone()]));
            if let Some(up) = self.up {
                y = s.mul(y, read(s, &up[place.clone()]));
            }
            write(s, y, &mut self.out[place]);
        }
    }
}

/// Gradients of [`ActivateRow`], written to `d_gate` and `d_up`.
pub(crate) struct ActivateRowBackward<'a> {
    pub(crate) activation: Activation,
    pub(crate) gate: &'a [f32],
    pub(crate) up: Option<&'a [f32]>,
    pub(crate) d_out: &'a [f32],
    pub(crate) d_gate: &'a mut [f32],
    pub(crate) d_up: &'a mut [f32],
}

impl Kernel for ActivateRowBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for at in (0..self.gate.len()).step_by(LANES) {
            let place = at..(at + LANES).min(self.gate.len());
            let d_out = read(s, &self.d_out[place.clone()]);
            let gate = read(s, &self.gate[place.clone()]);
            let (value, slope) = self.activation.value_and_slope(s, gate);
            let mut d_gate = s.mul(d_out, slope);
            if let Some(up) = self.up {
                d_gate = s.mul(d_gate, read(s, &up[place.clone()]));
                write(s, s.mul(d_out, value), &mut self.d_up[place.clone()]);
            }
            write(s, d_gate, &mut self.d_gate[place]);
        }
    }
}
