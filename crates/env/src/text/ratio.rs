//! How much of two texts is the same, in the same order?
//!
//! The ratio of Ratcliff and Obershelp, as Python's `difflib.SequenceMatcher(autojunk=False).ratio()`
//! computes it: twice the number of matched words over the number of all words, where the longest common
//! run is matched first and then, again and again, what stands left and right of it. Golden values come
//! from there. It compares words and not characters, so that sharing letters earns nothing.

use std::collections::HashMap;

/// From 0 to 1; 1 for equal texts, also for two empty ones. Time grows with the product of the lengths in
/// the worst case; texts are cut at `MAX_WORDS`.
pub(crate) fn matching_ratio(a: &[String], b: &[String]) -> f64 {
    const MAX_WORDS: usize = 400;
    let (a, b) = (&a[..a.len().min(MAX_WORDS)], &b[..b.len().min(MAX_WORDS)]);
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, word) in b.iter().enumerate() {
        places.entry(word).or_default().push(index);
    }
    let mut n_matched = 0;
    let mut todo = vec![(0, a.len(), 0, b.len())];
    while let Some((a_low, a_high, b_low, b_high)) = todo.pop() {
        let (i, j, n) = longest_run(a, &places, (a_low, a_high, b_low, b_high));
        if n > 0 {
            n_matched += n;
            todo.push((a_low, i, b_low, j));
            todo.push((i + n, a_high, j + n, b_high));
        }
    }
    2.0 * n_matched as f64 / (a.len() + b.len()) as f64
}

/// The longest run of words that both sides have in the given window: where it starts on each side and
/// its length. Of equally long ones the first in `a`, then the first in `b`.
fn longest_run(
    a: &[String],
    places: &HashMap<&str, Vec<usize>>,
    (a_low, a_high, b_low, b_high): (usize, usize, usize, usize),
) -> (usize, usize, usize) {
    let mut best = (a_low, b_low, 0);
    let mut lengths = vec![0; b_high + 1];
    for (i, word) in a.iter().enumerate().take(a_high).skip(a_low) {
        let mut next = vec![0; b_high + 1];
        for &j in places.get(word.as_str()).map_or(&[][..], Vec::as_slice) {
            if (b_low..b_high).contains(&j) {
                let n = if j > b_low { lengths[j] + 1 } else { 1 };
                next[j + 1] = n;
                if n > best.2 {
                    best = (i + 1 - n, j + 1 - n, n);
                }
            }
        }
        lengths = next;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equals_difflib() {
        let golden: serde_json::Value =
            serde_json::from_str(include_str!("../../../../tests/golden/ratio.json")).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.len() >= 200);
        for case in cases {
            let side = |name: &str| -> Vec<String> {
                let text = case[name].as_str().unwrap();
                text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
            };
            let expected = case["ratio"].as_f64().unwrap();
            let found = matching_ratio(&side("a"), &side("b"));
            assert!((found - expected).abs() < 1e-12, "{case}: {found}");
        }
    }

    #[test]
    fn order_counts() {
        let ratio = |a: &str, b: &str| matching_ratio(&words(a), &words(b));
        assert_eq!(ratio("your refund is on its way", "Your refund is on its way!"), 1.0);
        assert_eq!(ratio("way its on is refund your", "your refund is on its way"), 1.0 / 6.0);
        assert_eq!(ratio("", ""), 1.0);
        assert_eq!(ratio("", "word"), 0.0);
    }

    proptest! {
        #[test]
        fn is_in_range(a in prop::collection::vec("[a-d]", 0..30), b in prop::collection::vec("[a-d]", 0..30)) {
            let ratio = matching_ratio(&a, &b);
            prop_assert!((0.0..=1.0).contains(&ratio));
            prop_assert_eq!(matching_ratio(&a, &a), 1.0);
        }
    }
}
