//! Scores read from the probabilities of their tokens.
//!
//! A judge that may say 1 to S says less with its one answer than with the probabilities of all of
//! them. Log-probs of the score tokens are normalised among themselves, and the score is their
//! expectation: E = sum over s of s p_s. It is mapped linearly onto -1 to 1.
//!
//! Source: direct RLAIF, arXiv 2309.00267, section 2.2.2. An answer of probability 0 (log-prob minus
//! infinity) is allowed as long as some answer is possible.

use super::FeedbackError;

/// Probabilities of options from log-probs that need not be normalised.
///
/// # Errors
/// [`FeedbackError`] for fewer than two options, or a log-prob that is NaN, plus infinity, or minus
/// infinity for all of them.
pub fn option_probabilities(logprobs: &[f64]) -> Result<Vec<f64>, FeedbackError> {
    if logprobs.len() < 2 {
        return Err(FeedbackError::TooFewOptions { found: logprobs.len() });
    }
    let is_bad = |value: &f64| value.is_nan() || *value == f64::INFINITY;
    if let Some(index) = logprobs.iter().position(is_bad) {
        return Err(FeedbackError::NotFinite { index, value: logprobs[index] });
    }
    let largest = logprobs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return Err(FeedbackError::NotFinite { index: 0, value: largest });
    }
    let weights: Vec<f64> = logprobs.iter().map(|lp| (lp - largest).exp()).collect();
    let sum: f64 = weights.iter().sum();
    Ok(weights.into_iter().map(|weight| weight / sum).collect())
}

/// Expected score from log-probs of the answers 1, 2, .. S, in this order. From 1 to S.
///
/// # Errors
/// As [`option_probabilities`].
pub fn expected_score(logprobs: &[f64]) -> Result<f64, FeedbackError> {
    let probabilities = option_probabilities(logprobs)?;
    Ok((1..).zip(probabilities).map(|(score, p)| f64::from(score) * p).sum())
}

/// Maps a score from 1 to `n_scores` onto -1 to 1; `n_scores` is at least 2.
pub fn centred_score(score: f64, n_scores: usize) -> f64 {
    2.0 * (score - 1.0) / (n_scores.max(2) - 1) as f64 - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_score_is_centred() {
        let logprobs = [0.05, 0.1, 0.2, 0.4, 0.25].map(f64::ln);
        let expected = expected_score(&logprobs).unwrap();
        assert!((expected - 3.7).abs() < 1e-12);
        assert!((centred_score(expected, 5) - 0.35).abs() < 1e-12);
        assert_eq!((centred_score(1.0, 5), centred_score(3.0, 5)), (-1.0, 0.0));
        assert_eq!(centred_score(5.0, 5), 1.0);
    }

    #[test]
    fn a_common_factor_changes_nothing() {
        let plain = expected_score(&[-1.0, -2.0, -0.5]).unwrap();
        let shifted = expected_score(&[-1001.0, -1002.0, -1000.5]).unwrap();
        assert!((plain - shifted).abs() < 1e-12);
    }

    #[test]
    fn impossible_answers_are_left_to_the_possible_ones() {
        let none = f64::NEG_INFINITY;
        assert_eq!(option_probabilities(&[none, -7.0, none]).unwrap(), [0.0, 1.0, 0.0]);
        assert!(option_probabilities(&[none, none]).is_err());
        assert!(option_probabilities(&[0.0, f64::NAN]).is_err());
        let refused = option_probabilities(&[0.0]);
        assert_eq!(refused, Err(FeedbackError::TooFewOptions { found: 1 }));
    }
}
