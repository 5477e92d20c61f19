//! Every online policy loss of TRL, with gradients, by TRL's own code.
//!
//! `tests/golden/policy_trl.py` says how the numbers were made and how the file is laid out. TRL ran
//! in f64; ours are f64 up to the gradients, which are f32: rtol 1e-8 on losses, rtol 1e-5 and atol
//! 1e-8 on gradients, rtol 1e-6 on metrics, which TRL counts in f32.
//! Pinned here:
//!
//! 1. Loss and d loss / d log-prob of all eight loss types and of GMPO: ratios of tokens and of
//!    sequences, KL with and without its correction, tool and truncation masks, two-sided clipping,
//!    top entropy, off-policy masks, all modes of importance correction, micro-batches.
//! 2. The entropy bonus, but for the two ways in which ours is another ([`bonus_is_ours`]).
//! 3. Clip shares, KL and entropy under TRL's definitions, where they are means over tokens.
//! 4. The entropy coefficient as a controlled quantity: coefficient, entropy and bonus of several steps.
//! 5. RLOO: advantages with a KL penalty in the reward, unscorable samples, standardised advantages;
//!    loss and gradients of one step with them.

#![allow(clippy::unwrap_used, reason = "a golden file that cannot be read ends the test")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{Batch, Outcome, Row, assert_close, run_step};
use serde::Deserialize;
use serde_json::{Map, Value};
use stateset_algo::{
    AdaptiveEntropy, AdvantageEstimator, Aggregation, Algorithm, Cispo, Clip, Controls, Correction,
    CorrectionLevel, CorrectionRule, GenerationWindow, Gmpo, KlEstimator, KlPenalty, LeaveOneOut,
    PolicyGradient, RatioLevel, Sapo, Surrogate, TrajectoryData, Vespo, VespoShape,
};

#[derive(Deserialize)]
struct Golden {
    max_completion_length: usize,
    n_generations: usize,
    defaults: Map<String, Value>,
    batches: BTreeMap<String, GoldenBatch>,
    cases: Vec<Map<String, Value>>,
    adaptive_entropy: Controlled,
    rloo: Vec<RlooCase>,
}

#[derive(Deserialize)]
struct Controlled {
    entropy_target: f64,
    entropy_coef_delta: f64,
    entropy_coef_max: f64,
    entropy_coef: f64,
    steps: Vec<ControlledStep>,
}

#[derive(Deserialize)]
struct ControlledStep {
    batch: String,
    entropy_scale: f32,
    loss: f64,
    d_entropy: Vec<Vec<f64>>,
    entropy_coef: f64,
    entropy: f64,
}

#[derive(Deserialize)]
struct RlooCase {
    batch: String,
    rewards: Vec<Option<f64>>,
    beta: f64,
    normalize: bool,
    epsilon_low: f64,
    epsilon_high: f64,
    advantages: Vec<f64>,
    loss: f64,
    d_logprob: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct GoldenBatch {
    mask_truncated: bool,
    truncated: Vec<bool>,
    rewards: Vec<f64>,
    advantages: Vec<f64>,
    n_tokens: usize,
    logps: Vec<Vec<f32>>,
    old: Vec<Vec<f32>>,
    #[serde(rename = "ref")]
    reference: Vec<Vec<f32>>,
    sampling: Vec<Vec<Option<f32>>>,
    entropies: Vec<Vec<f32>>,
}

#[derive(Debug, Deserialize)]
struct Case {
    batch: String,
    algorithm: String,
    loss_type: String,
    importance_sampling_level: String,
    on_policy: bool,
    beta: f64,
    use_bias_correction_kl: bool,
    epsilon_low: f64,
    epsilon_high: f64,
    delta: Option<f64>,
    top_entropy_quantile: f64,
    off_policy_mask_threshold: Option<f64>,
    vllm_importance_sampling_mode: Option<String>,
    vllm_importance_sampling_clip_min: Option<f64>,
    vllm_importance_sampling_clip_max: Option<f64>,
    entropy_coef: f64,
    micro_batches: usize,
    steps_per_generation: usize,
    sapo_temperature_neg: f64,
    sapo_temperature_pos: f64,
    vespo_k_pos: f64,
    vespo_lambda_pos: f64,
    vespo_k_neg: f64,
    vespo_lambda_neg: f64,
    loss: f64,
    d_logprob: Vec<Vec<f64>>,
    d_entropy: Option<Vec<Vec<f64>>>,
    #[serde(default)]
    metrics: BTreeMap<String, Option<f64>>,
}

fn golden() -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/policy_trl.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

impl Golden {
    /// All cases, with the defaults filled in.
    fn cases(&self) -> Vec<Case> {
        let full = |case: &Map<String, Value>| {
            let mut all = self.defaults.clone();
            all.extend(case.clone());
            serde_json::from_value(Value::Object(all)).unwrap()
        };
        self.cases.iter().map(full).collect()
    }

