//! Looking back over the last values of a signal.

/// Whether the last `n` values all are so. Fewer than `n` values are not enough.
pub(super) fn held_for(recent: &[f64], n: usize, is_so: impl Fn(f64) -> bool) -> bool {
    recent.len() >= n && recent.iter().rev().take(n).all(|&value| is_so(value))
}

/// By how much the mean of the newer half of the last `n` values exceeds that of the older half.
/// `None` for fewer than `n` values or `n` below 2; of an odd `n`, the middle value counts as new.
pub(super) fn rise(recent: &[f64], n: usize) -> Option<f64> {
    if n < 2 || recent.len() < n {
        return None;
    }
    let (older, newer) = recent[recent.len() - n..].split_at(n / 2);
    Some(mean(newer) - mean(older))
}

/// The middle value, or the mean of the two middle ones. `None` without values.
pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(sorted[sorted.len() / 2 - 1], upper))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_must_be_full_and_unbroken() {
        let is_high = |value: f64| value > 1.0;
        assert!(!held_for(&[2.0, 2.0], 3, is_high));
        assert!(held_for(&[0.0, 2.0, 2.0, 2.0], 3, is_high));
        assert!(!held_for(&[2.0, 2.0, 1.0, 2.0], 3, is_high));
    }

    #[test]
    fn rises() {
        assert_eq!(rise(&[9.0, 1.0, 1.0, 3.0, 5.0], 4), Some(3.0));
        assert_eq!(rise(&[1.0, 3.0, 8.0], 3), Some(4.5));
        assert_eq!(rise(&[1.0], 2), None);
        assert_eq!(rise(&[1.0], 1), None);
    }

    #[test]
    fn medians() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), Some(2.5));
        assert_eq!(median(std::iter::empty()), None);
    }
}
