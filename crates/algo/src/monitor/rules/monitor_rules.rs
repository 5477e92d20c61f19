//! All rules together, and which of them a run has a use for.
//!
//! A rule that is `None` is off. [`MonitorRules::for_run`] switches those off that a method makes
//! meaningless; a signal that a run does not report is not judged in any case.

use super::super::Signal;
use super::{
    ClipShareRule, DeadGroupsRule, DriftRule, EffectiveSamplesRule, EntropyRule, EvaluationRule,
    ExplainedVarianceRule, GradientRule, MismatchKlRule, MismatchWeightRule, ReferenceKlRule,
    TruncationRule,
};
use crate::Problem;

/// The rules of a monitor. The default has all of them, as for PPO.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MonitorRules {
    /// Gradient norm.
    pub gradient: Option<GradientRule>,
    /// Drift within a batch.
    pub drift: Option<DriftRule>,
    /// Mean weight between sampler and trainer.
    pub mismatch_weight: Option<MismatchWeightRule>,
    /// KL between them.
    pub mismatch_kl: Option<MismatchKlRule>,
    /// Effective samples.
    pub effective_samples: Option<EffectiveSamplesRule>,
    /// Clipped tokens.
    pub clip_share: Option<ClipShareRule>,
    /// KL to the reference.
    pub reference_kl: Option<ReferenceKlRule>,
    /// Entropy.
    pub entropy: Option<EntropyRule>,
    /// Groups with equal rewards.
    pub dead_groups: Option<DeadGroupsRule>,
    /// The critic.
    pub explained_variance: Option<ExplainedVarianceRule>,
    /// Evaluations.
    pub evaluation: Option<EvaluationRule>,
    /// Cut off trajectories.
    pub truncation: Option<TruncationRule>,
}

impl Default for MonitorRules {
    fn default() -> Self {
        MonitorRules {
            gradient: Some(GradientRule::default()),
            drift: Some(DriftRule::default()),
            mismatch_weight: Some(MismatchWeightRule::default()),
            mismatch_kl: Some(MismatchKlRule::default()),
            effective_samples: Some(EffectiveSamplesRule::default()),
            clip_share: Some(ClipShareRule::default()),
            reference_kl: Some(ReferenceKlRule::default()),
            entropy: Some(EntropyRule::default()),
            dead_groups: Some(DeadGroupsRule::default()),
            explained_variance: Some(ExplainedVarianceRule::default()),
            evaluation: Some(EvaluationRule::default()),
            truncation: Some(TruncationRule::default()),
        }
    }
}

/// What is clipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipKind {
    /// Nothing, as in REINFORCE.
    Nothing,
    /// The ratio of each token, as in PPO and GRPO.
    Tokens,
    /// One ratio for a whole sequence, as in GSPO.
    Sequences,
}

/// What rules must know of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunTraits {
    /// What is clipped.
    pub clip: ClipKind,
    /// Whether there is a critic.
    pub has_critic: bool,
    /// Optimiser steps on one batch, over all its passes.
    pub updates_per_batch: usize,
    /// Whether trajectories are compared within groups of one scenario.
    pub has_groups: bool,
}

impl MonitorRules {
    /// The rules that say something about such a run.
    pub fn for_run(run: &RunTraits) -> MonitorRules {
        let mut rules = MonitorRules::default();
        if run.updates_per_batch < 2 {
            rules.drift = None;
            rules.clip_share =
                rules.clip_share.map(|rule| ClipShareRule { idle_steps: None, ..rule });
        }
        if run.clip != ClipKind::Tokens {
            rules.clip_share = None;
        }
        if !run.has_critic {
            rules.explained_variance = None;
        }
        if !run.has_groups {
            rules.dead_groups = None;
        }
        rules
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let problems = [
            self.gradient.map(|rule| rule.validate()),
            self.drift.map(|rule| rule.validate()),
            self.mismatch_weight.map(|rule| rule.validate()),
            self.mismatch_kl.map(|rule| rule.validate()),
            self.effective_samples.map(|rule| rule.validate()),
            self.clip_share.map(|rule| rule.validate()),
            self.reference_kl.map(|rule| rule.validate()),
            self.entropy.map(|rule| rule.validate()),
            self.dead_groups.map(|rule| rule.validate()),
            self.explained_variance.map(|rule| rule.validate()),
            self.evaluation.map(|rule| rule.validate()),
            self.truncation.map(|rule| rule.validate()),
        ];
        problems.into_iter().flatten().flatten().collect()
    }