    fn batch(&self, case: &Case) -> Batch {
        let source = &self.batches[&case.batch];
        let n = source.rewards.len() * case.micro_batches / case.steps_per_generation;
        let trajectory = |i: usize| TrajectoryData {
            group: i / self.n_generations,
            reward: Some(source.rewards[i]),
            truncated: source.truncated[i],
            ..TrajectoryData::default()
        };
        let known = |lp: &Option<f32>| lp.unwrap_or(f32::NAN);
        let row = |i: usize| Row {
            trajectory: i,
            current: source.logps[i].clone(),
            old: (!case.on_policy).then(|| source.old[i].clone()),
            behaviour: source.sampling[i].iter().map(known).collect(),
            reference: (case.beta != 0.0).then(|| source.reference[i].clone()),
            entropies: source.entropies[i].clone(),
        };
        Batch { trajectories: (0..n).map(trajectory).collect(), rows: (0..n).map(row).collect() }
    }

    fn method(&self, case: &Case) -> PolicyGradient {
        let is_corrected = case.use_bias_correction_kl && case.algorithm != "gmpo";
        let estimator =
            if is_corrected { KlEstimator::K3ImportanceCorrected } else { KlEstimator::K3 };
        let share = case.top_entropy_quantile;
        PolicyGradient {
            surrogate: surrogate(case),
            aggregation: self.aggregation(case),
            kl: KlPenalty { coef: case.beta, estimator },
            entropy_coef: case.entropy_coef,
            mask_truncated: self.batches[&case.batch].mask_truncated,
            correction: correction(case),
            off_policy_delta: case.off_policy_mask_threshold,
            top_entropy_share: (share < 1.0).then_some(share),
            ..PolicyGradient::default()
        }
    }

    fn aggregation(&self, case: &Case) -> Aggregation {
        match case.loss_type.as_str() {
            "grpo" | "sapo" => Aggregation::Grpo,
            "bnpo" => Aggregation::Bnpo,
            "dr_grpo" => Aggregation::DrGrpo { max_completion_tokens: self.max_completion_length },
            "luspo" => Aggregation::TokenSum,
            "dapo" | "cispo" | "vespo" => {
                Aggregation::Dapo { trl_window: case.micro_batches < case.steps_per_generation }
            }
            other => panic!("loss_type {other}"),
        }
    }

    fn constant(&self, case: &Case) -> f64 {
        let source = &self.batches[&case.batch];
        if case.algorithm == "gmpo" { source.constant(&source.advantages) } else { 0.0 }
    }

