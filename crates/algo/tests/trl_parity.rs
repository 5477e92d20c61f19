//! Advantages, losses, gradients and metrics are those of TRL's own code.
//!
//! `tests/golden/grpo_trl.py` says how the numbers were made. TRL ran in f64; ours are f64 up to the
//! gradients, which are f32: rtol 1e-9 on losses and advantages, rtol 1e-5 and atol 1e-8 on gradients,
//! rtol 1e-6 on metrics, which TRL counts in f32.
//! Pinned here:
//!
//! 1. Rewards to advantages, for every scaling, with parts that could not be scored.
//! 2. Loss and gradient, for every aggregation x KL form x mask x old policy x delta.
//! 3. Micro-batches, TRL's generation window, and the entropy bonus with its gradient.
//! 4. KL, entropy, clip shares and reward spread under TRL's definitions.

#![allow(clippy::unwrap_used, reason = "a golden file that cannot be read ends the test")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{Batch, Row, assert_close, run_step};
use serde::Deserialize;
use stateset_algo::{
    Aggregation, Clip, Credit, Diagnostics, GenerationWindow, GroupAdvantage, KlEstimator,
    KlPenalty, PolicyGradient, RewardCombination, RewardScaling, StepData, Surrogate,
    TrajectoryData, weighted_total,
};

#[derive(Deserialize)]
struct Golden {
    epsilon_low: f64,
    epsilon_high: f64,
    max_completion_length: usize,
    n_generations: usize,
    rewards: BTreeMap<String, RewardTable>,
    advantages: Vec<AdvantageCase>,
    batches: BTreeMap<String, GoldenBatch>,
    losses: Vec<LossCase>,
}

#[derive(Deserialize)]
struct RewardTable {
    per_function: Vec<Vec<Option<f64>>>,
    weights: Vec<f64>,
}

#[derive(Deserialize)]
struct AdvantageCase {
    rewards: String,
    scale_rewards: String,
    aggregation: String,
    advantages: Vec<f64>,
    reward: Option<f64>,
    reward_std: Option<f64>,
}

