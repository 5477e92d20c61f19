//! Batched estimation with done flags is Stable-Baselines3's (`tests/golden/gae_sb3.py`), which works
//! in f32: ours in f32 and in f64, both layouts, atol 2e-6.

#![allow(clippy::unwrap_used, reason = "a golden file that cannot be read ends the test")]

use std::path::Path;

use serde::Deserialize;
use stateset_algo::{Gae, GaeBatch, Real};

const ATOL: f64 = 2e-6;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    n_steps: usize,
    n_envs: usize,
    gamma: f64,
    gae_lambda: f64,
    rewards: Vec<f64>,
    values: Vec<f64>,
    dones: Vec<bool>,
    last_values: Vec<f64>,
    advantages: Vec<f64>,
    returns: Vec<f64>,
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/gae_sb3.json");
    let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(golden.cases.iter().any(|case| case.dones.contains(&true)));
    golden.cases
}

fn real<T: Real>(values: &[f64]) -> Vec<T> {
    values.iter().copied().map(T::from_f64).collect()
}

/// From `[step][environment]` to `[environment][step]`.
fn rows_of<T: Copy>(case: &Case, steps: &[T]) -> Vec<T> {
    let env = |env: usize| (0..case.n_steps).map(move |step| steps[step * case.n_envs + env]);
    (0..case.n_envs).flat_map(env).collect()
}

#[track_caller]
fn assert_close(got: f64, wanted: f64) {
    assert!((got - wanted).abs() <= ATOL, "{got} is not {wanted}");
}

fn check<T: Real>(case: &Case) {
    let gae = Gae { gamma: case.gamma, lambda: case.gae_lambda };
    let last_values = real::<T>(&case.last_values);
    let mut out = vec![T::ZERO; case.rewards.len()];
    let batch = GaeBatch {
        rewards: &real::<T>(&case.rewards),
        values: &real::<T>(&case.values),
        dones: &case.dones,
        last_values: &last_values,
    };
    gae.steps_first(&batch, &mut out).unwrap();
    for (i, advantage) in out.iter().enumerate() {
        assert_close(advantage.to_f64(), case.advantages[i]);
        assert_close(advantage.to_f64() + case.values[i], case.returns[i]);
    }
    let batch = GaeBatch {
        rewards: &rows_of(case, batch.rewards),
        values: &rows_of(case, batch.values),
        dones: &rows_of(case, batch.dones),
        last_values: &last_values,
    };
    gae.rows_first(&batch, &mut out).unwrap();
    for (advantage, wanted) in out.iter().zip(rows_of(case, &case.advantages)) {
        assert_close(advantage.to_f64(), wanted);
    }
}

#[test]
fn advantages_and_returns_of_the_rollout_buffer() {
    for case in cases() {
        check::<f32>(&case);
        check::<f64>(&case);
    }
}

/// Without ends, each environment is one trajectory that was cut off.
#[test]
fn one_trajectory_with_its_bootstrap_value() {
    let case = cases().into_iter().find(|case| !case.dones.contains(&true)).unwrap();
    let gae = Gae { gamma: case.gamma, lambda: case.gae_lambda };
    let (rewards, values) = (rows_of(&case, &case.rewards), rows_of(&case, &case.values));
    let wanted = rows_of(&case, &case.advantages);
    for env in 0..case.n_envs {
        let steps = env * case.n_steps..(env + 1) * case.n_steps;
        let (rewards, values) = (&rewards[steps.clone()], &values[steps.clone()]);
        let got = gae.advantages(rewards, values, case.last_values[env]).unwrap();
        for (got, wanted) in got.iter().zip(&wanted[steps]) {
            assert_close(*got, *wanted);
        }
    }
}
