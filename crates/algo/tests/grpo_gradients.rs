//! The loss is what its definition says, and its gradients are its derivatives.
//!
//! 1. Loss: equal to a naive loop over groups, trajectories and tokens that shares no code with the
//!    library (rtol 1e-9).
//! 2. Gradients: equal to central differences of that loop (h = 1e-6), rtol 1e-5 and atol 1e-7.
//! 3. Gradients: equal to central differences of the loss itself (h = 2^-20, exact in f32).
//!
//! The old policy is frozen in the differences, also where it is the current one.

#![allow(
    clippy::unwrap_used,
    reason = "a batch without the arrays it was built with ends the test"
)]

mod common;

use common::{Batch, assert_close, batches, settings};
use proptest::prelude::*;
use stateset_algo::{Aggregation, GroupAdvantage, KlEstimator, PolicyGradient, Surrogate};

/// The loss by its definition, in the order of a reader's eye. `old` is frozen by the caller.
struct Oracle<'a> {
    grpo: &'a PolicyGradient,
    batch: &'a Batch,
    old: Vec<Vec<f64>>,
}

impl Oracle<'_> {
    fn loss(&self, current: &[Vec<f64>], entropies: &[Vec<f64>]) -> f64 {
        let Oracle { grpo, batch, .. } = self;
        let n_total: usize = self.kept_rows().map(|row| batch.rows[row].current.len()).sum();
        let mut total = 0.0;
        for trajectory in 0..batch.trajectories.len() {
            let rows: Vec<usize> =
                self.kept_rows().filter(|&r| batch.rows[r].trajectory == trajectory).collect();
            let n_own: usize = rows.iter().map(|&r| batch.rows[r].current.len()).sum();
            let n_trajectories = batch.trajectories.len() as f64;
            let denominator = match grpo.aggregation {
                Aggregation::Grpo => n_trajectories * n_own.max(1) as f64,
                Aggregation::DrGrpo { max_completion_tokens } => {
                    n_trajectories * max_completion_tokens as f64
                }
                _ => n_total.max(1) as f64,
            };
            for &row in &rows {
                for token in 0..batch.rows[row].current.len() {
                    total += self.token(row, token, current[row][token]) / denominator;
                    total -= grpo.entropy_coef * entropies[row][token] / n_total as f64;
                }
            }
        }
        total
    }

    fn kept_rows(&self) -> impl Iterator<Item = usize> {
        let is_kept = |row: &usize| {
            let trajectory = self.batch.rows[*row].trajectory;
            !(self.grpo.mask_truncated && self.batch.trajectories[trajectory].truncated)
        };
        (0..self.batch.rows.len()).filter(is_kept)
    }

    fn token(&self, row: usize, token: usize, current: f64) -> f64 {
        let Surrogate::Clip { clip, .. } = &self.grpo.surrogate else { panic!("not clipped") };
        let advantage = self.advantage(self.batch.rows[row].trajectory);
        let rho = (current - self.old[row][token]).exp();
        let clipped = rho.max(1.0 - clip.low).min(1.0 + clip.high);
        let first = clip.delta.map_or(rho, |delta| rho.min(delta)) * advantage;
        let policy = -first.min(clipped * advantage);
        let reference = f64::from(self.batch.rows[row].reference.as_ref().unwrap()[token]);
        let d = current - reference;
        let k3 = (-d).exp() - 1.0 + d;
        let kl = match self.grpo.kl.estimator {
            KlEstimator::K1 => d,
            KlEstimator::K2 => d * d / 2.0,
            KlEstimator::K3 => k3,
            KlEstimator::K3ImportanceCorrected => rho * k3,
        };
        policy + self.grpo.kl.coef * kl
    }

    fn advantage(&self, trajectory: usize) -> f64 {
        let group = self.batch.trajectories[trajectory].group;
        let rewards: Vec<f64> = (self.batch.trajectories.iter())
            .filter(|t| t.group == group)
            .filter_map(|t| t.reward)
            .collect();
        let Some(reward) = self.batch.trajectories[trajectory].reward else { return 0.0 };
        if rewards.iter().all(|&r| r == reward) {
            return 0.0;
        }
        let n = rewards.len() as f64;
        let mean = rewards.iter().sum::<f64>() / n;
        let variance = rewards.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / (n - 1.0);
        (reward - mean) / (variance.sqrt() + GroupAdvantage::default().epsilon)
    }
}

fn widened(rows: &[common::Row], of: impl Fn(&common::Row) -> &[f32]) -> Vec<Vec<f64>> {
    rows.iter().map(|row| of(row).iter().map(|&x| f64::from(x)).collect()).collect()
}

/// The same batch with the old policy written out.
fn frozen(batch: &Batch) -> Batch {
    let mut frozen = batch.clone();
    for row in &mut frozen.rows {
        row.old.get_or_insert_with(|| row.current.clone());
    }
    frozen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn equal_to_the_naive_loop_and_its_differences(batch in batches(), grpo in settings(true)) {
        let got = batch.run(&grpo);
        let batch = frozen(&batch);
        let old = widened(&batch.rows, |row| row.old.as_deref().unwrap());
        let oracle = Oracle { grpo: &grpo, batch: &batch, old };
        let mut current = widened(&batch.rows, |row| &row.current);
        let mut entropies = widened(&batch.rows, |row| &row.entropies);
        assert_close(got.loss, oracle.loss(&current, &entropies), 1e-9, 1e-12);

        let h = 1e-6;
        for row in 0..batch.rows.len() {
            for token in 0..batch.rows[row].current.len() {
                let mut at = |x: f64| {
                    let before = std::mem::replace(&mut current[row][token], x);
                    let loss = oracle.loss(&current, &entropies);
                    current[row][token] = before;
                    loss
                };
                let here = f64::from(batch.rows[row].current[token]);
                let numeric = (at(here + h) - at(here - h)) / (2.0 * h);
                assert_close(f64::from(got.gradients[row].logprobs[token]), numeric, 1e-5, 1e-7);

                let mut at = |x: f64| {
                    let before = std::mem::replace(&mut entropies[row][token], x);
                    let loss = oracle.loss(&current, &entropies);
                    entropies[row][token] = before;
                    loss
                };
                let here = f64::from(batch.rows[row].entropies[token]);
                let numeric = (at(here + h) - at(here - h)) / (2.0 * h);
                let gradient = got.gradients[row].entropies.get(token).copied().unwrap_or(0.0);
                assert_close(f64::from(gradient), numeric, 1e-5, 1e-7);
            }
        }
    }

    #[test]
    fn gradients_are_differences_of_the_loss_itself(batch in batches(), grpo in settings(true)) {
        let gradients = batch.run(&grpo).gradients;
        let mut moved = frozen(&batch);
        let h = 2f32.powi(-20);
        for (row, gradients) in gradients.iter().enumerate() {
            for (token, &gradient) in gradients.logprobs.iter().enumerate() {
                let here = batch.rows[row].current[token];
                moved.rows[row].current[token] = here + h;
                let above = moved.run(&grpo).loss;
                moved.rows[row].current[token] = here - h;
                let below = moved.run(&grpo).loss;
                moved.rows[row].current[token] = here;
                let numeric = (above - below) / (2.0 * f64::from(h));
                assert_close(f64::from(gradient), numeric, 1e-5, 1e-7);
            }
        }
    }
}