    fn run(&self, case: &Case) -> Outcome {
        let batch = self.batch(case);
        let mut step = batch.step();
        step.window = Some(GenerationWindow {
            n_loss_tokens: self.batches[&case.batch].n_tokens,
            n_optimizer_steps: case.steps_per_generation / case.micro_batches,
        });
        for (data, row) in step.rows.iter_mut().zip(&batch.rows) {
            data.entropies = Some(&row.entropies);
        }
        let size = batch.rows.len() / case.micro_batches;
        let micro_batches: Vec<Vec<usize>> =
            batch.all_rows().chunks(size).map(<[usize]>::to_vec).collect();
        run_step(&self.method(case), &step, &batch, &micro_batches)
    }
}

impl GoldenBatch {
    /// The batch with other rewards.
    fn scored(&self, rewards: &[Option<f64>], n_generations: usize) -> Batch {
        let trajectory = |(i, reward): (usize, &Option<f64>)| TrajectoryData {
            group: i / n_generations,
            reward: *reward,
            truncated: self.truncated[i],
            ..TrajectoryData::default()
        };
        let row = |i: usize| Row {
            trajectory: i,
            current: self.logps[i].clone(),
            old: Some(self.old[i].clone()),
            behaviour: self.old[i].clone(),
            reference: Some(self.reference[i].clone()),
            entropies: self.entropies[i].clone(),
        };
        Batch {
            trajectories: rewards.iter().enumerate().map(trajectory).collect(),
            rows: (0..rewards.len()).map(row).collect(),
        }
    }

