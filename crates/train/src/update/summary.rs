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
    /// Optimiser steps dropped because something was not finite or far larger than usual.
    pub n_skipped: usize,
    /// Why, for the last one dropped, or for the whole batch.
    pub skipped_because: Option<String>,
    /// What was dropped was finite, and left out by [`UpdateLimits`](super::UpdateLimits).
    pub is_on_purpose: bool,
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
    n_bursts: usize,
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

    /// Leaves out an optimiser step whose gradient is larger than allowed; its norm counts among those
    /// that are usual.
    pub(super) fn burst(&mut self, norm: f64, limit: f64) {
        self.n_bursts += 1;
        self.add(metric::GRADIENT_NORM, norm);
        self.grad_norm_max = self.grad_norm_max.max(norm);
        self.skip(&format!("the gradient's norm of {norm:.3} was above the limit of {limit:.3}"));
    }

    /// Leaves out the whole batch.
    pub(super) fn discard(self, share: f64, controls: Controls, secs: f64) -> UpdateReport {
        let mut report = self.finish(0, controls, secs);
        report.metrics.insert("mismatch/ess".to_owned(), share);
        report.skipped_because = Some(format!(
            "a few of its tokens outweigh all others: it is worth {:.1} % of its size",
            100.0 * share
        ));
        report.is_on_purpose = true;
        report
    }

    pub(super) fn finish(self, n_passes: usize, controls: Controls, secs: f64) -> UpdateReport {
        let n_steps = (self.n_taken + self.n_bursts).max(self.n_critic).max(1) as f64;
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
            let n = match name {
                _ if name.starts_with("value/") => self.n_critic,
                metric::GRADIENT_NORM => self.n_taken + self.n_bursts,
                _ => self.n_taken,
            };
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
            is_on_purpose: self.n_bursts > 0 && self.n_bursts == self.n_skipped,
            controls,
            n_tokens: self.n_tokens,
            secs,
        }
    }
}
