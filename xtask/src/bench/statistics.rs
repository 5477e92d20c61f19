//! Medians and spread.

use serde::Serialize;

/// What several measurements of the same thing come to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Spread {
    pub(super) median: f64,
    /// A quarter of the measurements is below.
    pub(super) low: f64,
    /// A quarter of the measurements is above.
    pub(super) high: f64,
}

impl Spread {
    /// Of some values; `None` without any.
    pub(super) fn of(values: &[f64]) -> Option<Spread> {
        let mut sorted: Vec<f64> =
            values.iter().copied().filter(|value| value.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        if sorted.is_empty() {
            return None;
        }
        let at = |share| quantile(&sorted, share);
        Some(Spread { median: at(0.5), low: at(0.25), high: at(0.75) })
    }

    /// Distance of the quartiles as a share of the median; 0 where that is 0.
    pub(super) fn relative(&self) -> f64 {
        if self.median == 0.0 { 0.0 } else { (self.high - self.low) / self.median.abs() }
    }
}

/// Between the neighbours in proportion (type 7 of Hyndman and Fan 1996). `sorted` is not empty.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_neighbours() {
        let spread = Spread::of(&[4.0, 1.0, 3.0, 2.0]).expect("there are values");
        assert_eq!(spread, Spread { median: 2.5, low: 1.75, high: 3.25 });
        assert_eq!(spread.relative(), 0.6);
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        assert_eq!(Spread::of(&[f64::NAN, 7.0]).map(|spread| spread.median), Some(7.0));
        assert_eq!(Spread::of(&[]), None);
    }
}
