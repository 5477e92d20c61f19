//! A2C, advantage actor-critic (arXiv 1602.01783), as Stable-Baselines3 has it.
//!
//!   loss = -mean(A lc) - c_ent mean(H) + c_vf mean((R - V)²)
//!
//! No ratio, no clip, no factor of 1/2 under the value term, and one gradient step for each batch:
//! with more the weights are stale, which nothing here corrects. Lambda is 1, so advantages are
//! returns minus values.

use super::{Reinforce, Surrogate};
use crate::{AdvantageEstimator, CriticEstimator, Gae, PolicyGradient, ValueLoss, ValueTerm};

/// A2C with Stable-Baselines3's weights; gamma is 1, as usual for language models.
pub fn a2c() -> PolicyGradient {
    PolicyGradient {
        name: "a2c",
        advantage: AdvantageEstimator::Critic {
            estimator: CriticEstimator::Token(Gae { gamma: 1.0, lambda: 1.0 }),
            whitening: None,
        },
        surrogate: Surrogate::Reinforce(Reinforce { max_weight: None }),
        value: Some(ValueTerm { loss: ValueLoss::A2C, coef: 0.5 }),
        ..PolicyGradient::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, RowCredit, RowData, RowScores, StepData, TrajectoryData};

    /// lc = [-1, -.5], A = [1, -2], V = [.5, 1], R = [1.5, -1], H = [.6, .4], entropy weight .01.
    #[test]
    fn golden_sum_of_three_parts() {
        let values: &[f32] = &[0.5, 1.0];
        let step = StepData {
            trajectories: vec![TrajectoryData::default()],
            rows: vec![RowData {
                behaviour: &[-1.0; 2],
                values: Some(values),
                ..RowData::default()
            }],
            ..StepData::default()
        };
        let credit = RowCredit { advantages: vec![1.0, -2.0], returns: vec![1.5, -1.0] };
        let method = PolicyGradient { entropy_coef: 0.01, ..a2c() };
        let plan = method.prepare(&step, vec![credit]).unwrap();
        let scores = RowScores {
            logprobs: &[-1.0, -0.5],
            entropies: &[0.6, 0.4],
            values: Some(values),
            ..RowScores::default()
        };
        let out = method.loss(&plan, &[scores]);
        assert!((out.loss - 1.245).abs() < 1e-7, "{}", out.loss);
        assert_eq!(out.gradients[0].logprobs, [-0.5, 1.0]);
        assert_eq!(out.gradients[0].values, [-0.5, 1.0]);
        assert_eq!(out.gradients[0].entropies, [-0.005; 2]);
    }

    /// Tokens without a target are not in the mean of the value loss.
    #[test]
    fn only_tokens_with_a_target_teach_the_critic() {
        let step = StepData {
            trajectories: vec![TrajectoryData::default()],
            rows: vec![RowData { behaviour: &[-1.0; 2], ..RowData::default() }],
            ..StepData::default()
        };
        let credit = RowCredit { advantages: vec![0.0; 2], returns: vec![f64::NAN, -1.0] };
        let plan = a2c().prepare(&step, vec![credit]).unwrap();
        let scores = RowScores {
            logprobs: &[-1.0; 2],
            entropies: &[0.0; 2],
            values: Some(&[9.0, 1.0]),
            ..RowScores::default()
        };
        let out = a2c().loss(&plan, &[scores]);
        assert!((out.loss - 0.5 * 4.0).abs() < 1e-12);
        assert_eq!(out.gradients[0].values, [0.0, 2.0]);
    }
}
