//! Losses, gradients and statistics of preference training are those of TRL's own trainers.
//!
//! `tests/golden/preference_trl.py` says how the numbers were made. TRL ran in f64, but for the alpha
//! divergence and ORPO's odds, which are f32 there; our gradients are f32. rtol 1e-9 on losses and
//! statistics (1e-6 where TRL has f32), rtol 1e-6 and atol 1e-9 on gradients (1e-5 and 1e-7).
//! Pinned here:
//!
//! 1. DPO: every loss, with betas, smoothing, divergences, LD, weights by likelihood, and mixtures.
//! 2. KTO and its unpaired APO form: both labels or one, weights, a bounded KL point.
//! 3. CPO, SimPO, AlphaPO and ORPO. 4. The reward model: margins and centring.

#![allow(clippy::unwrap_used, reason = "a golden file that cannot be read ends the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use stateset_algo::{
    BradleyTerry, Completion, Cpo, CpoLoss, Dpo, DpoLoss, FDivergence, Judged, Kto, KtoLoss,
    KtoStep, Orpo, Pair, PairOutput, PairTotals, PreferenceStats, ScoredPair, WeightedLoss,
};

type Statistics = BTreeMap<String, f64>;
type PairGradients = Vec<[Vec<f64>; 2]>;

#[derive(Deserialize)]
struct Golden {
    pairs: BTreeMap<String, Vec<[Scores; 2]>>,
    unpaired: BTreeMap<String, Vec<Example>>,
    dpo: Vec<DpoCase>,
    kto: Vec<KtoCase>,
    cpo: Vec<CpoCase>,
    orpo: Vec<OrpoCase>,
    reward: Vec<RewardCase>,
}

#[derive(Deserialize)]
struct Scores {
    logprobs: Vec<f32>,
    reference: Vec<f32>,
    log_sum_sq_probs: Vec<f32>,
}

#[derive(Deserialize)]
struct Example {
    completion: Scores,
    desirable: bool,
    probe: Scores,
}

#[derive(Deserialize)]
struct DpoCase {
    batch: String,
    losses: Vec<String>,
    weights: Vec<f64>,
    beta: f64,
    label_smoothing: f64,
    divergence: String,
    alpha: f64,
    ld_alpha: Option<f64>,
    use_weighting: bool,
    tau: f64,
    loss: f64,
    gradients: Option<PairGradients>,
    statistics: Statistics,
}

#[derive(Deserialize)]
struct KtoCase {
    batch: String,
    loss_type: String,
    beta: f64,
    desirable_weight: f64,
    undesirable_weight: f64,
    loss: f64,
    gradients: Vec<Vec<f64>>,
    statistics: Statistics,
}

#[derive(Deserialize)]
struct CpoCase {
    batch: String,
    loss_type: String,
    cpo_alpha: f64,
    beta: f64,
    label_smoothing: f64,
    simpo_gamma: f64,
    alpha: f64,
    loss: f64,
    gradients: PairGradients,
    statistics: Statistics,
}

#[derive(Deserialize)]
struct OrpoCase {
    batch: String,
    beta: f64,
    loss: f64,
    gradients: PairGradients,
    statistics: Statistics,
}

#[derive(Deserialize)]
struct RewardCase {
    chosen: Vec<f32>,
    rejected: Vec<f32>,
    margins: Vec<f64>,
    center: Option<f64>,
    loss: f64,
    d_chosen: Vec<f64>,
    d_rejected: Vec<f64>,
    statistics: Statistics,
}

/// How far a case may be off.
#[derive(Clone, Copy)]
struct Tolerance {
    loss: f64,
    gradient: [f64; 2],
}

const F64: Tolerance = Tolerance { loss: 1e-9, gradient: [1e-6, 1e-9] };
const F32: Tolerance = Tolerance { loss: 1e-6, gradient: [1e-5, 1e-7] };

fn golden() -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/preference_trl.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

impl Scores {
    fn completion(&self) -> Completion<'_> {
        Completion {
            logprobs: &self.logprobs,
            reference: Some(&self.reference),
            log_sum_squares: Some(&self.log_sum_sq_probs),
        }
    }
}

