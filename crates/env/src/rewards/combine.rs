//! How the values of several rewards become one.
//!
//! [`Combine::WeightedMean`] (the documents' `weighted_sum`) and [`Combine::GeometricMean`] divide the
//! weights by their sum, so that the result stays where the values are whatever the weights; the others
//! ignore weights. The geometric mean is exp(sum of w ln v): twice as good here makes up for half as
//! good there, and a 0 of a member that counts makes the whole 0. (The documents multiply each score by
//! its weight before they take the root, which only scales the result down.) Products and geometric
//! means know no negative values: two wrongs would make a right.

use crate::names::named_enum;

named_enum! {
    /// How members become one value.
    pub enum Combine {
        /// Their mean, each counted by its weight.
        WeightedMean => "weighted_sum",
        /// Their plain mean.
        Average => "average",
        /// The worst of them.
        Min => "min",
        /// The best of them.
        Max => "max",
        /// All of them multiplied.
        Product => "product",
        /// Their geometric mean, each counted by its weight.
        GeometricMean => "geometric_mean",
    }
}

impl Combine {
    /// True where values below 0 cannot be combined so.
    pub fn needs_no_negative(self) -> bool {
        matches!(self, Combine::Product | Combine::GeometricMean)
    }

    /// One value from pairs of weight and value; not a number where the weights have no positive sum
    /// but are asked for, and where a value is negative and may not be.
    pub fn apply(self, values: &[(f64, f64)]) -> f64 {
        if self.needs_no_negative() && values.iter().any(|(_, value)| *value < 0.0) {
            return f64::NAN;
        }
        let plain = || values.iter().map(|(_, value)| *value);
        let weights = || values.iter().map(|(weight, _)| *weight).sum::<f64>();
        match self {
            Combine::WeightedMean => {
                values.iter().map(|(weight, value)| weight * value).sum::<f64>() / weights()
            }
            Combine::Average => plain().sum::<f64>() / values.len() as f64,
            Combine::Min => plain().reduce(f64::min).unwrap_or(f64::NAN),
            Combine::Max => plain().reduce(f64::max).unwrap_or(f64::NAN),
            Combine::Product => plain().reduce(|a, b| a * b).unwrap_or(f64::NAN),
            Combine::GeometricMean => {
                let counted = values.iter().filter(|(weight, _)| *weight > 0.0);
                let logs = counted.map(|(weight, value)| weight * value.ln()).sum::<f64>();
                (logs / weights()).exp()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_by_hand() {
        let values = [(3.0, 0.5), (1.0, 0.25), (0.0, 1.0)];
        for (combine, expected) in [
            (Combine::WeightedMean, 0.4375),
            (Combine::Average, 1.75 / 3.0),
            (Combine::Min, 0.25),
            (Combine::Max, 1.0),
            (Combine::Product, 0.125),
            // The fourth root of 0.5 * 0.5 * 0.5 * 0.25.
            (Combine::GeometricMean, 0.03125_f64.sqrt().sqrt()),
        ] {
            assert!((combine.apply(&values) - expected).abs() < 1e-15, "{combine}");
            assert!(combine.apply(&[]).is_nan(), "{combine}");
        }
    }

    #[test]
    fn a_zero_that_counts_decides_and_one_that_does_not_is_nothing() {
        let mean = |values: &[(f64, f64)]| Combine::GeometricMean.apply(values);
        assert_eq!(mean(&[(1.0, 0.0), (1.0, 1.0)]), 0.0);
        assert!((mean(&[(0.0, 0.0), (1.0, 0.7)]) - 0.7).abs() < 1e-15);
        assert!(mean(&[(0.0, 0.7)]).is_nan());
        for combine in [Combine::Product, Combine::GeometricMean] {
            assert!(combine.apply(&[(1.0, -0.5), (1.0, -0.5)]).is_nan());
        }
        assert_eq!(Combine::Min.apply(&[(1.0, -0.5), (1.0, 0.5)]), -0.5);
    }

    proptest! {
        #[test]
        fn every_way_is_bounded_by_its_members(
            values in prop::collection::vec((0.01..10.0f64, 0.0..=1.0f64), 1..6)
        ) {
            let low = Combine::Min.apply(&values);
            let high = Combine::Max.apply(&values);
            for combine in Combine::ALL {
                let value = combine.apply(&values);
                prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{combine}: {value}");
                if *combine != Combine::Product {
                    prop_assert!(value >= low - 1e-12 && value <= high + 1e-12, "{combine}: {value}");
                }
            }
            let geometric = Combine::GeometricMean.apply(&values);
            prop_assert!(geometric <= Combine::WeightedMean.apply(&values) + 1e-12);
        }

        #[test]
        fn order_and_scale_of_weights_change_nothing(
            values in prop::collection::vec((0.01..10.0f64, 0.0..=1.0f64), 1..6),
            scale in 0.1..10.0f64,
        ) {
            let other: Vec<(f64, f64)> =
                values.iter().rev().map(|(weight, value)| (weight * scale, *value)).collect();
            for combine in Combine::ALL {
                let difference = combine.apply(&values) - combine.apply(&other);
                prop_assert!(difference.abs() < 1e-12, "{combine}");
            }
        }

        #[test]
        fn a_better_member_never_makes_the_whole_worse(
            values in prop::collection::vec((0.01..10.0f64, 0.0..=1.0f64), 1..6),
            which in 0usize..6,
            share in 0.0..=1.0f64,
        ) {
            let mut better = values.clone();
            let which = which % better.len();
            better[which].1 += share * (1.0 - better[which].1);
            for combine in Combine::ALL {
                prop_assert!(combine.apply(&better) >= combine.apply(&values) - 1e-12, "{combine}");
            }
        }
    }
}
