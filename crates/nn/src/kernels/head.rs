//! What is read from a row of logits: log-probability, entropy and the sum of squared
//! probabilities, with their gradients.
//!
//! With z the logits divided by the temperature (after the soft cap, where the model has one) and
//! p = softmax(z): log-prob z_v - logsumexp(z); entropy H = -sum p log p in nats, dH/dz_v =
//! -p_v (log p_v + H); S = log sum p^2, dS/dz_v = 2 (p_v^2 / sum p^2 - p_v). Sums run in sixteen
//! lanes over the whole vocabulary, in the sampler as in the trainer.

use super::math;
use super::norm::{read, write};
use super::simd::{Kernel, LANES, Simd};

/// What one row of logits says.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowStats {
    /// Largest z.
    pub largest: f32,
    /// Sum of `exp(z - largest)`.
    pub sum: f32,
    /// Entropy in nats.
    pub entropy: f32,
    /// log of the sum of squared probabilities.
    pub log_sum_p2: f32,
}

impl RowStats {
    /// Log-prob of a token whose z is `z`. Never above 0; NaN where the row holds one.
    pub fn logprob(&self, z: f32) -> f32 {
        let logprob = z - self.largest - libm::logf(self.sum);
        if logprob > 0.0 { 0.0 } else { logprob }
    }
}

/// Turns logits into z in place (soft cap, then temperature) and reads the statistics.
pub(crate) struct ReadRow<'a> {
    pub(crate) logits: &'a mut [f32],
    pub(crate) softcap: Option<f32>,
    pub(crate) inverse_temperature: f32,
    /// Entropy and squared sum cost a second pass.
    pub(crate) wants_moments: bool,
}

impl Kernel for ReadRow<'_> {
    type Output = RowStats;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> RowStats {
        let n = self.logits.len();
        let factor = s.splat(self.inverse_temperature);
        let mut largest = s.splat(f32::NEG_INFINITY);
        for at in (0..n).step_by(LANES) {
            let place = &mut self.logits[at..(at + LANES).min(n)];
            let mut z = read(s, place);
            if let Some(cap) = self.softcap {
                z = s.mul(math::tanh(s, s.div(z, s.splat(cap))), s.splat(cap));
            }
            z = s.mul(z, factor);
            write(s, z, place);
            largest = s.max(largest, read_low(s, place));
        }
        let largest = s.reduce_max(largest);
        let base = s.splat(largest);
        let (mut sum, mut weighted, mut squares) = (s.zero(), s.zero(), s.zero());
        for at in (0..n).step_by(LANES) {
            let z = read_low(s, &self.logits[at..(at + LANES).min(n)]);
            let distance = s.sub(z, base);
            let e = math::exp(s, distance);
            sum = s.add(sum, e);
            if self.wants_moments {
                weighted = s.fma(e, s.max(s.splat(-1e30), distance), weighted);
                squares = s.fma(e, e, squares);
            }
        }
        let sum = s.reduce_add(sum);
        let mut stats = RowStats { largest, sum, ..RowStats::default() };
        if self.wants_moments {
            stats.entropy = libm::logf(sum) - s.reduce_add(weighted) / sum;
            stats.log_sum_p2 = libm::logf(s.reduce_add(squares) / (sum * sum));
        }
        stats
    }
}

/// Up to sixteen z, minus infinity in the lanes beyond the row.
#[inline(always)]
pub(super) fn read_low<S: Simd>(s: S, z: &[f32]) -> S::V {
    match z.first_chunk::<LANES>() {
        Some(chunk) => s.load(chunk),
        None => {
            let mut lanes = [f32::NEG_INFINITY; LANES];
            lanes[..z.len()].copy_from_slice(z);
            s.load(&lanes)
        }
    }
}

/// Gradients a loss gives for one row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowGradient {
    /// With respect to the log-prob of the row's token.
    pub logprob: f32,
    /// With respect to the entropy.
    pub entropy: f32,
    /// With respect to the log of the sum of squared probabilities.
    pub log_sum_p2: f32,
}

/// Turns a row of z, as [`ReadRow`] left it, into the gradient of the logits, in place.
pub(crate) struct RowBackward<'a> {
    pub(crate) z: &'a mut [f32],
    pub(crate) token: usize,
    pub(crate) stats: RowStats,
    pub(crate) gradient: RowGradient,
    pub(crate) softcap: Option<f32>,
    pub(crate) inverse_temperature: f32,
}

impl Kernel for RowBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let RowBackward { z, token, stats, gradient, softcap, inverse_temperature } = self;
        let n = z.len();
        let log_sum = libm::logf(stats.sum);
        let base = s.splat(stats.largest + log_sum);
        let inverse = s.splat(inverse_temperature);
        let squares = s.splat(2.0 * gradient.log_sum_p2 * libm::expf(-stats.log_sum_p2));
        // d/dz = p * (-g_lp - g_h (log p + H) + 2 g_s (p / sum p^2 - 1)), and g_lp at the token.
        let level =
            -gradient.logprob - gradient.entropy * stats.entropy - 2.0 * gradient.log_sum_p2;
        let (level, slope) = (s.splat(level), s.splat(-gradient.entropy));
        for at in (0..n).step_by(LANES) {
            let end = (at + LANES).min(n);
            let value = read_low(s, &z[at..end]);
            let logp = s.sub(value, base);
            let p = math::exp(s, logp);
            let logp = s.max(s.splat(-1e30), logp);
            let mut d = s.mul(p, s.fma(squares, p, s.fma(slope, logp, level)));
            if (at..end).contains(&token) {
                let mut one = [0.0; LANES];
                one[token - at] = gradient.logprob;
                d = s.add(d, s.load(&one));
            }
            d = s.mul(d, inverse);
            if let Some(cap) = softcap {
                let t = s.div(value, s.splat(cap * inverse_temperature));
                d = s.mul(d, s.sub(s.splat(1.0), s.mul(t, t)));
            }
            write(s, d, &mut z[at..end]);
        }
    }
}
