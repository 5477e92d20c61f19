//! VAPO (arXiv 2504.05118): PPO with a critic that can be trusted on long answers.
//!
//! Its parts: value pretraining (the trainer's), GAE with a lambda of 1 for the critic and one that
//! grows with the answer's length for the policy, a wider clip range above than below, one weight for
//! every token, and a log-likelihood term on answers that were right (weight 0.1). Groups of many
//! samples are drawn for each prompt, but not compared. The value loss is not clipped: with targets
//! that are plain returns there is nothing to hold back.

use super::{Clip, Surrogate};
use crate::{
    AdvantageEstimator, CriticEstimator, DecoupledGae, PolicyGradient, ValueLoss, ValueTerm,
    Whitening,
};

/// VAPO with the paper's settings, as far as they are known.
pub fn vapo() -> PolicyGradient {
    PolicyGradient {
        name: "vapo",
        advantage: AdvantageEstimator::Critic {
            estimator: CriticEstimator::Decoupled(DecoupledGae::default()),
            whitening: Some(Whitening::default()),
        },
        surrogate: Surrogate::clip(Clip { high: 0.28, ..Clip::default() }),
        value: Some(ValueTerm { loss: ValueLoss { clip: None, scale: 0.5 }, coef: 1.0 }),
        positive_coef: 0.1,
        ..PolicyGradient::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, RowCredit, RowData, RowScores, StepData, TrajectoryData};

    /// Log-probs [-.5, -1, -.1] of a right answer: .1 times their mean, with a minus. A wrong answer adds
    /// nothing, and a truncated right one nothing where it is masked.
    #[test]
    fn golden_likelihood_of_right_answers() {
        let trajectory = |reward, truncated| TrajectoryData {
            reward: Some(reward),
            truncated,
            ..TrajectoryData::default()
        };
        let row = |trajectory| RowData { trajectory, behaviour: &[-1.0; 3], ..RowData::default() };
        let step = StepData {
            trajectories: vec![
                trajectory(1.0, false),
                trajectory(0.5, false),
                trajectory(1.0, true),
            ],
            rows: (0..3).map(row).collect(),
            ..StepData::default()
        };
        let nothing = RowCredit { advantages: vec![0.0; 3], returns: vec![f64::NAN; 3] };
        let method = PolicyGradient { mask_truncated: true, ..vapo() };
        let plan = method.prepare(&step, vec![nothing; 3]).unwrap();
        let scores = |row| RowScores {
            row,
            logprobs: &[-0.5, -1.0, -0.1],
            entropies: &[0.0; 3],
            values: Some(&[0.0; 3]),
            ..RowScores::default()
        };
        let out = method.loss(&plan, &[scores(0), scores(1), scores(2)]);
        assert!((out.loss - 0.053333).abs() < 1e-6, "{}", out.loss);
        assert!(out.gradients[0].logprobs.iter().all(|slope| (slope + 0.1 / 3.0).abs() < 1e-7));
        assert!(out.gradients[1..].iter().flat_map(|row| &row.logprobs).all(|slope| *slope == 0.0));
    }
}
