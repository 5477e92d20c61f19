//! Area under the ROC curve: how often a better answer scores above a worse one.
//!
//! The Mann-Whitney form: U / (n_good n_bad), with ties counted half (Hanley and McNeil 1982). It needs
//! no threshold, so it compares scores of any scale.

/// Probability that a score of `good` is above one of `bad`, a tie counting half; `None` where either is
/// empty or a score is NaN. In [0, 1]; 0.5 is chance.
pub fn auroc(good: &[f64], bad: &[f64]) -> Option<f64> {
    if good.is_empty() || bad.is_empty() || good.iter().chain(bad).any(|score| score.is_nan()) {
        return None;
    }
    let mut all: Vec<(f64, bool)> = good.iter().map(|score| (*score, true)).collect();
    all.extend(bad.iter().map(|score| (*score, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut won, mut n_bad_below) = (0.0, 0.0);
    for tied in all.chunk_by(|a, b| a.0 == b.0) {
        let n_good = tied.iter().filter(|(_, is_good)| *is_good).count() as f64;
        let n_bad = tied.len() as f64 - n_good;
        won += n_good * (n_bad_below + 0.5 * n_bad);
        n_bad_below += n_bad;
    }
    Some(won / (good.len() as f64 * bad.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(good: &[f64], bad: &[f64]) -> f64 {
        let mut sum = 0.0;
        for g in good {
            for b in bad {
                sum += if g > b {
                    1.0
                } else if g == b {
                    0.5
                } else {
                    0.0
                };
            }
        }
        sum / (good.len() * bad.len()) as f64
    }

    #[test]
    fn it_counts_pairs() {
        let good = [0.9, 0.4, 0.4, -1.0, 0.0];
        let bad = [0.4, -0.0, 0.1, -2.0];
        assert!((auroc(&good, &bad).unwrap() - naive(&good, &bad)).abs() < 1e-12);
        assert_eq!(auroc(&[1.0, 2.0], &[0.0]), Some(1.0));
        assert_eq!(auroc(&[0.0], &[1.0, 2.0]), Some(0.0));
        assert_eq!(auroc(&[3.0, 3.0], &[3.0]), Some(0.5));
    }

    #[test]
    fn nothing_to_compare_is_no_number() {
        assert_eq!(auroc(&[], &[1.0]), None);
        assert_eq!(auroc(&[1.0], &[f64::NAN]), None);
    }
}
