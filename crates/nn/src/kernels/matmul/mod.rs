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

mod pack;
mod product;
mod tile;

pub(crate) use pack::{Panels, Strided, pack};
pub(crate) use product::matmul;
pub(crate) use tile::{Factors, Out, chains, small_product};

use super::simd::LANES;

/// Length of a chain of fused multiply-adds. Part of the arithmetic: another value, other bits.
pub(crate) const K_BLOCK: usize = 512;
/// Columns of a panel.
pub(crate) const PANEL: usize = 2 * LANES;
/// Products with fewer multiplications than this stay on the calling thread.
const SERIAL_BELOW: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::Path;
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
}
