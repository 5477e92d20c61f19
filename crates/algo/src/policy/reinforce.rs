//! REINFORCE: log-prob times advantage (Williams 1992).
//!
//!   ell_t = -sg(w_t) A_t lc_t
//!
//! w is 1, or with `max_weight` the importance weight exp(lc - lb) of current policy to sampler, cut
//! from above: then several steps may be taken on one batch. verl sums over tokens and takes the mean
//! over trajectories ([`crate::Aggregation::TokenSum`]).

use super::{Sequence, Slopes, Surrogate, TokenLoss};
use crate::error::Problems;
use crate::{AdvantageEstimator, Aggregation, Baseline, PolicyGradient, Problem};

/// Settings of REINFORCE.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reinforce {
    /// Upper bound of the importance weight, 1 or more; `None` takes every weight as 1.
    pub max_weight: Option<f64>,
}

/// REINFORCE with the mean reward of the batch as its baseline and weights cut at 2.
pub fn reinforce() -> PolicyGradient {
    PolicyGradient {
        name: "reinforce",
        advantage: AdvantageEstimator::Baseline(Baseline::Batch { epsilon: 1e-4 }),
        surrogate: Surrogate::Reinforce(Reinforce { max_weight: Some(2.0) }),
        aggregation: Aggregation::TokenSum,
        ..PolicyGradient::default()
    }
}

impl Reinforce {
    /// The loss of every token of a trajectory.
    pub fn losses(&self, sequence: &Sequence) -> Vec<TokenLoss> {
        let token = |i: usize| {
            let ratio = crate::ratio(sequence.current[i] - sequence.old[i]).value;
            let behaviour = sequence.behaviour[i];
            let weight = match self.max_weight {
                // A missing log-prob is no evidence of a mismatch.
                Some(max) if behaviour.is_finite() => {
                    crate::ratio(sequence.current[i] - behaviour).value.min(max)
                }
                _ => 1.0,
            };
            let slope = -weight * sequence.advantages[i];
            let loss = Slopes { value: slope * sequence.current[i], own: slope, shared: 0.0 };
            TokenLoss::unclipped(loss, ratio)
        };
        (0..sequence.len()).map(token).collect()
    }

    /// Everything wrong with the settings.
    pub fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.max_weight.is_none_or(|max| max.is_finite() && max >= 1.0),
            "reinforce.max_weight",
            self.max_weight.unwrap_or_default(),
            "1 or more, or nothing",
            "2.0 is usual",
        );
        problems.into_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, RowCredit, RowData, RowScores, StepData, TrajectoryData};

    /// lc = [-1, -2], A = [2, -1], weights [1, .5]: 2 - 1 = 1, slopes [-2, .5]. With an entropy of .5
    /// and a weight of .01 for it the loss is .995.
    #[test]
    fn golden_weighted_tokens() {
        let behaviour = [-1.0, -2.0 + 2f32.ln()];
        let step = StepData {
            trajectories: vec![TrajectoryData::default()],
            rows: vec![RowData { behaviour: &behaviour, ..RowData::default() }],
            ..StepData::default()
        };
        for (entropy_coef, loss) in [(0.0, 1.0), (0.01, 0.995)] {
            let method = PolicyGradient { entropy_coef, ..reinforce() };
            let credit = RowCredit { advantages: vec![2.0, -1.0], returns: Vec::new() };
            let plan = method.prepare(&step, vec![credit]).unwrap();
            let scores =
                RowScores { logprobs: &[-1.0, -2.0], entropies: &[0.5; 2], ..RowScores::default() };
            let out = method.loss(&plan, &[scores]);
            assert!((out.loss - loss).abs() < 1e-6, "{}", out.loss);
            assert!((out.gradients[0].logprobs[0] + 2.0).abs() < 1e-6);
            assert!((out.gradients[0].logprobs[1] - 0.5).abs() < 1e-6);
        }
    }

    #[test]
    fn weights_are_cut_and_unknown_ones_are_1() {
        let sequence = Sequence {
            current: vec![-1.0; 3],
            old: vec![-1.0; 3],
            behaviour: vec![-4.0, f64::NAN, -0.5],
            advantages: vec![1.0; 3],
            ..Sequence::default()
        };
        let slopes = |max_weight| -> Vec<f64> {
            Reinforce { max_weight }.losses(&sequence).iter().map(|t| t.loss.own).collect()
        };
        assert_eq!(slopes(Some(2.0)), [-2.0, -1.0, -(-0.5f64).exp()]);
        assert_eq!(slopes(None), [-1.0; 3]);
        let keys: Vec<&str> =
            Reinforce { max_weight: Some(0.5) }.validate().iter().map(|p| p.key).collect();
        assert_eq!(keys, ["reinforce.max_weight"]);
    }
}
