//! How much earlier messages have to do with what is asked now.
//!
//! Okapi BM25 (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework", equation 3.15) with k1 = 1.2 and
//! b = 0.75, over lower-case words without function words. The choice a reader would question: the inverse
//! document frequency has one added inside its logarithm, as Lucene has it, so that a word which most messages
//! hold counts little and never against them.

use std::collections::HashMap;

use crate::text::{is_function_word, words};

const K1: f64 = 1.2;
const B: f64 = 0.75;

/// The BM25 score of each text for `query`: 0 where they share no word.
pub fn bm25(query: &str, texts: &[&str]) -> Vec<f64> {
    let mut asked = content_words(query);
    asked.sort_unstable();
    asked.dedup();
    let counts: Vec<HashMap<String, usize>> = texts.iter().map(|text| counted(text)).collect();
    let lengths: Vec<f64> = counts.iter().map(|c| c.values().sum::<usize>() as f64).collect();
    let n = texts.len() as f64;
    let mean = (lengths.iter().sum::<f64>() / n.max(1.0)).max(1.0);
    let mut scores = vec![0.0; texts.len()];
    for word in asked {
        let with = counts.iter().filter(|count| count.contains_key(&word)).count() as f64;
        let idf = (1.0 + (n - with + 0.5) / (with + 0.5)).ln();
        for ((count, length), score) in counts.iter().zip(&lengths).zip(&mut scores) {
            let tf = count.get(&word).copied().unwrap_or(0) as f64;
            *score += idf * tf * (K1 + 1.0) / (tf + K1 * (1.0 - B + B * length / mean));
        }
    }
    scores
}

/// The cosine of the angle between two vectors; 0 where one is all zeros or their lengths differ.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    if a.len() != b.len() {
        return 0.0;
    }
    let dot = |x: &[f32], y: &[f32]| {
        x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>()
    };
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}

fn counted(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for word in content_words(text) {
        *counts.entry(word).or_default() += 1;
    }
    counts
}

fn content_words(text: &str) -> Vec<String> {
    words(text).into_iter().filter(|word| !is_function_word(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: [&str; 4] = [
        "My parcel with the blue lamp never arrived",
        "The blue lamp costs forty dollars",
        "Which colour do you like",
        "Parcel, parcel, parcel: where is my parcel",
    ];

    /// The formula, word by word and text by text, with counts taken anew each time.
    fn naive(query: &[&str], text: usize) -> f64 {
        let docs: Vec<Vec<String>> = TEXTS.iter().map(|t| content_words(t)).collect();
        let mean = docs.iter().map(Vec::len).sum::<usize>() as f64 / docs.len() as f64;
        let mut total = 0.0;
        for word in query {
            let holds = |doc: &&Vec<String>| doc.iter().any(|w| w == word);
            let df = docs.iter().filter(holds).count() as f64;
            let idf = ((docs.len() as f64 - df + 0.5) / (df + 0.5) + 1.0).ln();
            let tf = docs[text].iter().filter(|w| w == word).count() as f64;
            let norm = 1.2 * (1.0 - 0.75 + 0.75 * docs[text].len() as f64 / mean);
            total += idf * (tf * 2.2) / (tf + norm);
        }
        total
    }

    #[test]
    fn scores_are_the_formula() {
        let scores = bm25("Where is the parcel with my lamp? The parcel!", &TEXTS);
        for (text, score) in scores.iter().enumerate() {
            let expected = naive(&["parcel", "lamp"], text);
            assert!((score - expected).abs() < 1e-12, "{text}: {score} {expected}");
        }
        assert_eq!(scores[2], 0.0);
        assert!(scores[0] > scores[1]);
    }

    #[test]
    fn nothing_in_common_is_zero() {
        assert_eq!(bm25("the and of", &TEXTS), [0.0; 4]);
        assert_eq!(bm25("", &TEXTS), [0.0; 4]);
        assert_eq!(bm25("lamp", &[]), [0.0; 0]);
        assert_eq!(bm25("lamp", &["", "lamp"])[0], 0.0);
    }

    #[test]
    fn angles() {
        assert_eq!(cosine(&[1.0, 0.0], &[2.0, 0.0]), 1.0);
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 3.0]), 0.0);
        assert_eq!(cosine(&[0.0], &[1.0]), 0.0);
        assert_eq!(cosine(&[1.0], &[1.0, 1.0]), 0.0);
    }
}
