//! Weights that follow what the batches of a training run show.
//!
//! Two rules, both computed from running statistics and both bounded: no weight, before all are divided
//! by their sum, is more than `bound` times what it was at the start, or less than a `bound`-th of it.
//!
//! - [`Rule::Lagging`]: what is far behind counts more. With m_i the running mean of part i and m their
//!   mean by first weights, the factor of part i is exp(rate (m - m_i)). This is the step of Hedge
//!   (Freund and Schapire 1997, "A decision-theoretic generalization of on-line learning", figure 1), as
//!   group DRO takes it to guard the worst group (Sagawa et al. 2020, arXiv 1911.08731, algorithm 1), but
//!   taken once from the running means instead of adding up for ever, so that what was made up for is
//!   forgotten.
//! - [`Rule::InverseVariance`]: for parts that measure *the same thing* with different noise, such as
//!   several judges. The factor is one over the variance of the part's noise, the weighting with the
//!   least variance of the mean (Cochran 1937, "Problems arising in the analysis of a series of similar
//!   experiments"). The noise is not seen, but disagreement is: with d_i the variance of part i about the
//!   mean of the n - 1 others, d_i = v_i + (sum of the other v) / (n - 1)^2, which is solved for the v.
//!   (Grubbs 1948, "On estimating precision of measuring instruments", does it from pairs.) A part's
//!   constant bias does not count as noise. With two parts nobody can say who is wrong, so it takes
//!   three or more. It must not be used on parts that measure different things: what differs most from
//!   the others would be silenced.
//!
//! A reward scores with its first weights; see [`stateset_core::Weighing`] for when they change and why
//! not before. Statistics of a batch enter with the share 1 - `memory`.

use async_trait::async_trait;
use stateset_core::{Reward, RewardContext, RewardResult, Trajectory, Weighing};

use super::combine::Combine;
use super::composite::{CompositeReward, WeightedReward};
use super::running_weights::RunningWeights;
use crate::error::EnvError;
use crate::names::named_enum;

named_enum! {
    /// How weights follow what was seen.
    pub enum Rule {
        /// Parts with low means gain weight.
        Lagging => "lagging",
        /// Parts with little noise gain weight.
        InverseVariance => "inverse_variance",
    }
}

/// How weights may change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaptation {
    /// What decides.
    pub rule: Rule,
    /// Share of the running statistics that a new batch leaves in place; from 0 to below 1.
    pub memory: f64,
    /// For [`Rule::Lagging`]: exponent for a difference of 1 between means; from 0.
    pub rate: f64,
    /// Greatest factor, and one over the least; from 1.
    pub bound: f64,
}

impl Adaptation {
    /// `rule` with a memory of 0.9, a rate of 2 and a bound of 4.
    pub fn new(rule: Rule) -> Adaptation {
        Adaptation { rule, memory: 0.9, rate: 2.0, bound: 4.0 }
    }

    fn problem(&self, n_parts: usize) -> Option<String> {
        let Adaptation { rule, memory, rate, bound } = *self;
        if !(0.0..1.0).contains(&memory) {
            return Some(format!("its memory is {memory}, allowed is a number from 0 to below 1"));
        }
        if !(rate.is_finite() && rate >= 0.0) {
            return Some(format!("its rate is {rate}, allowed is a number from 0"));
        }
        if !(bound.is_finite() && bound >= 1.0) {
            return Some(format!("its bound is {bound}, allowed is a number from 1"));
        }
        (rule == Rule::InverseVariance && n_parts < 3).then(|| {
            format!(
                "inverse_variance takes three members or more, because of two that differ nobody \
                     knows which is wrong; found {n_parts}"
            )
        })
    }
}

/// A weighted mean whose weights change in training; see the rules above.
#[derive(Clone, Debug)]
pub struct AdaptiveReward {
    composite: CompositeReward,
    adaptation: Adaptation,
}

impl AdaptiveReward {
    /// The weighted mean of `members`, whose weights are where it starts.
    ///
    /// # Errors
    /// [`EnvError::Reward`] for numbers out of range, too few members, and for what
    /// [`CompositeReward::new`] refuses.
    pub fn new(
        members: impl IntoIterator<Item = WeightedReward>,
        adaptation: Adaptation,
    ) -> Result<AdaptiveReward, EnvError> {
        AdaptiveReward::of(CompositeReward::new(members)?, adaptation)
    }

    /// The same from a composite.
    ///
    /// # Errors
    /// As [`AdaptiveReward::new`]; also for a composite that is no weighted mean.
    pub fn of(
        composite: CompositeReward,
        adaptation: Adaptation,
    ) -> Result<AdaptiveReward, EnvError> {
        let combine = composite.combine();
        let other = (combine != Combine::WeightedMean)
            .then(|| format!("only the weights of a weighted_sum change, found {combine}"));
        match other.or_else(|| adaptation.problem(composite.weights().count())) {
            None => Ok(AdaptiveReward { composite: composite.normalised(), adaptation }),
            Some(message) => Err(EnvError::Reward { name: "adaptive".to_owned(), message }),
        }
    }

    /// Names and first weights of the members; they have the sum 1.
    pub fn weights(&self) -> impl Iterator<Item = (&str, f64)> {
        self.composite.weights()
    }
}

#[async_trait]
impl Reward for AdaptiveReward {
    fn name(&self) -> &str {
        "adaptive"
    }

    async fn score(&self, trajectory: &Trajectory, context: RewardContext<'_>) -> RewardResult {
        self.composite.score(trajectory, context).await
    }

    fn weighing(&self) -> Option<Box<dyn Weighing>> {
        Some(Box::new(RunningWeights::new(self.weights(), self.adaptation)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::function::reward_fn;
    use super::*;

    fn reward(weights: &[f64], adaptation: Adaptation) -> Result<AdaptiveReward, EnvError> {
        let member = |(i, weight): (usize, &f64)| {
            let half = reward_fn(format!("part-{i}"), |_: &Trajectory, _| 0.5);
            WeightedReward::new(*weight, half)
        };
        AdaptiveReward::new(weights.iter().enumerate().map(member), adaptation)
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let lagging = Adaptation::new(Rule::Lagging);
        for (weights, adaptation, expected) in [
            (vec![1.0], Adaptation { memory: 1.0, ..lagging }, "its memory is 1"),
            (vec![1.0], Adaptation { rate: f64::NAN, ..lagging }, "its rate is NaN"),
            (vec![1.0], Adaptation { bound: 0.5, ..lagging }, "its bound is 0.5"),
            (vec![1.0; 2], Adaptation::new(Rule::InverseVariance), "three members or more"),
            (vec![0.0; 2], lagging, "no positive sum"),
            (vec![-1.0, 2.0], lagging, "the weight of part-0 is -1"),
        ] {
            let error = reward(&weights, adaptation).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let members = || [WeightedReward::new(1.0, reward_fn("a", |_: &Trajectory, _| 0.5))];
        let least = CompositeReward::new(members()).unwrap().combined_by(Combine::Min);
        assert!(AdaptiveReward::of(least, lagging).unwrap_err().to_string().contains("found min"));
        let adaptive = AdaptiveReward::new(members(), lagging).unwrap();
        let nested = CompositeReward::new([WeightedReward::new(1.0, adaptive)]).unwrap_err();
        assert!(
            nested.to_string().contains("adaptive changes its weights in training"),
            "{nested}"
        );
    }
}
