//! Elementary functions on lanes: exponential, sigmoid, tanh and the activations made of them, with
//! their derivatives.
//!
//! Polynomials and constants are those of Cephes (`expf`, `tanhf`; Moshier), evaluated with fused
//! multiply-adds; relative error below 3e-7 over the range used. Nothing here calls the system's
//! maths library, so results do not depend on it.

use super::simd::Simd;

/// `e^x`; 0 below -87.3 (no subnormal results), finite up to 88.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::V) -> S::V {
    let lowest = s.splat(-87.336_54);
    // The constants come first: `max` and `min` then hand a NaN on instead of dropping it.
    let clamped = s.min(s.splat(88.0), s.max(lowest, x));
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest whole number.
    let magic = s.splat(12_582_912.0);
    let n = s.sub(s.fma(clamped, s.splat(std::f32::consts::LOG2_E), magic), magic);
    let r = s.fma(n, s.splat(-0.693_359_4), clamped);
    let r = s.fma(n, s.splat(2.121_944_4e-4), r);
    let mut p = s.splat(1.987_569_1e-4);
    for c in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = s.fma(p, r, s.splat(c));
    }
    let y = s.add(s.fma(s.mul(p, r), r, r), s.splat(1.0));
    let y = s.mul(y, s.exp2_whole(n));
    s.select_lt(x, lowest, s.zero(), y)
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(s: S, x: S::V) -> S::V {
    let e = exp(s, s.sub(s.zero(), x));
    s.div(s.splat(1.0), s.add(s.splat(1.0), e))
}

/// Hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(s: S, x: S::V) -> S::V {
    let x2 = s.mul(x, x);
    let mut p = s.splat(-5.704_988_7e-3);
    for c in [2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        p = s.fma(p, x2, s.splat(c));
    }
    let small = s.fma(s.mul(p, x2), x, x);
    let e = exp(s, s.add(x, x));
    let one = s.splat(1.0);
    let large = s.sub(one, s.div(s.splat(2.0), s.add(e, one)));
    let limit = s.splat(0.625 * 0.625);
    s.select_lt(x2, limit, small, large)
}

const GELU_INNER: f32 = 0.797_884_6; // sqrt(2 / pi)
const GELU_CUBIC: f32 = 0.044_715;

/// `x * sigmoid(x)`.
#[inline(always)]
pub(crate) fn silu<S: Simd>(s: S, x: S::V) -> S::V {
    s.mul(x, sigmoid(s, x))
}

/// Value and derivative of [`silu`].
#[inline(always)]
pub(crate) fn silu_grad<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    let g = sigmoid(s, x);
    let y = s.mul(x, g);
    // g * (1 + x * (1 - g)) = g + y * (1 - g)
    (y, s.fma(y, s.sub(s.splat(1.0), g), g))
}

#[inline(always)]
fn gelu_tanh_part<S: Simd>(s: S, x: S::V) -> S::V {
    let x2 = s.mul(x, x);
    let inner = s.fma(s.mul(x2, x), s.splat(GELU_CUBIC), x);
    tanh(s, s.mul(inner, s.splat(GELU_INNER)))
}

/// Gaussian error linear unit in its tanh form (`gelu_new`, `gelu_pytorch_tanh`).
#[inline(always)]
pub(crate) fn gelu<S: Simd>(s: S, x: S::V) -> S::V {
    let t = gelu_tanh_part(s, x);
    s.mul(s.mul(s.splat(0.5), x), s.add(s.splat(1.0), t))
}

/// Value and derivative of [`gelu`].
#[inline(always)]
pub(crate) fn gelu_grad<S: Simd>(s: S, x: S::V) -> (S::V, S::V) {
    let t = gelu_tanh_part(s, x);
    let (half, one) = (s.splat(0.5), s.splat(1.0));
    let y = s.mul(s.mul(half, x), s.add(one, t));
    let x2 = s.mul(x, x);
    let inner = s.fma(x2, s.splat(3.0 * GELU_CUBIC * GELU_INNER), s.splat(GELU_INNER));
    let slope = s.mul(s.sub(one, s.mul(t, t)), inner);
    (y, s.mul(half, s.fma(x, slope, s.add(one, t))))
}
