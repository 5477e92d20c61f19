//! Reports of the optimiser steps of an update, added up.

use std::collections::BTreeMap;
use std::time::Instant;

use stateset_algo::{Controls, Diagnostics};
use stateset_nn::StepReport;

use crate::metric;

/// What an update did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateReport {
    /// Numbers by name, averaged over the optimiser steps where they are of one.
    pub metrics: BTreeMap<String, f64>,
    /// Optimiser steps of the policy.
    pub n_taken: usize,
    /// Optimiser steps dropped because something was not finite.
    pub n_skipped: usize,
    /// What was not finite, for the last one dropped.
    pub skipped_because: Option<String>,
    /// Coefficients for the next update.
    pub controls: Controls,
    /// Tokens the model read on its way forward and backward.
    pub n_tokens: usize,
    /// Time of it.
    pub secs: f64,
}

/// Sums over optimiser steps.
#[derive(Default)]
pub(super) struct Summed {
    pub(super) diagnostics: Diagnostics,
    /// Those of the present pass alone.
    pub(super) pass: Diagnostics,
    sums: BTreeMap<&'static str, f64>,
    grad_norm_max: f64,
    n_critic: usize,
    pub(super) n_taken: usize,
    pub(super) n_skipped: usize,
    skipped_because: Option<String>,
    pub(super) n_tokens: usize,
    /// Time spent in the algorithm's own arithmetic.
    pub(super) algorithm_secs: f64,
}

impl Summed {
    /// Runs a piece of the algorithm's arithmetic and counts its time.
    pub(super) fn timed<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.algorithm_secs += start.elapsed().as_secs_f64();
        result
    }

    /// Takes in one optimiser step of the policy.
    pub(super) fn take(
        &mut self,
        diagnostics: &Diagnostics,
        report: StepReport,
        learning_rate: f64,
    ) {
        self.record(diagnostics);
        self.n_taken += 1;
        self.add(metric::GRADIENT_NORM, report.grad_norm);
        self.add(metric::LEARNING_RATE, learning_rate);
        self.grad_norm_max = self.grad_norm_max.max(report.grad_norm);
    }

    /// Takes in statistics of a step.
    pub(super) fn record(&mut self, diagnostics: &Diagnostics) {
        self.diagnostics.add(diagnostics);
        self.pass.add(diagnostics);
    }

    /// Takes in one optimiser step of the critic.
    pub(super) fn take_critic(&mut self, report: StepReport) {
        self.n_critic += 1;
        self.add("value/gradient_norm", report.value_head_norm.max(report.grad_norm));
    }

    /// Adds to a number that is averaged over the policy's optimiser steps.
    pub(super) fn add(&mut self, name: &'static str, value: f64) {
        *self.sums.entry(name).or_default() += value;
    }

    pub(super) fn skip(&mut self, why: &str) {
        self.n_skipped += 1;
        self.skipped_because = Some(why.to_owned());
    }

    pub(super) fn finish(self, n_passes: usize, controls: Controls, secs: f64) -> UpdateReport {
        let n_steps = self.n_taken.max(self.n_critic).max(1) as f64;
        let mut metrics: BTreeMap<String, f64> = self
            .diagnostics
            .finish()
            .into_iter()
            .map(|(name, value)| {
                // Losses add up over optimiser steps; all other numbers are means already.
                let value = if name.starts_with("loss") { value / n_steps } else { value };
                (name.to_owned(), value)
            })
            .collect();
        for (name, sum) in self.sums {
            let n = if name.starts_with("value/") { self.n_critic } else { self.n_taken };
            metrics.insert(name.to_owned(), sum / n.max(1) as f64);
        }
        metrics.insert("gradient/norm_max".to_owned(), self.grad_norm_max);
        metrics.insert("gradient/skipped_steps".to_owned(), self.n_skipped as f64);
        if secs > 0.0 {
            metrics.insert("update/algorithm_share".to_owned(), self.algorithm_secs / secs);
        }
        metrics.insert("update/passes".to_owned(), n_passes as f64);
        let moved = [
            ("control/kl_coef", controls.kl_coef),
            ("control/entropy_coef", controls.entropy_coef),
        ];
        for (name, value) in moved {
            metrics.extend(value.map(|value| (name.to_owned(), value)));
        }
        UpdateReport {
            metrics,
            n_taken: self.n_taken,
            n_skipped: self.n_skipped,
            skipped_because: self.skipped_because,
            controls,
            n_tokens: self.n_tokens,
            secs,
        }
    }
}
