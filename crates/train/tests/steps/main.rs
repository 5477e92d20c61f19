//! Optimiser steps of the whole engine are those of TRL's trainers.
//!
//! `tests/golden/steps_trl.py` says how the numbers were made: a small llama, fixed rollouts, three
//! optimiser steps on them. Both sides compute in f32; TRL's own numbers move by 4e-6 of a tensor's
//! whole move when another attention kernel is used.
//! Pinned here:
//!
//! 1. Log-probs of the completions, padding and positions left out.
//! 2. Loss (with the KL penalty), gradient norm, clip shares and entropy of every step.
//! 3. The weights after three steps: norm and sampled entries, and the same of the distance moved.
//! 4. The same of three steps on pairs under DPO, with implicit rewards.
//! 5. Three updates of one pass are one update of three passes.
//! 6. Gradients and batches beyond a limit are left out, reported and counted; a limit that nothing
//!    reaches changes nothing.

#![allow(clippy::unwrap_used, reason = "a golden file that cannot be read ends the test")]

mod golden;
mod trained;

use std::collections::BTreeMap;
use std::sync::Arc;

use golden::{Case, Golden, TensorNumbers};
use stateset_algo::{
    Aggregation, Algorithm, Clip, Dpo, KlEstimator, KlPenalty, PolicyGradient, PreferenceMethod,
    RatioLevel, Surrogate,
};
use stateset_train::UpdateLimits;
use trained::{Trained, old_logprobs, train, train_on_pairs, train_within};

/// Cases whose algorithm is here.
const CASES: [&str; 3] = ["grpo", "dapo", "gspo"];

/// The algorithm with the settings of a case; `None` where it is not here.
fn algorithm(name: &str, case: &Case) -> Option<Box<dyn Algorithm>> {
    let settings = &case.settings;
    let clip = Clip { low: settings.epsilon, high: settings.epsilon_high, delta: None };
    let method = |level, aggregation| -> Option<Box<dyn Algorithm>> {
        Some(Box::new(PolicyGradient {
            surrogate: Surrogate::Clip { clip, level },
            aggregation,
            kl: KlPenalty { coef: settings.beta, estimator: KlEstimator::K3ImportanceCorrected },
            mask_truncated: settings.mask_truncated_completions,
            ..PolicyGradient::default()
        }))
    };
    match name {
        "grpo" => method(RatioLevel::Token, Aggregation::Grpo),
        "dapo" => method(RatioLevel::Token, Aggregation::Dapo { trl_window: false }),
        "gspo" => method(RatioLevel::Sequence, Aggregation::Grpo),
        _ => None,
    }
}

#[test]
fn log_probs_before_the_first_step() {
    let golden = Golden::read();
    for name in ["grpo", "dapo"] {
        let case = &golden.cases[name];
        let ours = old_logprobs(&golden, case.settings.temperature);
        assert_eq!(ours.len(), 8);
        for (ours, theirs) in ours.iter().zip(&case.old) {
            assert_eq!(ours.len(), theirs.len());
            for (&ours, &theirs) in ours.iter().zip(theirs) {
                assert_close(name, f64::from(ours), f64::from(theirs), 0.0, 2e-5);
            }
        }
    }
}

#[test]
fn steps_and_weights() {
    let golden = Golden::read();
    for name in CASES {
        let case = &golden.cases[name];
        let algorithm = algorithm(name, case).unwrap();
        let trained = train(&golden, case, algorithm.into(), &[1, 1, 1]);
        assert_steps(name, &trained, case);
        assert_weights(name, &golden, &trained, case);
    }
}

#[test]
fn steps_on_pairs() {
    let golden = Golden::read();
    let case = &golden.cases["dpo"];
    let dpo = Dpo { beta: case.settings.beta, ..Dpo::default() };
    let trained = train_on_pairs(&golden, case, Arc::new(PreferenceMethod::Dpo(dpo)), 3);
    for (ours, theirs) in trained.steps.iter().zip(&case.steps) {
        assert_close("loss", ours["loss"], theirs.loss, 2e-5, 1e-6);
        assert_close("gradient", ours["gradient/norm"], theirs.grad_norm, 2e-5, 0.0);
        for (trl, name_here) in [
            ("rewards/chosen", "preference/chosen_reward"),
            ("rewards/rejected", "preference/rejected_reward"),
            ("rewards/accuracies", "preference/accuracy"),
            ("logps/chosen", "preference/chosen_logprob"),
            ("logps/rejected", "preference/rejected_logprob"),
        ] {
            assert_close(trl, ours[name_here], theirs.metrics[trl], 1e-4, 1e-5);
        }
    }
    assert_weights("dpo", &golden, &trained, case);
}