#[derive(Deserialize)]
struct GoldenBatch {
    rewards: String,
    mask_truncated: bool,
    truncated: Vec<bool>,
    n_generation_tokens: usize,
    logps: Vec<Vec<f32>>,
    old: Vec<Vec<f32>>,
    #[serde(rename = "ref")]
    reference: Vec<Vec<f32>>,
    entropies: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct LossCase {
    batch: String,
    micro_batches: usize,
    steps_per_generation: usize,
    entropy_coef: f64,
    on_policy: bool,
    loss_type: String,
    delta: Option<f64>,
    beta: f64,
    corrected: bool,
    loss: f64,
    d_logprob: Vec<Vec<f64>>,
    d_entropy: Option<Vec<Vec<f64>>>,
    #[serde(default)]
    metrics: BTreeMap<String, f64>,
}

fn golden() -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/grpo_trl.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn trajectories(golden: &Golden, rewards: &str) -> Vec<TrajectoryData> {
    let table = &golden.rewards[rewards];
    (table.per_function.iter().enumerate())
        .map(|(i, components)| TrajectoryData {
            group: i / golden.n_generations,
            reward: weighted_total(components, &table.weights),
            components: components.clone(),
            ..TrajectoryData::default()
        })
        .collect()
}

fn group_advantage(case: &AdvantageCase) -> GroupAdvantage {
    GroupAdvantage {
        scaling: match case.scale_rewards.as_str() {
            "group" => RewardScaling::Group,
            "batch" => RewardScaling::Batch,
            "none" => RewardScaling::None,
            other => panic!("scale_rewards {other}"),
        },
        combination: match case.aggregation.as_str() {
            "sum_then_normalize" => RewardCombination::SumThenNormalize,
            "normalize_then_sum" => RewardCombination::NormalizeThenSum,
            other => panic!("aggregation {other}"),
        },
        ..GroupAdvantage::default()
    }
}

#[test]
fn advantages() {
    let golden = golden();
    assert_eq!(golden.advantages.len(), 16);
    for case in &golden.advantages {
        let step = StepData {
            trajectories: trajectories(&golden, &case.rewards),
            component_weights: golden.rewards[&case.rewards].weights.clone(),
            ..StepData::default()
        };
        let got = group_advantage(case).advantages(&step).unwrap();
        for (got, wanted) in got.iter().zip(&case.advantages) {
            assert_close(*got, *wanted, 1e-9, 1e-12);
        }
        let rewards = Credit::of_trajectories(&step, &got).rewards;
        let report = Diagnostics { rewards, ..Diagnostics::default() }.finish();
        if let (Some(mean), Some(std)) = (case.reward, case.reward_std) {
            assert_close(report["reward/mean"], mean, 1e-9, 0.0);
            assert_close(report["reward/std"], std, 1e-9, 0.0);
        } else {
            assert!(!report.contains_key("reward/mean"), "{}", case.rewards);
        }
    }
}

fn grpo(golden: &Golden, case: &LossCase) -> PolicyGradient {
    let estimator =
        if case.corrected { KlEstimator::K3ImportanceCorrected } else { KlEstimator::K3 };
    PolicyGradient {
        surrogate: Surrogate::clip(Clip {
            low: golden.epsilon_low,
            high: golden.epsilon_high,
            delta: case.delta,
        }),
        aggregation: match case.loss_type.as_str() {
            "grpo" => Aggregation::Grpo,
            "bnpo" => Aggregation::Bnpo,
            "dr_grpo" => {
                Aggregation::DrGrpo { max_completion_tokens: golden.max_completion_length }
            }
            "dapo" => {
                Aggregation::Dapo { trl_window: case.micro_batches < case.steps_per_generation }
            }
            other => panic!("loss_type {other}"),
        },
        kl: KlPenalty { coef: case.beta, estimator },
        entropy_coef: case.entropy_coef,
        mask_truncated: golden.batches[&case.batch].mask_truncated,
        ..PolicyGradient::default()
    }
}

/// The sequences of one optimiser step: as many micro-batches as make one accumulation window.
fn batch(golden: &Golden, case: &LossCase) -> Batch {
    let source = &golden.batches[&case.batch];
    let mut trajectories = trajectories(golden, &source.rewards);
    for (trajectory, truncated) in trajectories.iter_mut().zip(&source.truncated) {
        trajectory.truncated = *truncated;
    }
    let n = trajectories.len() * case.micro_batches / case.steps_per_generation;
    trajectories.truncate(n);
    let row = |i: usize| Row {
        trajectory: i,
        current: source.logps[i].clone(),
        old: (!case.on_policy).then(|| source.old[i].clone()),
        behaviour: source.old[i].clone(),
        reference: (case.beta != 0.0).then(|| source.reference[i].clone()),
        entropies: source.entropies[i].clone(),
    };
    Batch { trajectories, rows: (0..n).map(row).collect() }
}

#[test]
fn losses_and_gradients() {
    let golden = golden();
    assert_eq!(golden.losses.len(), 171);
    for case in &golden.losses {
        let batch = batch(&golden, case);
        let mut step = batch.step();
        step.window = Some(GenerationWindow {
            n_loss_tokens: golden.batches[&case.batch].n_generation_tokens,
            n_optimizer_steps: case.steps_per_generation / case.micro_batches,
        });
        let size = batch.rows.len() / case.micro_batches;
        let micro_batches: Vec<Vec<usize>> =
            batch.all_rows().chunks(size).map(<[usize]>::to_vec).collect();
        let outcome = run_step(&grpo(&golden, case), &step, &batch, &micro_batches);

        assert_close(outcome.loss, case.loss, 1e-9, 1e-12);
        for (row, gradients) in outcome.gradients.iter().enumerate() {
            assert_gradients(&gradients.logprobs, &case.d_logprob[row]);
            if let Some(d_entropy) = &case.d_entropy {
                assert_gradients(&gradients.entropies, &d_entropy[row]);
            }
        }
        assert_metrics(&outcome.diagnostics, case);
    }
}

#[track_caller]
fn assert_gradients(got: &[f32], wanted: &[f64]) {
    assert_eq!(got.len(), wanted.len());
    for (&got, &wanted) in got.iter().zip(wanted) {
        assert_close(f64::from(got), wanted, 1e-5, 1e-8);
    }
}

#[track_caller]
fn assert_metrics(diagnostics: &Diagnostics, case: &LossCase) {
    let report = diagnostics.finish();
    for (trl, &wanted) in &case.metrics {
        let ours = match trl.as_str() {
            "entropy" => "entropy",
            "clip_ratio/low_mean" => "clip/low",
            "clip_ratio/high_mean" => "clip/high",
            "clip_ratio/region_mean" => "clip/region",
            // TRL reports the KL with its importance correction; ours is the estimate itself.
            "kl" if case.corrected && !case.on_policy => continue,
            "kl" => "reference_kl",
            other => panic!("metric {other}"),
        };
        assert_close(report[ours], wanted, 1e-6, 1e-12);
    }
}
