//! Reads a score from 1 to S from what a judge wrote.
//!
//! `4`, `Score: 4`, `4/5` and `4 out of 5` are read. A text with several numbers needs the word
//! "score", "rating" or "answer" before the one that counts, and a score outside the range is not
//! moved into it.

use std::sync::LazyLock;

use regex::Regex;

/// The score that `text` gives, from 1 to `n_scores`.
///
/// # Errors
/// What keeps it from being read, to be told to the judge.
pub fn read_score(text: &str, n_scores: usize) -> Result<f64, String> {
    let plain = text.replace(['*', '_', '`', '"', '#'], "");
    let plain = without_scale(&plain, n_scores);
    let numbers = |pattern: &Regex| -> Vec<f64> {
        let found = pattern.captures_iter(&plain).filter_map(|found| found.get(1));
        let mut found: Vec<f64> = found.filter_map(|number| number.as_str().parse().ok()).collect();
        found.dedup();
        found
    };
    let labelled = numbers(&LABELLED);
    let all = numbers(&NUMBER);
    let score = match (labelled.as_slice(), all.as_slice()) {
        ([one], _) | ([], [one]) => *one,
        ([], []) => return Err("it holds no number".to_owned()),
        _ => return Err("it holds several numbers".to_owned()),
    };
    if (1.0..=n_scores as f64).contains(&score) {
        Ok(score)
    } else {
        Err(format!("its score is {score}, allowed is a number from 1 to {n_scores}"))
    }
}

/// `4/5` and `4 out of 5` as `4`.
fn without_scale(text: &str, n_scores: usize) -> String {
    match Regex::new(&format!(r"\s*(?:/|out of)\s*{n_scores}\b")) {
        Ok(scale) => scale.replace_all(text, "").into_owned(),
        Err(_) => text.to_owned(),
    }
}

fn constant(pattern: &str) -> Regex {
    #[expect(clippy::expect_used, reason = "the patterns are constants, compiled by the tests")]
    Regex::new(pattern).expect("a constant pattern compiles")
}

static NUMBER: LazyLock<Regex> = LazyLock::new(|| constant(r"(-?\b\d+(?:\.\d+)?)"));

static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    constant(r"(?i)\b(?:score|rating|answer)\b\s*(?:is|=|:|of)?\s*(-?\b\d+(?:\.\d+)?)")
});

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn many_forms_are_read() {
        for (text, expected) in [
            ("4", 4.0),
            ("**5**", 5.0),
            ("Score: 3", 3.0),
            ("2/5", 2.0),
            ("I would say 4 out of 5.", 4.0),
            ("3.5", 3.5),
            ("It asks for 2 facts and helps. Score: 5", 5.0),
            ("Score: 5. I repeat, the score is 5/5 for 3 reasons", 5.0),
        ] {
            assert_eq!(read_score(text, 5), Ok(expected), "{text:?}");
        }
        assert_eq!(read_score("10", 10), Ok(10.0));
    }

    #[test]
    fn what_is_not_clear_is_not_read() {
        for (text, reason) in [
            ("", "it holds no number"),
            ("good", "it holds no number"),
            ("0", "its score is 0, allowed is a number from 1 to 5"),
            ("-3", "its score is -3, allowed is a number from 1 to 5"),
            ("80", "its score is 80, allowed is a number from 1 to 5"),
            ("1/50", "it holds several numbers"),
            ("2 or 3", "it holds several numbers"),
            ("Score: 2 ... score: 4", "it holds several numbers"),
        ] {
            assert_eq!(read_score(text, 5), Err(reason.to_owned()), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_in_range(text in "(\\PC|score|[0-9.:/-]){0,30}", n in 2usize..11) {
            if let Ok(score) = read_score(&text, n) {
                prop_assert!((1.0..=n as f64).contains(&score));
            }
        }
    }
}