#[test]
fn three_passes_in_one_update() {
    let golden = Golden::read();
    for name in CASES {
        let case = &golden.cases[name];
        let algorithm = algorithm(name, case).unwrap();
        let trained = train(&golden, case, algorithm.into(), &[3]);
        assert_eq!(trained.steps.len(), 1);
        assert_weights(name, &golden, &trained, case);
    }
}

#[test]
fn gradients_and_batches_beyond_a_limit_are_left_out() {
    let golden = Golden::read();
    let case = &golden.cases["grpo"];
    let within = |limits: UpdateLimits| {
        let algorithm = algorithm("grpo", case).unwrap();
        train_within(&golden, case, algorithm.into(), &[1, 1], limits)
    };
    let none = UpdateLimits::default();
    let norm = case.steps[0].grad_norm;
    // The second gradient is allowed to be no larger than it is in this run.
    let (free, start, end) = within(none);
    let high = UpdateLimits { gradient_norm: 10.0 * norm, effective_share: 0.99 };
    let (reports, _, same) = within(high);
    assert!(same == end && start != end);
    assert!(reports.iter().all(|report| report.n_skipped == 0 && !report.is_on_purpose));

    let (reports, _, kept) = within(UpdateLimits { gradient_norm: 0.5 * norm, ..none });
    assert!(kept == start, "nothing was learned");
    for report in &reports {
        assert_eq!((report.n_taken, report.n_skipped, report.is_on_purpose), (0, 1, true));
        // Both see the weights of the start, so both have the norm of the first.
        let seen = report.metrics["gradient/norm"];
        assert_eq!(seen, free[0].metrics["gradient/norm"]);
        assert_close("loss", report.metrics["loss"], case.steps[0].loss, 2e-5, 1e-6);
        assert!(report.skipped_because.as_ref().unwrap().contains("above the limit"));
    }

    // What sampled is the old policy here, so every batch is worth all of its tokens.
    let (reports, _, kept) = within(UpdateLimits { effective_share: 1.5, ..none });
    assert!(kept == start);
    let report = &reports[0];
    assert_eq!((report.n_taken, report.n_skipped, report.is_on_purpose), (0, 0, true));
    assert_eq!(report.metrics["mismatch/ess"], 1.0);
    assert!(report.skipped_because.as_ref().unwrap().contains("100.0 %"));
}

#[track_caller]
fn assert_steps(name: &str, trained: &Trained, case: &Case) {
    assert_eq!(trained.steps.len(), case.steps.len());
    for (ours, theirs) in trained.steps.iter().zip(&case.steps) {
        assert_close(name, ours["loss"], theirs.loss, 2e-5, 1e-6);
        assert_close(name, ours["gradient/norm"], theirs.grad_norm, 2e-5, 0.0);
        for (trl, name_here) in [
            ("entropy", "entropy"),
            // TRL counts sequences where they are clipped as one, tokens elsewhere.
            ("clip_ratio/low_mean", if name == "gspo" { "clip/row_low" } else { "clip/low" }),
            ("clip_ratio/high_mean", if name == "gspo" { "clip/row_high" } else { "clip/high" }),
        ] {
            assert_close(trl, ours[name_here], theirs.metrics[trl], 1e-4, 1e-6);
        }
    }
}

#[track_caller]
fn assert_weights(name: &str, golden: &Golden, trained: &Trained, case: &Case) {
    assert_eq!(trained.start.len(), golden.samples.len());
    for (tensor, wanted) in &case.tensors {
        let what = format!("{name}: {tensor}");
        let (start, end) = (&trained.start[tensor], &trained.end[tensor]);
        let moved: Vec<f32> = end.iter().zip(start).map(|(a, b)| a - b).collect();
        let TensorNumbers { norm: moved_norm, values: moved } =
            TensorNumbers::of(&moved, &golden.samples[tensor]);
        let TensorNumbers { norm, values } = TensorNumbers::of(end, &golden.samples[tensor]);
        assert_close(&what, norm, wanted.norm, 1e-6, 0.0);
        assert_close(&what, moved_norm, wanted.moved_norm, 2e-5, 0.0);
        for i in 0..values.len() {
            assert_close(&what, values[i], wanted.values[i], 1e-5, 1e-6);
            // An entry is measured against what entries of its tensor move at most.
            let reach = 3.0 * case.settings.learning_rate;
            assert_close(&what, moved[i], wanted.moved[i], 0.0, 1e-3 * reach);
        }
    }
}

#[track_caller]
fn assert_close(what: &str, ours: f64, theirs: f64, rtol: f64, atol: f64) {
    let allowed = atol + rtol * theirs.abs();
    assert!((ours - theirs).abs() <= allowed, "{what}: {ours} is not {theirs} within {allowed:e}");
}

/// Tensors by their names in the checkpoint.
type Weights = BTreeMap<String, Vec<f32>>;
