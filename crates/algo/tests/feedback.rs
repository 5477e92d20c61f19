//! The arithmetic of AI feedback beside other people's code.

use serde::Deserialize;
use stateset_algo::{Strengths, Wins, expected_score, soft_label_loss};

const GOLDEN: &str = include_str!("../../../tests/golden/feedback.json");

#[derive(Deserialize)]
struct Golden {
    strengths: Vec<StrengthsCase>,
    expected: Vec<Expected>,
    soft_label: Vec<Soft>,
}

#[derive(Deserialize)]
struct StrengthsCase {
    wins: Vec<Vec<f64>>,
    prior: f64,
    strengths: Vec<f64>,
}

#[derive(Deserialize)]
struct Expected {
    logprobs: Vec<f64>,
    expected: f64,
}

#[derive(Deserialize)]
struct Soft {
    p: f64,
    a: f64,
    b: f64,
    loss: f64,
}

fn golden() -> Golden {
    serde_json::from_str(GOLDEN).expect("well formed")
}

/// Notes `wins` over and `losses` against j one comparison after the other.
fn note(wins: &mut Wins, i: usize, j: usize, won: f64, lost: f64) {
    let n = (won + lost).round() as usize;
    for _ in 0..n {
        wins.add(i, j, won / (won + lost)).expect("two samples");
    }
}

#[test]
fn strengths_are_choix_s() {
    let cases = golden().strengths;
    assert_eq!(cases.len(), 8);
    for case in cases {
        let n = case.wins.len();
        let mut wins = Wins::new(n);
        for i in 0..n {
            for j in 0..i {
                note(&mut wins, i, j, case.wins[i][j], case.wins[j][i]);
            }
        }
        let settings = Strengths { prior: case.prior, tolerance: 1e-13, ..Default::default() };
        let strengths = settings.strengths(&wins).unwrap();
        for (ours, theirs) in strengths.iter().zip(&case.strengths) {
            let ours = ours.unwrap();
            assert!((ours - theirs).abs() < 1e-8, "{ours} {theirs} prior {}", case.prior);
        }
    }
}

#[test]
fn expected_scores_are_scipy_s() {
    for case in golden().expected {
        let ours = expected_score(&case.logprobs).unwrap();
        assert!((ours - case.expected).abs() < 1e-12, "{ours} {}", case.expected);
    }
}

#[test]
fn soft_label_losses_are_scipy_s() {
    for case in golden().soft_label {
        let ours = soft_label_loss(case.p, case.a, case.b).unwrap().loss;
        assert!((ours - case.loss).abs() < 1e-12, "{ours} {}", case.loss);
    }
}
