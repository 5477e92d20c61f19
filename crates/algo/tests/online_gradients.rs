//! The loss of every online method is what its definition says, and its gradients are its derivatives.
//!
//! 1. Loss: equal to a naive loop over trajectories and tokens (`online_support/loss.rs`) that shares
//!    no code with the library, in every combination of parts (rtol 1e-8).
//! 2. Gradients with respect to every log-prob, entropy and value: equal to central differences of
//!    that loop (h = 1e-6; rtol 1e-5, atol 1e-7) in which all that carries no gradient is held still:
//!    old, sampling and reference log-probs, advantages, weights of REINFORCE, CISPO and VESPO,
//!    corrections, masks, GEPO's denominator. A token at a kink, where the two points of a difference
//!    take different branches, is passed over.
//! 3. Each method by itself, so that none can hide behind the random choice of the others.
//! 4. Inputs rounded to f32 give losses within 1e-5 and gradients within 1e-4 of those of the
//!    numbers before rounding.

mod online_support;

use online_support::loss::{Oracle, Point};
use online_support::methods::{methods, random_methods};
use online_support::{Batch, Outcome, assert_close, batches};
use proptest::prelude::*;
use stateset_algo::{PolicyGradient, RowGradients};

const H: f64 = 1e-6;

/// One kind of numbers of a point, and where their gradients are.
type Kind = (&'static str, fn(&mut Point) -> &mut Vec<Vec<f64>>, fn(&RowGradients) -> &Vec<f32>);

const KINDS: [Kind; 3] = [
    ("log-prob", |point| &mut point.current, |row| &row.logprobs),
    ("entropy", |point| &mut point.entropies, |row| &row.entropies),
    ("value", |point| &mut point.values, |row| &row.values),
];

fn assert_differences(oracle: &Oracle<'_>, batch: &Batch, got: &Outcome, name: &str) {
    let mut point = Point::of(batch);
    for (kind, numbers, gradients) in KINDS {
        for row in 0..batch.rows.len() {
            for token in 0..batch.rows[row].current.len() {
                let mut at = |step: f64| {
                    let here = numbers(&mut point)[row][token];
                    numbers(&mut point)[row][token] = here + step;
                    let found = oracle.loss(&point);
                    numbers(&mut point)[row][token] = here;
                    found
                };
                let ((above, high), (below, low)) = (at(H), at(-H));
                if high != low {
                    continue;
                }
                let numeric = (above - below) / (2.0 * H);
                let gradient = gradients(&got.gradients[row]).get(token).copied().unwrap_or(0.0);
                let what = format!("{name}, {kind} {token} of row {row}");
                assert_close(f64::from(gradient), numeric, 1e-5, 1e-7, &what);
            }
        }
    }
}

fn assert_all(method: &PolicyGradient, batch: &Batch, name: &str) {
    let got = batch.run(method);
    let oracle = Oracle::new(method, batch);
    let (wanted, _) = oracle.loss(&Point::of(batch));
    assert_close(got.loss, wanted, 1e-8, 1e-10, name);
    assert_differences(&oracle, batch, &got, name);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn every_combination((name, method) in random_methods(true), batch in batches()) {
        prop_assert_eq!(method.validate(), []);
        assert_all(&method, &batch, name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn every_method_by_itself(batch in batches()) {
        for (name, method) in methods() {
            assert_all(&method, &batch, name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn single_precision_is_close(batch in batches(), offset in 0.0f64..1.0) {
        for (name, method) in methods() {
            let mut batch = batch.with_old();
            let mut exact = Point::of(&batch);
            for (row, numbers) in batch.rows.iter_mut().zip(&mut exact.current) {
                for (rounded, number) in row.current.iter_mut().zip(numbers) {
                    *number -= offset / 700.0;
                    *rounded = *number as f32;
                }
            }
            let got = batch.run(&method);
            let mut oracle = Oracle::new(&method, &batch);
            let (wanted, branches) = oracle.at(exact.clone()).loss(&exact);
            // On the other side of a jump the numbers have nothing to do with each other.
            if oracle.at(Point::of(&batch)).loss(&Point::of(&batch)).1 != branches {
                continue;
            }
            assert_close(got.loss, wanted, 1e-5, 1e-5, name);
            let oracle = oracle.at(exact.clone());
            for row in 0..batch.rows.len() {
                for token in 0..batch.rows[row].current.len() {
                    let at = |step: f64| {
                        let mut point = exact.clone();
                        point.current[row][token] += step;
                        oracle.loss(&point)
                    };
                    let ((above, high), (below, low)) = (at(H), at(-H));
                    if high == low {
                        let gradient = f64::from(got.gradients[row].logprobs[token]);
                        assert_close(gradient, (above - below) / (2.0 * H), 1e-4, 1e-5, name);
                    }
                }
            }
        }
    }
}
