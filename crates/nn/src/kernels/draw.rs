//! Drawing a token from a row of logits, warped in the order of `transformers`' `generate`:
//! bias, repetition penalty, temperature, top-k, top-p, min-p. What `transformers` does not have stands
//! before the temperature: penalties on drawn tokens, where vLLM has them, then the mask.
//!
//! The token is found by walking the cumulative weights in token order until they exceed the random
//! number, so a row's draw depends on its logits and its random number alone. The log-prob returned
//! is that of the unwarped distribution at the temperature, which is what a trainer recomputes; so are
//! those of the likeliest tokens.

use super::head::{ReadRow, RowStats, read_low};
use super::math;
use super::simd::{Kernel, LANES, Simd};
use crate::backend::{DrawRow, Drawn};
use crate::token_mask::TokenMask;

/// Draws one token; the logits are overwritten.
pub(crate) struct Draw<'a> {
    pub(crate) logits: &'a mut [f32],
    pub(crate) softcap: Option<f32>,
    pub(crate) row: &'a DrawRow,
    /// Room for a copy of the row, used where warping needs one.
    pub(crate) scratch: &'a mut Vec<f32>,
}

impl Kernel for Draw<'_> {
    type Output = Drawn;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Drawn {
        let Draw { logits, softcap, row, scratch } = self;
        let temperature = if row.greedy { 1.0 } else { row.temperature };
        let inverse_temperature = (1.0 / temperature) as f32;
        let read = |logits: &mut [f32], softcap, inverse_temperature| {
            ReadRow { logits, softcap, inverse_temperature, wants_moments: false }.run(s)
        };
        if !needs_warping(row) {
            let stats = read(logits, softcap, inverse_temperature);
            let token =
                if row.greedy { most_likely(logits) } else { pick(s, logits, stats, row.unit) };
            return drawn(logits, stats, token, row.n_top);
        }
        // The penalty acts on the logits before the temperature, the log-prob is taken without it.
        scratch.clear();
        scratch.extend_from_slice(logits);
        let _ = read(scratch, softcap, 1.0);
        add(scratch, &row.bias, 1.0);
        penalise(scratch, row);
        add(scratch, &row.penalties, -1.0);
        if let Some(mask) = &row.mask {
            keep_only(scratch, mask);
        }
        let stats = read(logits, softcap, inverse_temperature);
        let token = if row.greedy {
            most_likely(scratch)
        } else {
            let _ = read(scratch, None, inverse_temperature);
            truncate(scratch, row);
            let kept = read(scratch, None, 1.0);
            pick(s, scratch, kept, row.unit)
        };
        drawn(logits, stats, token, row.n_top)
    }
}

/// What is told of a token, by the logits at the temperature.
fn drawn(logits: &[f32], stats: RowStats, token: u32, n_top: usize) -> Drawn {
    let mut top = likeliest(logits, n_top);
    top.iter_mut().for_each(|(_, z)| *z = stats.logprob(*z));
    Drawn { token, logprob: stats.logprob(logits[token as usize]), top }
}

/// The `n` largest logits, largest first; of equals the first.
fn likeliest(logits: &[f32], n: usize) -> Vec<(u32, f32)> {
    let mut top: Vec<(u32, f32)> = Vec::new();
    if n == 0 {
        return top;
    }
    for (token, &z) in logits.iter().enumerate() {
        if top.len() == n && top.last().is_none_or(|(_, least)| z <= *least) {
            continue;
        }
        let at = top.partition_point(|(_, other)| *other >= z);
        top.insert(at, (token as u32, z));
        top.truncate(n);
    }
    top
}

fn add(logits: &mut [f32], numbers: &[(u32, f32)], factor: f32) {
    for (token, number) in numbers {
        if let Some(z) = logits.get_mut(*token as usize) {
            *z += factor * number;
        }
    }
}

fn needs_warping(row: &DrawRow) -> bool {
    let truncates = row.top_k > 0 || row.top_p < 1.0 || row.min_p > 0.0;
    let is_moved = !row.bias.is_empty() || !row.penalties.is_empty() || row.mask.is_some();
    row.repetition_penalty != 1.0 || is_moved || (truncates && !row.greedy)
}

fn penalise(logits: &mut [f32], row: &DrawRow) {
    if row.repetition_penalty == 1.0 {
        return;
    }
    let penalty = row.repetition_penalty as f32;
    let mut seen: Vec<u32> = row.seen.clone();
    seen.sort_unstable();
    seen.dedup();
    for token in seen {
        if let Some(z) = logits.get_mut(token as usize) {
            *z = if *z < 0.0 { *z * penalty } else { *z / penalty };
        }
    }
}

fn keep_only(logits: &mut [f32], mask: &TokenMask) {
    for (token, z) in logits.iter_mut().enumerate() {
        if !mask.allows(token as u32) {
            *z = f32::NEG_INFINITY;
        }
    }
}

/// Sets what top-k, top-p and min-p drop to minus infinity.
fn truncate(z: &mut [f32], row: &DrawRow) {
    if row.top_k > 0 && row.top_k < z.len() {
        let mut sorted = z.to_vec();
        let (_, kth, _) = sorted.select_nth_unstable_by(row.top_k - 1, |a, b| b.total_cmp(a));
        let kth = *kth;
        drop_where(z, |x| x < kth);
    }
    if row.top_p < 1.0 {
        keep_nucleus(z, row.top_p);
    }
    if row.min_p > 0.0 {
        let largest = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let limit = f64::from(largest) + libm::log(row.min_p);
        drop_where(z, |x| f64::from(x) < limit);
    }
}

/// Drops the least likely tokens whose probabilities, from the smallest up, add up to no more than
/// `1 - top_p`. Of equals the earlier token goes first, as a stable ascending sort has it.
fn keep_nucleus(z: &mut [f32], top_p: f64) {
    let largest = f64::from(z.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let weight = |x: f32| libm::exp(f64::from(x) - largest);
    let total: f64 = z.iter().map(|&x| weight(x)).sum();
    let mut order: Vec<usize> = (0..z.len()).collect();
    order.sort_by(|&a, &b| z[a].total_cmp(&z[b]));
    let mut sum = 0.0;
    for &token in &order[..order.len() - 1] {
        sum += weight(z[token]) / total;
        if sum > 1.0 - top_p {
            break;
        }
        z[token] = f32::NEG_INFINITY;
    }
}

fn drop_where(z: &mut [f32], drops: impl Fn(f32) -> bool) {
    for x in z {
        if drops(*x) {
            *x = f32::NEG_INFINITY;
        }
    }
}

/// The first token with the largest logit.
fn most_likely(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (i, &x) in logits.iter().enumerate() {
        if x > logits[best] {
            best = i;
        }
    }
    best as u32
}

/// The first token whose cumulative weight exceeds `unit` times the sum of weights.
#[inline(always)]
fn pick<S: Simd>(s: S, z: &[f32], stats: RowStats, unit: f64) -> u32 {
    let target = unit * f64::from(stats.sum);
    let base = s.splat(stats.largest);
    let (mut sum, mut last) = (0.0, 0);
    for (at, chunk) in z.chunks(LANES).enumerate() {
        let mut weights = [0.0; LANES];
        s.store(math::exp(s, s.sub(read_low(s, chunk), base)), &mut weights);
        for (i, &weight) in weights.iter().enumerate() {
            if weight > 0.0 {
                last = at * LANES + i;
                sum += f64::from(weight);
                if sum > target {
                    return last as u32;
                }
            }
        }
    }
    last as u32
}