    /// TRL's GMPO and RLOO give a trajectory without loss tokens the ratio 1: a constant in the loss
    /// that has no gradient. Ours leaves it out.
    fn constant(&self, advantages: &[f64]) -> f64 {
        let is_empty =
            |i: &usize| self.logps[*i].is_empty() || (self.mask_truncated && self.truncated[*i]);
        let n = advantages.len();
        -(0..n).filter(is_empty).map(|i| advantages[i]).sum::<f64>() / n as f64
    }
}

fn surrogate(case: &Case) -> Surrogate {
    let level = match case.importance_sampling_level.as_str() {
        "token" => RatioLevel::Token,
        "sequence" => RatioLevel::Sequence,
        other => panic!("importance_sampling_level {other}"),
    };
    if case.algorithm == "gmpo" {
        assert_eq!(case.epsilon_low, case.epsilon_high);
        return Surrogate::Gmpo(Gmpo { width: case.epsilon_low });
    }
    match case.loss_type.as_str() {
        "cispo" => Surrogate::Cispo(Cispo { min: 0.0, max: case.epsilon_high, level }),
        "sapo" => Surrogate::Sapo(Sapo {
            tau_positive: case.sapo_temperature_pos,
            tau_negative: case.sapo_temperature_neg,
            level,
        }),
        "vespo" => Surrogate::Vespo(Vespo {
            positive: VespoShape { k: case.vespo_k_pos, lambda: case.vespo_lambda_pos },
            negative: VespoShape { k: case.vespo_k_neg, lambda: case.vespo_lambda_neg },
        }),
        _ => {
            let (low, high) = (case.epsilon_low, case.epsilon_high);
            Surrogate::Clip { clip: Clip { low, high, delta: case.delta }, level }
        }
    }
}

fn correction(case: &Case) -> Option<Correction> {
    let (level, rule) = case.vllm_importance_sampling_mode.as_ref()?.split_once('_').unwrap();
    let max = case.vllm_importance_sampling_clip_max.unwrap();
    let rule = match (rule, case.vllm_importance_sampling_clip_min) {
        ("truncate", None) => CorrectionRule::Truncate { max },
        ("truncate", Some(min)) => CorrectionRule::Clamp { min, max },
        ("mask", min) => CorrectionRule::Mask { min: min.unwrap_or(0.0), max },
        (other, _) => panic!("importance sampling mode {other}"),
    };
    let level = match level {
        "token" => CorrectionLevel::Token,
        _ => CorrectionLevel::Sequence,
    };
    Some(Correction { level, rule, veto: 0.0 })
}

/// TRL's bonus is the mean over the tokens with a policy loss, and the mean of the means of
/// micro-batches; ours is the mean over all loss tokens of the step.
fn bonus_is_ours(case: &Case) -> bool {
    case.micro_batches == 1 && case.top_entropy_quantile == 1.0
}

#[test]
fn losses_and_gradients() {
    let golden = golden();
    let cases = golden.cases();
    assert_eq!(cases.len(), 228);
    let mut wrong = Vec::new();
    for case in &cases {
        let outcome = golden.run(case);
        let entropies = &golden.batches[&case.batch].entropies;
        let n_rows = outcome.gradients.len();
        let ours = outcome.gradients.iter().map(|row| &row.entropies);
        let our_bonus = product(ours, entropies, |x| f64::from(*x));
        let their_bonus =
            case.d_entropy.as_ref().map_or(0.0, |all| product(all.iter(), entropies, |x| *x));
        let theirs = case.loss - their_bonus - golden.constant(case);
        let mut is_same = is_close(outcome.loss - our_bonus, theirs, 1e-8, 1e-9);
        for (row, gradients) in outcome.gradients.iter().enumerate() {
            is_same &= are_close(&gradients.logprobs, &case.d_logprob[row]);
            if let Some(d_entropy) = case.d_entropy.as_ref().filter(|_| bonus_is_ours(case)) {
                is_same &= are_close(&gradients.entropies, &d_entropy[row]);
            }
        }
        assert!(case.d_logprob[n_rows..].iter().flatten().all(|slope| *slope == 0.0));
        if !is_same {
            wrong.push(format!("{} is not {}: {}", outcome.loss, case.loss, named(case)));
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn metrics() {
    let golden = golden();
    let mut n_checked = 0;
    for case in golden.cases().iter().filter(|case| case.importance_sampling_level == "token") {
        let report = golden.run(case).diagnostics.finish();
        let is_plain_kl = case.on_policy || !case.use_bias_correction_kl;
        for (trl, wanted) in &case.metrics {
            let ours = match trl.as_str() {
                "entropy" => "entropy",
                "kl" if is_plain_kl || case.algorithm == "gmpo" => "reference_kl",
                "clip_ratio/low_mean" => "clip/low",
                "clip_ratio/high_mean" | "cispo_clip_ratio" => "clip/high",
                "clip_ratio/region_mean" => "clip/region",
                _ => continue,
            };
            assert_close(report[ours], wanted.unwrap(), 1e-6, 1e-9);
            n_checked += 1;
        }
    }
    assert_eq!(n_checked, 372);
}

#[test]
fn the_entropy_coefficient_is_controlled() {
    let golden = golden();
    let control = &golden.adaptive_entropy;
    let rule = AdaptiveEntropy {
        target: control.entropy_target,
        step: control.entropy_coef_delta,
        max: control.entropy_coef_max,
    };
    let mut controls = Controls::default();
    let is_on = |step: &ControlledStep| step.d_entropy.iter().flatten().any(|slope| *slope != 0.0);
    assert!(control.steps.iter().any(is_on) && !control.steps.iter().all(is_on));
    for wanted in &control.steps {
        let defaults = Value::Object(golden.defaults.clone());
        let zeros = serde_json::json!({ "batch": wanted.batch, "loss": 0.0, "d_logprob": [] });
        let mut all = defaults.as_object().unwrap().clone();
        all.extend(zeros.as_object().unwrap().clone());
        let case: Case = serde_json::from_value(Value::Object(all)).unwrap();
        let method = PolicyGradient {
            entropy_coef: control.entropy_coef,
            adaptive_entropy: Some(rule),
            ..golden.method(&case)
        };
        let mut batch = golden.batch(&case);
        for row in &mut batch.rows {
            row.entropies.iter_mut().for_each(|h| *h *= wanted.entropy_scale);
        }
        let step = stateset_algo::StepData { controls, ..batch.step() };
        let outcome = run_step(&method, &step, &batch, &[batch.all_rows()]);
        assert_close(outcome.loss, wanted.loss, 1e-6, 1e-9);
        for (row, d_entropy) in outcome.gradients.iter().zip(&wanted.d_entropy) {
            assert!(are_close(&padded(&row.entropies, d_entropy.len()), d_entropy));
        }
        controls = method.adapt(controls, &outcome.diagnostics, batch.trajectories.len());
        assert_close(controls.entropy_coef.unwrap(), wanted.entropy_coef, 1e-9, 0.0);
        assert_close(controls.entropy.unwrap(), wanted.entropy, 1e-6, 0.0);
    }
}

/// Gradients that are left out are zeros.
fn padded(gradients: &[f32], n: usize) -> Vec<f32> {
    if gradients.is_empty() { vec![0.0; n] } else { gradients.to_vec() }
}

#[test]
fn leave_one_out() {
    let golden = golden();
    assert_eq!(golden.rloo.len(), 6);
    for (index, case) in golden.rloo.iter().enumerate() {
        let source = &golden.batches[&case.batch];
        let clip = Clip { low: case.epsilon_low, high: case.epsilon_high, delta: None };
        let settings = LeaveOneOut { normalize: case.normalize, ..LeaveOneOut::default() };
        let method = PolicyGradient {
            advantage: AdvantageEstimator::LeaveOneOut(settings),
            surrogate: Surrogate::Clip { clip, level: RatioLevel::Product },
            reward_kl_coef: case.beta,
            mask_truncated: source.mask_truncated,
            ..stateset_algo::rloo()
        };
        let batch = source.scored(&case.rewards, golden.n_generations);
        let credit = method.credit(&batch.step()).unwrap();
        for (row, credit) in batch.rows.iter().zip(&credit.rows) {
            for advantage in &credit.advantages {
                assert_close(*advantage, case.advantages[row.trajectory], 1e-6, 1e-7);
            }
        }
        let outcome = batch.run(&method);
        let constant = source.constant(&case.advantages);
        assert_close(outcome.loss, case.loss - constant, 1e-6, 1e-8);
        for (row, wanted) in outcome.gradients.iter().zip(&case.d_logprob) {
            for (got, wanted) in row.logprobs.iter().zip(wanted) {
                assert_close(f64::from(*got), *wanted, 1e-5, 1e-7);
            }
            assert_eq!(row.logprobs.len(), wanted.len(), "case {index}");
        }
    }
}

/// Sum over tokens of slope times entropy: what a linear bonus adds to the loss.
fn product<'a, T: 'a>(
    slopes: impl Iterator<Item = &'a Vec<T>>,
    entropies: &[Vec<f32>],
    number: impl Fn(&T) -> f64,
) -> f64 {
    slopes
        .zip(entropies)
        .flat_map(|(slopes, entropies)| slopes.iter().zip(entropies))
        .map(|(slope, entropy)| number(slope) * f64::from(*entropy))
        .sum()
}

fn are_close(ours: &[f32], theirs: &[f64]) -> bool {
    ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|(a, b)| is_close(f64::from(*a), *b, 1e-5, 1e-8))
}

fn is_close(ours: f64, theirs: f64, rtol: f64, atol: f64) -> bool {
    (ours - theirs).abs() <= atol + rtol * theirs.abs()
}

/// A case without its numbers.
fn named(case: &Case) -> String {
    format!(
        "{} {} {}, batch {}, beta {} {}, delta {:?}, top entropy {}, off-policy {:?}, {:?}, bonus {}, \
         {} of {} micro-batches",
        case.algorithm,
        case.loss_type,
        case.importance_sampling_level,
        case.batch,
        case.beta,
        case.use_bias_correction_kl,
        case.delta,
        case.top_entropy_quantile,
        case.off_policy_mask_threshold,
        case.vllm_importance_sampling_mode,
        case.entropy_coef,
        case.micro_batches,
        case.steps_per_generation,
    )
}