fn pairs<'a>(golden: &'a Golden, batch: &str) -> Vec<Pair<'a>> {
    let pair = |[chosen, rejected]: &'a [Scores; 2]| Pair {
        chosen: chosen.completion(),
        rejected: rejected.completion(),
    };
    golden.pairs[batch].iter().map(pair).collect()
}

#[track_caller]
fn assert_close(what: &str, got: f64, wanted: f64, rtol: f64, atol: f64) {
    let allowed = atol + rtol * wanted.abs();
    assert!((got - wanted).abs() <= allowed, "{what}: {got} is not {wanted}");
}

#[track_caller]
fn assert_gradients(what: &str, got: &[f32], wanted: &[f64], tolerance: Tolerance) {
    assert_eq!(got.len(), wanted.len(), "{what}");
    let [rtol, atol] = tolerance.gradient;
    for (&got, &wanted) in got.iter().zip(wanted) {
        assert_close(what, f64::from(got), wanted, rtol, atol);
    }
}

#[track_caller]
fn assert_pairs(
    what: &str,
    got: &PairOutput,
    loss: f64,
    gradients: Option<&PairGradients>,
    tolerance: Tolerance,
) {
    assert_close(what, got.loss, loss, tolerance.loss, 1e-12);
    let Some(gradients) = gradients else { return };
    assert_eq!(got.gradients.len(), gradients.len());
    for (got, [chosen, rejected]) in got.gradients.iter().zip(gradients) {
        assert_gradients(what, &got.chosen, chosen, tolerance);
        assert_gradients(what, &got.rejected, rejected, tolerance);
    }
}

/// Every number that TRL reports is ours under our name.
#[track_caller]
fn assert_statistics(what: &str, got: &PreferenceStats, wanted: &Statistics, rtol: f64) {
    let named = got.finish();
    for (trl, &value) in wanted {
        let ours = match trl.as_str() {
            "rewards/chosen" => "preference/chosen_reward",
            "rewards/rejected" => "preference/rejected_reward",
            "rewards/margins" => "preference/margin",
            "rewards/accuracies" => "preference/accuracy",
            "nll_loss" if !named.contains_key("preference/nll") && value == 0.0 => continue,
            "nll_loss" => "preference/nll",
            "log_odds_chosen" => "preference/log_odds",
            // TRL's log_odds_ratio is the loss without beta, which the loss pins.
            "log_odds_ratio" | "kl" => continue,
            other => panic!("statistic {other}"),
        };
        assert_close(what, named[ours], value, rtol, 1e-12);
    }
}

fn divergence(case: &DpoCase) -> FDivergence {
    match case.divergence.parse().unwrap() {
        FDivergence::Alpha { .. } => FDivergence::Alpha { coef: case.alpha },
        other => other,
    }
}

#[test]
fn dpo() {
    let golden = golden();
    assert_eq!(golden.dpo.len(), 217);
    let mut seen = BTreeSet::new();
    for case in &golden.dpo {
        let weighted = |(name, &weight): (&String, &f64)| WeightedLoss {
            loss: name.parse::<DpoLoss>().unwrap(),
            weight,
        };
        let dpo = Dpo {
            losses: case.losses.iter().zip(&case.weights).map(weighted).collect(),
            beta: case.beta,
            label_smoothing: case.label_smoothing,
            f_divergence: divergence(case),
            ld_alpha: case.ld_alpha,
            use_weighting: case.use_weighting,
            discopop_tau: case.tau,
            reference_free: false,
        };
        seen.extend(case.losses.iter().map(String::as_str));
        let pairs = pairs(&golden, &case.batch);
        let what = format!("{dpo:?} on {}", case.batch);
        let got = dpo.loss(&pairs, PairTotals::of(&pairs)).unwrap();
        let is_f32 = matches!(dpo.f_divergence, FDivergence::Alpha { .. });
        let tolerance = if is_f32 { F32 } else { F64 };
        assert_pairs(&what, &got, case.loss, case.gradients.as_ref(), tolerance);
        assert_statistics(&what, &got.stats, &case.statistics, tolerance.loss);
    }
    assert_eq!(seen, DpoLoss::ALL.map(DpoLoss::as_str).into());
}