    /// Whether there is a rule for a signal.
    pub fn watches(&self, signal: Signal) -> bool {
        match signal {
            Signal::GradientNorm => self.gradient.is_some(),
            Signal::Drift => self.drift.is_some(),
            Signal::MismatchWeight => self.mismatch_weight.is_some(),
            Signal::MismatchKl => self.mismatch_kl.is_some(),
            Signal::EffectiveSamples => self.effective_samples.is_some(),
            Signal::ClipShare => self.clip_share.is_some(),
            Signal::ReferenceKl => self.reference_kl.is_some(),
            Signal::Entropy => self.entropy.is_some(),
            Signal::DeadGroups => self.dead_groups.is_some(),
            Signal::ExplainedVariance => self.explained_variance.is_some(),
            Signal::Evaluation => self.evaluation.is_some(),
            Signal::Truncation => self.truncation.is_some(),
        }
    }

    /// Values of each signal that rules look back on.
    pub(in super::super) fn memory_steps(&self) -> usize {
        [
            self.gradient.map(|rule| rule.median_steps),
            self.mismatch_kl.map(|rule| rule.growth_steps),
            self.clip_share.map(|rule| rule.act_steps.max(rule.idle_steps.unwrap_or(0))),
            self.reference_kl.map(|rule| rule.act_steps),
            self.dead_groups.map(|rule| rule.act_steps),
        ]
        .into_iter()
        .flatten()
        .max()
        .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(clip: ClipKind, updates_per_batch: usize) -> MonitorRules {
        let traits = RunTraits { clip, has_critic: false, updates_per_batch, has_groups: true };
        MonitorRules::for_run(&traits)
    }

    #[test]
    fn rules_that_do_not_apply_are_off() {
        let grpo = run(ClipKind::Tokens, 4);
        assert!(grpo.clip_share.unwrap().idle_steps.is_some() && grpo.drift.is_some());
        assert!(grpo.explained_variance.is_none() && grpo.dead_groups.is_some());
        let single = run(ClipKind::Tokens, 1);
        assert!(single.clip_share.unwrap().idle_steps.is_none() && single.drift.is_none());
        assert!(run(ClipKind::Sequences, 4).clip_share.is_none());
        assert!(run(ClipKind::Nothing, 4).clip_share.is_none());
        let critic = RunTraits {
            clip: ClipKind::Tokens,
            has_critic: true,
            updates_per_batch: 4,
            has_groups: false,
        };
        let ppo = MonitorRules::for_run(&critic);
        assert!(ppo.explained_variance.is_some() && ppo.dead_groups.is_none());
    }

    #[test]
    fn defaults_are_valid_and_each_rule_finds_its_problem() {
        assert_eq!(MonitorRules::default().validate(), []);
        assert_eq!(MonitorRules::default().memory_steps(), 50);
        let nan = f64::NAN;
        let rules = MonitorRules {
            gradient: Some(GradientRule { factor: nan, ..Default::default() }),
            drift: Some(DriftRule { target: nan }),
            mismatch_weight: Some(MismatchWeightRule { low: nan, high: 2.0 }),
            mismatch_kl: Some(MismatchKlRule { act: nan, ..Default::default() }),
            effective_samples: Some(EffectiveSamplesRule { warn: nan, act: 0.1 }),
            clip_share: Some(ClipShareRule { act: nan, ..Default::default() }),
            reference_kl: Some(ReferenceKlRule { act: nan, ..Default::default() }),
            entropy: Some(EntropyRule { warn_share: nan, act_share: 0.1 }),
            dead_groups: Some(DeadGroupsRule { act: nan, ..Default::default() }),
            explained_variance: Some(ExplainedVarianceRule {
                resume_above: nan,
                ..Default::default()
            }),
            evaluation: Some(EvaluationRule { min_delta: nan, patience: 1 }),
            truncation: Some(TruncationRule { warn: nan }),
        };
        assert_eq!(rules.validate().len(), 12);
    }
}
