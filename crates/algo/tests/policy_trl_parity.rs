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

#![allow(clippy::unwrap_used, reason = "a golden file that cannot be read ends the test")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{Batch, Outcome, Row, assert_close, run_step};
use serde::Deserialize;
use serde_json::{Map, Value};
use stateset_algo::{
    Aggregation, Cispo, Clip, Correction, CorrectionLevel, CorrectionRule, GenerationWindow, Gmpo,
    KlEstimator, KlPenalty, PolicyGradient, RatioLevel, Sapo, Surrogate, TrajectoryData, Vespo,
    VespoShape,
};

#[derive(Deserialize)]
struct Golden {
    max_completion_length: usize,
    n_generations: usize,
    defaults: Map<String, Value>,
    batches: BTreeMap<String, GoldenBatch>,
    cases: Vec<Map<String, Value>>,
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

    /// TRL's GMPO gives a trajectory without loss tokens the ratio 1: a constant in the loss that has
    /// no gradient. Ours leaves it out.
    fn constant(&self, case: &Case) -> f64 {
        if case.algorithm != "gmpo" {
            return 0.0;
        }
        let source = &self.batches[&case.batch];
        let is_empty = |i: &usize| {
            source.logps[*i].is_empty() || (source.mask_truncated && source.truncated[*i])
        };
        let n = source.advantages.len();
        -(0..n).filter(is_empty).map(|i| source.advantages[i]).sum::<f64>() / n as f64
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

/// TRL leaves tokens of low entropy out of GMPO's geometric mean; ours only gives them no loss.
fn differs(case: &Case) -> bool {
    case.algorithm == "gmpo" && case.top_entropy_quantile < 1.0
}

#[test]
fn losses_and_gradients() {
    let golden = golden();
    let cases = golden.cases();
    assert_eq!(cases.len(), 228);
    assert_eq!(cases.iter().filter(|case| differs(case)).count(), 1);
    let mut wrong = Vec::new();
    for case in cases.iter().filter(|case| !differs(case)) {
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