#[test]
fn kto() {
    let golden = golden();
    assert_eq!(golden.kto.len(), 30);
    for case in &golden.kto {
        let kto = Kto {
            loss: case.loss_type.parse::<KtoLoss>().unwrap(),
            beta: case.beta,
            desirable_weight: case.desirable_weight,
            undesirable_weight: case.undesirable_weight,
        };
        let examples = &golden.unpaired[&case.batch];
        let probes: Vec<Completion<'_>> = examples.iter().map(|e| e.probe.completion()).collect();
        let judged: Vec<Judged<'_>> = examples
            .iter()
            .map(|e| Judged { completion: e.completion.completion(), desirable: e.desirable })
            .collect();
        let kl_point = kto.kl_point(&probes).unwrap();
        let what = format!("{kto:?} on {}", case.batch);
        assert_close(&what, kl_point, case.statistics["kl"], 1e-9, 1e-12);
        let step = KtoStep { n_completions: judged.len(), kl_point };
        let got = kto.loss(&judged, step).unwrap();
        assert_close(&what, got.loss, case.loss, F64.loss, 1e-12);
        assert_eq!(got.gradients.len(), case.gradients.len());
        for (got, wanted) in got.gradients.iter().zip(&case.gradients) {
            assert_gradients(&what, got, wanted, F64);
        }
        assert_statistics(&what, &got.stats, &case.statistics, F64.loss);
    }
}

#[test]
fn cpo() {
    let golden = golden();
    assert_eq!(golden.cpo.len(), 33);
    for case in &golden.cpo {
        // TRL's alphapo is simpo without likelihood, which the case says already.
        let name = if case.loss_type == "alphapo" { "simpo" } else { &case.loss_type };
        let cpo = Cpo {
            loss: name.parse::<CpoLoss>().unwrap(),
            beta: case.beta,
            label_smoothing: case.label_smoothing,
            cpo_alpha: case.cpo_alpha,
            simpo_gamma: case.simpo_gamma,
            alpha: case.alpha,
        };
        let pairs = pairs(&golden, &case.batch);
        let what = format!("{cpo:?} on {}", case.batch);
        let got = cpo.loss(&pairs, PairTotals::of(&pairs)).unwrap();
        assert_pairs(&what, &got, case.loss, Some(&case.gradients), F64);
        assert_statistics(&what, &got.stats, &case.statistics, F64.loss);
    }
}

#[test]
fn orpo() {
    let golden = golden();
    assert_eq!(golden.orpo.len(), 4);
    for case in &golden.orpo {
        let orpo = Orpo { beta: case.beta };
        let pairs = pairs(&golden, &case.batch);
        let what = format!("{orpo:?} on {}", case.batch);
        let got = orpo.loss(&pairs, PairTotals::of(&pairs)).unwrap();
        assert_pairs(&what, &got, case.loss, Some(&case.gradients), F32);
        assert_statistics(&what, &got.stats, &case.statistics, F32.loss);
    }
}

#[test]
fn reward_model() {
    let golden = golden();
    assert_eq!(golden.reward.len(), 4);
    for case in &golden.reward {
        let model = BradleyTerry { center_coef: case.center.unwrap_or(0.0) };
        let pairs: Vec<ScoredPair> = (0..case.chosen.len())
            .map(|i| ScoredPair {
                margin: case.margins.get(i).copied().unwrap_or(0.0),
                ..ScoredPair::new(case.chosen[i], case.rejected[i])
            })
            .collect();
        let got = model.loss(&pairs, pairs.len()).unwrap();
        assert_close("loss", got.loss, case.loss, F64.loss, 1e-12);
        let side = |k: usize| got.gradients.iter().map(|both| both[k]).collect::<Vec<f32>>();
        assert_gradients("chosen", &side(0), &case.d_chosen, F64);
        assert_gradients("rejected", &side(1), &case.d_rejected, F64);
        let statistics = [
            ("accuracy", got.accuracy.get().unwrap()),
            ("margin", got.margin.get().unwrap()),
            ("min_reward", got.scores.min()),
            ("mean_reward", got.scores.mean()),
            ("max_reward", got.scores.max()),
        ];
        for (name, value) in statistics {
            assert_close(name, value, case.statistics[name], 1e-9, 1e-12);
        }
    }
}
