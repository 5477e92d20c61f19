//! What a monitor watches.
//!
//! The order is that of urgency: where several signals ask for a change, the earlier one gets it. A
//! gradient that bursts comes before a policy that drifts, and that before samples that teach little.

use std::fmt;

/// One watched quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Norm of the gradient before clipping.
    GradientNorm,
    /// KL of the old to the current policy (k3), nats per token.
    Drift,
    /// Mean weight of the old against the behaviour policy; 1 where both agree.
    MismatchWeight,
    /// KL of the behaviour to the current policy (k3), nats per token.
    MismatchKl,
    /// Effective share of the sampled tokens, from 0 to 1.
    EffectiveSamples,
    /// Share of tokens whose ratio was clipped.
    ClipShare,
    /// KL of the current to the reference policy (k3), nats per token.
    ReferenceKl,
    /// Entropy of the policy, nats per token.
    Entropy,
    /// Share of trajectories whose group has equal rewards and so teaches nothing.
    DeadGroups,
    /// How much of the returns the critic foresees; 1 at best.
    ExplainedVariance,
    /// Evaluations in a row without a gain.
    Evaluation,
    /// Share of trajectories cut off at a limit.
    Truncation,
}

impl Signal {
    /// All of them, the most urgent first.
    pub const ALL: [Signal; 12] = [
        Signal::GradientNorm,
        Signal::Drift,
        Signal::MismatchWeight,
        Signal::MismatchKl,
        Signal::EffectiveSamples,
        Signal::ClipShare,
        Signal::ReferenceKl,
        Signal::Entropy,
        Signal::DeadGroups,
        Signal::ExplainedVariance,
        Signal::Evaluation,
        Signal::Truncation,
    ];

    /// Its name in reports and files.
    pub fn name(self) -> &'static str {
        match self {
            Signal::GradientNorm => "gradient_norm",
            Signal::Drift => "drift",
            Signal::MismatchWeight => "mismatch_weight",
            Signal::MismatchKl => "mismatch_kl",
            Signal::EffectiveSamples => "effective_samples",
            Signal::ClipShare => "clip_share",
            Signal::ReferenceKl => "reference_kl",
            Signal::Entropy => "entropy",
            Signal::DeadGroups => "dead_groups",
            Signal::ExplainedVariance => "explained_variance",
            Signal::Evaluation => "evaluation",
            Signal::Truncation => "truncation",
        }
    }

    /// The signal of that name.
    pub fn from_name(name: &str) -> Option<Signal> {
        Signal::ALL.into_iter().find(|signal| signal.name() == name)
    }

    /// The number of a step that it is read from. `None` for evaluations, which are no step's.
    pub fn metric(self) -> Option<&'static str> {
        Some(match self {
            Signal::GradientNorm => "gradient/norm",
            Signal::Drift => "drift/k3",
            Signal::MismatchWeight => "mismatch/weight_mean",
            Signal::MismatchKl => "mismatch/kl",
            Signal::EffectiveSamples => "mismatch/ess",
            Signal::ClipShare => "clip/region",
            Signal::ReferenceKl => "reference_kl",
            Signal::Entropy => "entropy",
            Signal::DeadGroups => "reward/dead_share",
            Signal::ExplainedVariance => "value/explained_variance",
            Signal::Evaluation => return None,
            Signal::Truncation => "length/truncated_share",
        })
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_and_metrics_are_distinct() {
        let mut metrics = Vec::new();
        for signal in Signal::ALL {
            assert_eq!(Signal::from_name(signal.name()), Some(signal));
            metrics.extend(signal.metric());
        }
        metrics.sort_unstable();
        metrics.dedup();
        assert_eq!(metrics.len(), Signal::ALL.len() - 1);
        assert_eq!(Signal::from_name("mood"), None);
        assert!(Signal::ALL.is_sorted());
    }
}
