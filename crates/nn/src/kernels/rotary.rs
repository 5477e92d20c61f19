//! Rotary position embedding of one head's vector, in place (arXiv 2104.09864).
//!
//! Pairs are (i, i + half) as in Hugging Face's `rotate_half`, not neighbours as in the paper.

use super::norm::{read, write};
use super::simd::{Kernel, LANES, Simd};

/// Turns the first `2 * cos.len()` numbers of `x` by the angles given; backwards where `inverse`.
pub(crate) struct RotateHead<'a> {
    pub(crate) x: &'a mut [f32],
    pub(crate) cos: &'a [f32],
    pub(crate) sin: &'a [f32],
    pub(crate) inverse: bool,
}

impl Kernel for RotateHead<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let half = self.cos.len();
        let (low, high) = self.x.split_at_mut(half);
        for at in (0..half).step_by(LANES) {
            let place = at..(at + LANES).min(half);
            let (a, b) = (read(s, &low[place.clone()]), read(s, &high[place.clone()]));
            let cos = read(s, &self.cos[place.clone()]);
            let mut sin = read(s, &self.sin[place.clone()]);
            if self.inverse {
                sin = s.sub(s.zero(), sin);
            }
            write(s, s.sub(s.mul(a, cos), s.mul(b, sin)), &mut low[place.clone()]);
            write(s, s.fma(b, cos, s.mul(a, sin)), &mut high[place]);
        }
    }
}
