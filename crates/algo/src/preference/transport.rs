//! One-dimensional optimal transport between two samples: sort both and match them by rank.
//!
//! AOT (arXiv 2406.05882) asks that the whole distribution of one kind of log-ratio lies above that of
//! another: the k-th smallest of the one is compared with the k-th smallest of the other. Equal
//! values may be matched either way, at the same loss; their slopes are shared out evenly (TRL leaves
//! them as the sort happens to fall), so that the order of the pairs changes nothing.

use crate::Term;

/// The cost of a matching.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Transport {
    /// Sum of the costs of the matched differences.
    pub(crate) value: f64,
    /// Slope with respect to each value on the left.
    pub(crate) left: Vec<f64>,
    /// Slope with respect to each value on the right.
    pub(crate) right: Vec<f64>,
}

/// Matches two samples of one size and adds up `cost(left - right)`.
pub(crate) fn transport(left: &[f64], right: &[f64], cost: impl Fn(f64) -> Term) -> Transport {
    assert_eq!(left.len(), right.len(), "samples of different sizes");
    let (left_order, right_order) = (ranked(left), ranked(right));
    let costs: Vec<Term> =
        left_order.iter().zip(&right_order).map(|(&i, &j)| cost(left[i] - right[j])).collect();
    let slopes: Vec<f64> = costs.iter().map(|cost| cost.slope).collect();
    let against: Vec<f64> = slopes.iter().map(|slope| -slope).collect();
    Transport {
        value: costs.iter().map(|cost| cost.value).sum(),
        left: shared(left, &left_order, &slopes),
        right: shared(right, &right_order, &against),
    }
}

/// The slopes of the ranks, put back to where the values stood; equal values get their mean.
fn shared(values: &[f64], order: &[usize], slopes: &[f64]) -> Vec<f64> {
    let mut placed = vec![0.0; values.len()];
    let mut rank = 0;
    for tied in order.chunk_by(|&i, &j| values[i] == values[j]) {
        let mean = slopes[rank..rank + tied.len()].iter().sum::<f64>() / tied.len() as f64;
        for &i in tied {
            placed[i] = mean;
        }
        rank += tied.len();
    }
    placed
}

/// Indices from the smallest value to the largest.
fn ranked(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[i].total_cmp(&values[j]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_go_back_to_where_the_values_stood() {
        let square = |d: f64| Term { value: d * d, slope: 2.0 * d };
        let got = transport(&[3.0, 1.0, 2.0], &[0.0, 5.0, 1.0], square);
        assert_eq!(got.value, 1.0 + 1.0 + 4.0);
        assert_eq!(got.left, [-4.0, 2.0, 2.0]);
        assert_eq!(got.right, [-2.0, 4.0, -2.0]);
    }

    #[test]
    fn equal_values_share_their_slopes() {
        let square = |d: f64| Term { value: d * d, slope: 2.0 * d };
        let got = transport(&[1.0, 4.0, 1.0], &[0.0, 1.0, 2.0], square);
        assert_eq!(got.left, [1.0, 4.0, 1.0]);
        assert_eq!(got.right, [-2.0, 0.0, -4.0]);
    }

    /// For a convex cost no other matching is cheaper.
    #[test]
    fn the_matching_is_the_cheapest() {
        let square = |d: f64| Term { value: d * d, slope: 2.0 * d };
        let (left, right) = ([0.3, -1.2, 2.5], [1.1, 0.4, -0.7]);
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        let cheapest = orders
            .map(|order| (0..3).map(|i| square(left[i] - right[order[i]]).value).sum::<f64>())
            .into_iter()
            .fold(f64::INFINITY, f64::min);
        assert!((transport(&left, &right, square).value - cheapest).abs() < 1e-12);
    }
}
