//! What may not change a preference loss, and what it has to bear.
//!
//! 1. The order of pairs: loss and statistics stay, gradients move with the pairs; ties in rank too.
//! 2. Division into micro-batches: shares of loss and gradients are those of the whole step.
//! 3. Exchanging the sides of every pair turns the gradients of losses of a difference around at 0.
//! 4. Far log-probs (-50), equal answers and single tokens give finite numbers.
//! 5. An empty answer is an error, and so is a missing or misfitting array, before anything is computed.
//!
//! Padding cannot be expressed: an answer is a slice of its own length.

#![allow(clippy::unwrap_used, reason = "settings or arrays that are refused end the test")]

mod preference_support;

use preference_support::{Answers, answers, as_pairs, assert_close, cpo, dpo, flat};
use proptest::prelude::*;
use stateset_algo::{
    AlgoError, Completion, CompletionId, Cpo, CpoLoss, Dpo, DpoLoss, Judged, Kto, KtoStep, Orpo,
    Pair, PairOutput, PairTotals, Role, Unit, WeightedLoss,
};

type Loss<'a> = &'a dyn Fn(&[Pair<'_>], PairTotals) -> Result<PairOutput, AlgoError>;

/// Rotated by one pair.
fn assert_order_is_free(answers: &Answers, loss: Loss<'_>) {
    let pairs = as_pairs(answers);
    let totals = PairTotals::of(&pairs);
    let straight = loss(&pairs, totals).unwrap();
    let mut rotated = pairs.clone();
    rotated.rotate_left(1);
    let mut turned = loss(&rotated, totals).unwrap();
    turned.gradients.rotate_right(1);
    assert_close(turned.loss, straight.loss, 1e-12, 1e-12);
    for (got, wanted) in flat(&turned).concat().iter().zip(flat(&straight).concat()) {
        assert_close(f64::from(*got), f64::from(wanted), 1e-6, 1e-10);
    }
    for (name, value) in turned.stats.finish() {
        assert_close(value, straight.stats.finish()[name], 1e-12, 1e-12);
    }
}

fn assert_parts_add_up(answers: &Answers, at: usize, loss: Loss<'_>) {
    let pairs = as_pairs(answers);
    let totals = PairTotals::of(&pairs);
    let whole = loss(&pairs, totals).unwrap();
    let (first, second) = pairs.split_at(at % (pairs.len() + 1));
    let [mut first, second] = [first, second].map(|part| loss(part, totals).unwrap());
    assert_close(first.loss + second.loss, whole.loss, 1e-12, 1e-12);
    assert_eq!([flat(&first), flat(&second)].concat(), flat(&whole));
    first.stats.add(&second.stats);
    for (name, value) in whole.stats.finish() {
        assert_close(first.stats.finish()[name], value, 1e-12, 1e-12);
    }
}

proptest! {
    #[test]
    fn the_order_of_pairs_changes_nothing(answers in answers(), dpo in dpo(true), cpo in cpo()) {
        assert_order_is_free(&answers, &|pairs, totals| dpo.loss(pairs, totals));
        assert_order_is_free(&answers, &|pairs, totals| cpo.loss(pairs, totals));
        assert_order_is_free(&answers, &|pairs, totals| Orpo::default().loss(pairs, totals));
    }

    #[test]
    fn micro_batches_change_nothing(
        answers in answers(), at in 0usize..6, dpo in dpo(false), cpo in cpo(),
    ) {
        assert_eq!(dpo.unit(), Unit::Pair);
        assert_parts_add_up(&answers, at, &|pairs, totals| dpo.loss(pairs, totals));
        assert_parts_add_up(&answers, at, &|pairs, totals| cpo.loss(pairs, totals));
        assert_parts_add_up(&answers, at, &|pairs, totals| Orpo::default().loss(pairs, totals));
    }

    #[test]
    fn micro_batches_of_judged_answers_change_nothing(answers in answers(), at in 0usize..6) {
        let judged: Vec<Judged<'_>> = (answers.iter().flatten().enumerate())
            .map(|(i, answer)| Judged { completion: answer.completion(), desirable: i % 3 == 0 })
            .collect();
        let kto = Kto { desirable_weight: 1.33, ..Kto::default() };
        let step = KtoStep { n_completions: judged.len(), kl_point: 0.3 };
        let whole = kto.loss(&judged, step).unwrap();
        let parts = [&judged[..at % judged.len()], &judged[at % judged.len()..]]
            .map(|part| kto.loss(part, step).unwrap());
        assert_close(parts[0].loss + parts[1].loss, whole.loss, 1e-12, 1e-12);
        let gradients = [&parts[0].gradients[..], &parts[1].gradients].concat();
        assert_eq!(gradients, whole.gradients);
    }

    /// -log s(x) at x and at -x: the two slopes add up to -1, whichever side is called chosen.
    #[test]
    fn exchanging_the_sides_mirrors_dpo(answers in answers()) {
        let dpo = Dpo::default();
        let pairs = as_pairs(&answers);
        let turned: Vec<Pair<'_>> =
            pairs.iter().map(|p| Pair { chosen: p.rejected, rejected: p.chosen }).collect();
        let [one, other] =
            [&pairs, &turned].map(|pairs| dpo.loss(pairs, PairTotals::of(pairs)).unwrap());
        let slope = dpo.beta / pairs.len() as f64;
        for (a, b) in one.gradients.iter().zip(&other.gradients) {
            let sum = f64::from(a.chosen[0]) - f64::from(b.rejected[0]);
            assert_close(sum, -slope, 1e-5, 0.0);
        }
        let margin = one.stats.margin().unwrap() + other.stats.margin().unwrap();
        assert_close(margin, 0.0, 0.0, 1e-12);
    }
}

/// The policy is sure of one token at each place, of this one or another.
const SURE: [f32; 8] = [-0.02; 8];

fn completion<'a>(logprobs: &'a [f32], reference: &'a [f32]) -> Completion<'a> {
    let log_sum_squares = Some(&SURE[..logprobs.len()]);
    Completion { logprobs, reference: Some(reference), log_sum_squares }
}

/// Every loss of every method, in every setting that concerns its range.
fn every_loss(pairs: &[Pair<'_>], mut check: impl FnMut(&str, PairOutput)) {
    let totals = PairTotals::of(pairs);
    for loss in DpoLoss::ALL {
        for beta in [0.1, 2.0] {
            let label_smoothing = if loss.is_smoothed() { 0.1 } else { 0.0 };
            let use_weighting = !loss.needs_whole_step() && loss != DpoLoss::Sft;
            let dpo = Dpo { beta, label_smoothing, use_weighting, ..Dpo::with_loss(loss) };
            check(loss.as_str(), dpo.loss(pairs, totals).unwrap());
            if loss.takes_divergence() {
                for name in ["forward_kl", "js_divergence", "alpha_divergence"] {
                    let dpo = Dpo { f_divergence: name.parse().unwrap(), ..dpo.clone() };
                    check(name, dpo.loss(pairs, totals).unwrap());
                }
            }
        }
    }
    for loss in CpoLoss::ALL {
        for alpha in [0.0, 1.0, -1.0] {
            let cpo = Cpo { loss, alpha, ..Cpo::default() };
            check(loss.as_str(), cpo.loss(pairs, totals).unwrap());
        }
    }
    check("orpo", Orpo { beta: 1.0 }.loss(pairs, totals).unwrap());
}

#[test]
fn far_log_probs_stay_finite() {
    let (near, far) = ([-0.01f32; 8], [-50.0f32; 8]);
    let answers = [
        completion(&near, &far),
        completion(&far, &near),
        completion(&far, &far),
        completion(&near[..1], &far[..1]),
        completion(&[0.0], &[0.0]),
    ];
    for chosen in answers {
        for rejected in answers {
            let pairs = [Pair { chosen, rejected }, Pair { chosen: rejected, rejected: chosen }];
            every_loss(&pairs, |name, out| {
                assert!(out.loss.is_finite(), "{name}: {chosen:?} and {rejected:?}");
                let finite = flat(&out).concat().iter().all(|x| x.is_finite());
                assert!(finite, "{name}: {chosen:?} and {rejected:?}");
            });
        }
    }
}

/// The same answer on both sides: nothing is preferred, yet a loss of the difference pulls them apart.
#[test]
fn equal_answers_are_pulled_apart() {
    let same = completion(&[-1.0, -2.0], &[-1.5, -1.0]);
    let pairs = [Pair { chosen: same, rejected: same }];
    let out = Dpo::default().loss(&pairs, PairTotals::of(&pairs)).unwrap();
    assert_close(out.loss, std::f64::consts::LN_2, 1e-12, 0.0);
    assert_eq!(out.gradients[0].chosen, [-0.05, -0.05]);
    assert_eq!(out.gradients[0].rejected, [0.05, 0.05]);
    assert_eq!(out.stats.margin(), Some(0.0));
    assert_eq!(out.stats.accuracy.get(), Some(0.0));
}

/// Pairs with the same log-ratios share a rank: the sum of what they get does not depend on order.
#[test]
fn ties_in_rank_share_one_loss() {
    let tied =
        Pair { chosen: completion(&[-1.0], &[-1.5]), rejected: completion(&[-2.0], &[-1.75]) };
    let other =
        Pair { chosen: completion(&[-1.0], &[-0.5]), rejected: completion(&[-2.0], &[-2.5]) };
    for loss in [DpoLoss::Aot, DpoLoss::AotUnpaired] {
        let dpo = Dpo::with_loss(loss);
        let value = |pairs: &[Pair<'_>]| dpo.loss(pairs, PairTotals::of(pairs)).unwrap().loss;
        let wanted = value(&[tied, tied, other]);
        assert_close(value(&[tied, other, tied]), wanted, 1e-12, 0.0);
        assert_close(value(&[other, tied, tied]), wanted, 1e-12, 0.0);
    }
}

/// A mixture is the weighted sum of its losses, in value and gradient.
#[test]
fn a_mixture_is_a_weighted_sum() {
    let pairs = [
        Pair {
            chosen: completion(&[-1.0, -0.5], &[-1.5, -0.75]),
            rejected: completion(&[-2.0], &[-1.75]),
        },
        Pair {
            chosen: completion(&[-0.25], &[-0.5]),
            rejected: completion(&[-2.0, -1.0, -3.0], &[-2.5, -1.0, -1.0]),
        },
    ];
    let totals = PairTotals::of(&pairs);
    let parts = [(DpoLoss::Sigmoid, 0.8), (DpoLoss::BcoPair, 0.2), (DpoLoss::Sft, 1.0)];
    let losses = parts.map(|(loss, weight)| WeightedLoss { loss, weight }).to_vec();
    let mixed = Dpo { losses, ..Dpo::default() }.loss(&pairs, totals).unwrap();
    let alone = parts.map(|(loss, _)| Dpo::with_loss(loss).loss(&pairs, totals).unwrap());
    let sum: f64 = alone.iter().zip(parts).map(|(out, (_, weight))| weight * out.loss).sum();
    assert_close(mixed.loss, sum, 1e-12, 0.0);
    let chosen = |out: &PairOutput| f64::from(out.gradients[1].chosen[0]);
    let sum: f64 = alone.iter().zip(parts).map(|(out, (_, weight))| weight * chosen(out)).sum();
    assert_close(chosen(&mixed), sum, 1e-6, 0.0);
}

#[test]
fn an_empty_answer_is_an_error() {
    let answer = completion(&[-1.0], &[-1.0]);
    let empty = completion(&[], &[]);
    let good = Pair { chosen: answer, rejected: answer };
    let pairs = [good, Pair { rejected: empty, ..good }];
    let totals = PairTotals::of(&pairs);
    let wanted = AlgoError::EmptyCompletion { id: CompletionId { role: Role::Rejected, index: 1 } };
    assert_eq!(Dpo::default().loss(&pairs, totals), Err(wanted.clone()));
    assert_eq!(Cpo::default().loss(&pairs, totals), Err(wanted.clone()));
    assert_eq!(Orpo::default().loss(&pairs, totals), Err(wanted));
    let judged = [Judged { completion: empty, desirable: true }];
    let wanted =
        AlgoError::EmptyCompletion { id: CompletionId { role: Role::Desirable, index: 0 } };
    assert_eq!(Kto::default().loss(&judged, KtoStep::default()), Err(wanted));
}

#[test]
fn arrays_that_are_missing_or_do_not_fit_are_errors() {
    let answer = completion(&[-1.0, -2.0], &[-1.0, -2.0]);
    let message = |dpo: &Dpo, rejected: Completion<'_>| {
        let pairs = [Pair { chosen: answer, rejected }];
        dpo.loss(&pairs, PairTotals::of(&pairs)).unwrap_err().to_string()
    };
    let plain = Dpo::default();
    let weighted = Dpo { use_weighting: true, ..Dpo::default() };
    assert_eq!(
        message(&plain, Completion { reference: Some(&[-1.0]), ..answer }),
        "read rejected completion 0: 2 loss tokens but 1 reference scores"
    );
    assert_eq!(
        message(&weighted, Completion { log_sum_squares: None, ..answer }),
        "read rejected completion 0: it came without log-sum-squares scores"
    );
    assert_eq!(
        message(&plain, Completion { logprobs: &[-1.0, f32::NEG_INFINITY], ..answer }),
        "read rejected completion 0: the current score of token 1 is -inf"
    );
    // CPO and ORPO look at no reference, whatever it is.
    let pairs = [Pair { chosen: answer, rejected: Completion { reference: None, ..answer } }];
    assert!(Cpo::default().loss(&pairs, PairTotals::of(&pairs)).is_ok());
}

/// What was checked once may turn bad later in the step: the loss has to show it.
#[test]
fn a_log_prob_that_is_not_a_number_is_not_swallowed() {
    let good = completion(&[-1.0, -2.0], &[-1.5, -1.0]);
    let bad = Completion { logprobs: &[-1.0, f32::NAN], ..good };
    let pairs = [Pair { chosen: bad, rejected: good }, Pair { chosen: good, rejected: good }];
    let totals = PairTotals::of(&pairs);
    for loss in DpoLoss::ALL {
        let label_smoothing = if loss.is_smoothed() { 0.1 } else { 0.0 };
        let dpo = Dpo { label_smoothing, ..Dpo::with_loss(loss) };
        assert!(dpo.share(&pairs, totals).loss.is_nan(), "{loss:?}");
    }
    for loss in CpoLoss::ALL {
        let cpo = Cpo { loss, cpo_alpha: 0.0, ..Cpo::default() };
        assert!(cpo.share(&pairs, totals).loss.is_nan(), "{loss:?}");
    }
    assert!(Orpo::default().share(&pairs, totals).loss.is_nan());
    let judged = [Judged { completion: bad, desirable: false }];
    let step = KtoStep { n_completions: 1, kl_point: 0.0 };
    assert!(Kto::default().share(&judged, step).loss.is_nan());
}

/// A part of a step without pairs has no share in it.
#[test]
fn nothing_has_no_share() {
    let totals = PairTotals { n_pairs: 4, n_chosen_tokens: 9 };
    assert_eq!(Dpo::default().loss(&[], totals), Ok(PairOutput::default()));
    assert_eq!(Cpo::default().loss(&[], totals), Ok(PairOutput::default()));
    assert_eq!(Orpo::default().loss(&[], totals), Ok(PairOutput::default()));
}
