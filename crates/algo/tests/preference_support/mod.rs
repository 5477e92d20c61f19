//! Random pairs that own their arrays, and random valid settings of each preference method.

#![allow(dead_code, reason = "every test file uses a part of this")]

use proptest::prelude::*;
use stateset_algo::{
    Completion, Cpo, CpoLoss, Dpo, DpoLoss, FDivergence, Pair, PairOutput, WeightedLoss,
};

/// Log-probs are multiples of this, so that sums of them are exact in f32.
const GRID: f32 = 1.0 / 1024.0;

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) logprobs: Vec<f32>,
    pub(crate) reference: Vec<f32>,
    pub(crate) log_sum_squares: Vec<f32>,
}

impl Answer {
    pub(crate) fn completion(&self) -> Completion<'_> {
        Completion {
            logprobs: &self.logprobs,
            reference: Some(&self.reference),
            log_sum_squares: Some(&self.log_sum_squares),
        }
    }
}

pub(crate) type Answers = Vec<[Answer; 2]>;

pub(crate) fn as_pairs(answers: &[[Answer; 2]]) -> Vec<Pair<'_>> {
    let sides =
        answers.iter().map(|[chosen, rejected]| (chosen.completion(), rejected.completion()));
    sides.map(|(chosen, rejected)| Pair { chosen, rejected }).collect()
}

/// One to five tokens; the policy is at most 0.8 nats a token from the reference.
pub(crate) fn answer() -> impl Strategy<Value = Answer> {
    let token = (-3000i16..-10, -800i16..800, -2000i16..0);
    prop::collection::vec(token, 1..6).prop_map(|tokens| Answer {
        logprobs: tokens.iter().map(|t| f32::from(t.0) * GRID).collect(),
        reference: tokens.iter().map(|t| (f32::from(t.0) + f32::from(t.1)) * GRID).collect(),
        log_sum_squares: tokens.iter().map(|t| f32::from(t.2) * GRID).collect(),
    })
}

pub(crate) fn answers() -> impl Strategy<Value = Answers> {
    prop::collection::vec([answer(), answer()], 1..6)
}

/// Valid settings in all combinations; losses that sort only where asked for.
pub(crate) fn dpo(with_sorting: bool) -> impl Strategy<Value = Dpo> {
    let all = DpoLoss::ALL.into_iter().filter(|loss| with_sorting || !loss.needs_whole_step());
    let loss = (prop::sample::select(all.collect::<Vec<DpoLoss>>()), 1u8..5);
    let divergences = vec![
        FDivergence::ReverseKl,
        FDivergence::ForwardKl,
        FDivergence::JensenShannon,
        FDivergence::Alpha { coef: 0.5 },
        FDivergence::Alpha { coef: 1.8 },
    ];
    (
        prop::collection::vec(loss, 1..4),
        prop::sample::select(vec![0.1, 0.7]),
        prop::sample::select(divergences),
        prop::sample::select(vec![None, Some(0.0), Some(0.4), Some(1.0)]),
        any::<bool>(),
        prop::sample::select(vec![0.05, 0.8, 3.0]),
        any::<bool>(),
    )
        .prop_map(|(losses, beta, divergence, ld_alpha, weighting, tau, reference_free)| {
            let any = |is: fn(DpoLoss) -> bool| losses.iter().any(|&(loss, _)| is(loss));
            let sorts = any(DpoLoss::needs_whole_step) || any(|loss| loss == DpoLoss::Sft);
            let one_sided = any(|loss| !loss.takes_divergence());
            let f_divergence = if one_sided { FDivergence::ReverseKl } else { divergence };
            Dpo {
                beta,
                label_smoothing: if any(DpoLoss::is_smoothed) { 0.15 } else { 0.0 },
                f_divergence,
                ld_alpha,
                use_weighting: weighting && !sorts,
                discopop_tau: tau,
                reference_free: reference_free && f_divergence == FDivergence::ReverseKl,
                losses: losses
                    .iter()
                    .map(|&(loss, quarters)| WeightedLoss {
                        loss,
                        weight: f64::from(quarters) / 4.0,
                    })
                    .collect(),
            }
        })
}

pub(crate) fn cpo() -> impl Strategy<Value = Cpo> {
    (
        prop::sample::select(CpoLoss::ALL.to_vec()),
        prop::sample::select(vec![0.1, 2.5]),
        prop::sample::select(vec![0.0, 0.2]),
        prop::sample::select(vec![0.0, 1.0]),
        prop::sample::select(vec![0.0, 0.25, -0.5]),
    )
        .prop_map(|(loss, beta, smoothing, cpo_alpha, alpha)| Cpo {
            label_smoothing: match loss {
                CpoLoss::Sigmoid | CpoLoss::Simpo => smoothing,
                CpoLoss::Hinge | CpoLoss::Ipo => 0.0,
            },
            loss,
            beta,
            cpo_alpha,
            simpo_gamma: 0.75,
            alpha,
        })
}

/// All gradients, chosen before rejected.
pub(crate) fn flat(out: &PairOutput) -> Vec<Vec<f32>> {
    out.gradients.iter().flat_map(|g| [g.chosen.clone(), g.rejected.clone()]).collect()
}

#[track_caller]
pub(crate) fn assert_close(got: f64, wanted: f64, rtol: f64, atol: f64) {
    let allowed = atol + rtol * wanted.abs();
    assert!((got - wanted).abs() <= allowed, "{got} is not {wanted}");
}
