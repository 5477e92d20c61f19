//! The two kinds of numbers that kernels over flat slices are written for.
//!
//! Estimators that run once in a step work in `f64`. Kernels that pass over whole rollouts also take
//! `f32`, which moves half the bytes. The trait holds what those kernels need and no more.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

/// `f32` or `f64`.
pub trait Real:
    Copy
    + Send
    + Sync
    + PartialOrd
    + Sum
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + sealed::Sealed
    + 'static
{
    /// Zero.
    const ZERO: Self;
    /// Share of the largest magnitude by which equal rewards may differ through rounding.
    const ROUNDING: Self;

    /// The nearest number of this kind.
    fn from_f64(value: f64) -> Self;
    /// The same number, in full.
    fn to_f64(self) -> f64;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Distance from zero.
    fn abs(self) -> Self;
    /// The larger of two numbers.
    fn max(self, other: Self) -> Self;
    /// The smaller of two numbers.
    fn min(self, other: Self) -> Self;
    /// True unless NaN or infinite.
    fn is_finite(self) -> bool;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    const ROUNDING: f32 = 1e-6;

    #[inline]
    fn from_f64(value: f64) -> f32 {
        value as f32
    }
    #[inline]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline]
    fn sqrt(self) -> f32 {
        self.sqrt()
    }
    #[inline]
    fn abs(self) -> f32 {
        self.abs()
    }
    #[inline]
    fn max(self, other: f32) -> f32 {
        if self > other { self } else { other }
    }
    #[inline]
    fn min(self, other: f32) -> f32 {
        if self < other { self } else { other }
    }
    #[inline]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    const ROUNDING: f64 = 1e-12;

    #[inline]
    fn from_f64(value: f64) -> f64 {
        value
    }
    #[inline]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline]
    fn sqrt(self) -> f64 {
        self.sqrt()
    }
    #[inline]
    fn abs(self) -> f64 {
        self.abs()
    }
    #[inline]
    fn max(self, other: f64) -> f64 {
        if self > other { self } else { other }
    }
    #[inline]
    fn min(self, other: f64) -> f64 {
        if self < other { self } else { other }
    }
    #[inline]
    fn is_finite(self) -> bool {
        self.is_finite()
    }
}
