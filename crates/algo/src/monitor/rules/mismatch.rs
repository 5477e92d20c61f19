//! Whether the policy that sampled is the one that the trainer takes it for.
//!
//! Weights are those of the old against the behaviour policy. The range of their mean and the share
//! of effective samples come from verl's notes on rollout correction; the limits of the KL and the
//! share below which a batch is worthless are starting points and not published. A small KL is normal
//! where two engines compute, so it is a warning only while it grows.

use super::super::{Action, Finding, Level, MonitorState, Signal};
use super::span::rise;
use crate::Problem;
use crate::error::Problems;

/// The range of the mean weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MismatchWeightRule {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Default for MismatchWeightRule {
    fn default() -> Self {
        MismatchWeightRule { low: 0.5, high: 2.0 }
    }
}

impl MismatchWeightRule {
    pub(in super::super) fn judge(&self, weight: f64) -> Finding {
        let fine = "samples come from the policy that is trained";
        let threshold = if weight < self.low { self.low } else { self.high };
        let finding = Finding::ok(Signal::MismatchWeight, weight, threshold, fine);
        if weight >= self.low && weight <= self.high {
            return finding;
        }
        let meaning = "samples come from another policy than the one that is trained";
        let advice = "correct for it (truncated weights, or masking of sequences), and give the \
                      sampler fresh weights";
        finding.crossed(Level::Act, threshold, meaning, advice)
    }

    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.low > 0.0 && self.low <= 1.0 && self.high >= 1.0 && self.high.is_finite(),
            "mismatch_weight.low",
            (self.low, self.high),
            "a range around 1",
            "0.5 to 2 is usual",
        );
        problems.into_vec()
    }
}

/// The least share of effective samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EffectiveSamplesRule {
    /// Below this share, a warning.
    pub warn: f64,
    /// Below this share, the batch is worthless.
    pub act: f64,
}

impl Default for EffectiveSamplesRule {
    fn default() -> Self {
        EffectiveSamplesRule { warn: 0.3, act: 0.1 }
    }
}

impl EffectiveSamplesRule {
    pub(in super::super) fn judge(&self, share: f64) -> Finding {
        let fine = "the samples weigh about alike";
        let finding = Finding::ok(Signal::EffectiveSamples, share, self.warn, fine);
        if share < self.act {
            let meaning = "a few samples outweigh all others";
            let advice = "discard this batch, and sample with the current weights";
            finding.crossed(Level::Act, self.act, meaning, advice).with_action(Action::DiscardBatch)
        } else if share < self.warn {
            let meaning = "some samples weigh far more than others";
            let advice = "bound the weights, or sample with fresher weights";
            finding.crossed(Level::Warn, self.warn, meaning, advice)
        } else {
            finding
        }
    }

    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.act > 0.0 && self.warn >= self.act && self.warn < 1.0,
            "effective_samples.act",
            (self.warn, self.act),
            "shares between 0 and 1, the warning the greater",
            "0.3 and 0.1 are usual",
        );
        problems.into_vec()
    }
}

/// The KL between sampler and trainer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MismatchKlRule {
    /// Above this and growing, a warning; nats per token.
    pub warn: f64,
    /// Above this, something must change; nats per token.
    pub act: f64,
    /// Steps over which growth is measured: the mean of the newer half above that of the older half.
    pub growth_steps: usize,
}

impl Default for MismatchKlRule {
    fn default() -> Self {
        MismatchKlRule { warn: 0.001, act: 0.01, growth_steps: 10 }
    }
}

impl MismatchKlRule {
    pub(in super::super) fn judge(&self, state: &MonitorState, kl: f64) -> Finding {
        let fine = "sampler and trainer agree on the log-probs";
        let finding = Finding::ok(Signal::MismatchKl, kl, self.warn, fine);
        if kl > self.act {
            let meaning = "sampler and trainer disagree on the log-probs";
            let advice = "mask sequences that differ, compute logits in f32, and check that \
                          temperature and chat template are the same on both sides";
            return finding.crossed(Level::Act, self.act, meaning, advice);
        }
        let growth = rise(state.of(Signal::MismatchKl), self.growth_steps);
        if kl > self.warn && growth.is_some_and(|growth| growth > 0.0) {
            let meaning = "sampler and trainer disagree more and more";
            let advice = "look at the largest gaps: they show which tokens differ";
            return finding.crossed(Level::Warn, self.warn, meaning, advice);
        }
        finding
    }

    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.warn > 0.0 && self.act >= self.warn && self.act.is_finite(),
            "mismatch_kl.act",
            (self.warn, self.act),
            "a warning above 0, and a limit that is not below it",
            "0.001 and 0.01 nats per token are usual",
        );
        problems.require(
            self.growth_steps > 1,
            "mismatch_kl.growth_steps",
            self.growth_steps,
            "2 or more",
            "10 is usual",
        );
        problems.into_vec()
    }
}
