//! Whitening over all tokens of a batch: mean 0, deviation 1.
//!
//! Statistics are per *token*, so a long trajectory weighs more in mean and deviation; that is what
//! verl, TRL's PPO and OpenRLHF do. They disagree on the variance:
//!
//! | variant | (A - M) / ... | source |
//! |---|---|---|
//! | `Bessel` | sqrt(V + 1e-8), V over n - 1 | verl `masked_whiten`, TRL |
//! | `Population` | sqrt(max(V, 1e-8)), V over n | OpenRLHF |
//!
//! Unlike them, ours gives exactly 0 where all tokens are equal (or there is one): what rounding
//! leaves, divided by 1e-4, would be noise.

use crate::Moments;

const EPSILON: f64 = 1e-8;

/// Which variance is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whitening {
    /// Division by n - 1, with 1e-8 added inside the root.
    #[default]
    Bessel,
    /// Division by n, at least 1e-8.
    Population,
}

impl Whitening {
    /// Whitens all rows of a batch together, in place. Values must be finite.
    pub fn apply<R: AsRef<[f64]> + AsMut<[f64]>>(self, rows: &mut [R]) {
        let moments: Moments = rows.iter().flat_map(|row| row.as_ref().iter().copied()).collect();
        let factor = self.factor(&moments);
        for row in rows {
            for value in row.as_mut() {
                *value = (*value - moments.mean()) * factor;
            }
        }
    }

    /// Whitened copy of one flat slice.
    pub fn whitened(self, values: &[f64]) -> Vec<f64> {
        let mut rows = [values.to_vec()];
        self.apply(&mut rows);
        let [row] = rows;
        row
    }

    /// What centred values are multiplied by.
    fn factor(self, moments: &Moments) -> f64 {
        let magnitude = moments.max().abs().max(moments.min().abs());
        if moments.count() < 2 || moments.max() - moments.min() <= 1e-12 * magnitude {
            return 0.0;
        }
        let divisor = match self {
            Whitening::Bessel => (moments.sample_std().powi(2) + EPSILON).sqrt(),
            Whitening::Population => moments.variance().max(EPSILON).sqrt(),
        };
        1.0 / divisor
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn golden_two_sequences() {
        for (whitening, high, low) in
            [(Whitening::Bessel, 0.730297, -1.095445), (Whitening::Population, 0.816497, -1.224745)]
        {
            let mut rows = [vec![1.0; 3], vec![0.0; 2]];
            whitening.apply(&mut rows);
            assert!(rows[0].iter().all(|a| (a - high).abs() < 1e-6), "{rows:?}");
            assert!(rows[1].iter().all(|a| (a - low).abs() < 1e-6), "{rows:?}");
        }
    }

    #[test]
    fn equal_tokens_are_exactly_zero() {
        for whitening in [Whitening::Bessel, Whitening::Population] {
            assert_eq!(whitening.whitened(&[0.3, 0.1 + 0.2, 0.3]), [0.0; 3]);
            assert_eq!(whitening.whitened(&[5.0]), [0.0]);
            assert_eq!(whitening.whitened(&[]), [0.0; 0]);
        }
    }

    #[test]
    fn tiny_spreads_are_held_back_by_epsilon() {
        let got = Whitening::Population.whitened(&[1e-6, -1e-6]);
        assert!((got[0] - 1e-2).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn division_into_rows_shift_and_scale_change_nothing(
            values in prop::collection::vec(-3.0..3.0f64, 2..20), cut in any::<prop::sample::Index>(),
        ) {
            let spread = values.iter().fold(0f64, |far, v| far.max((v - values[0]).abs()));
            prop_assume!(spread > 0.1);
            let whole = Whitening::Bessel.whitened(&values);
            let cut = cut.index(values.len());
            let mut rows = [values[..cut].to_vec(), values[cut..].to_vec()];
            Whitening::Bessel.apply(&mut rows);
            let moved: Vec<f64> = values.iter().map(|v| 1000.0 * v + 7.0).collect();
            let moved = Whitening::Bessel.whitened(&moved);
            for ((whole, split), moved) in whole.iter().zip(rows.concat()).zip(moved) {
                prop_assert!((whole - split).abs() < 1e-9);
                prop_assert!((whole - moved).abs() < 1e-4);
            }
        }
    }
}
