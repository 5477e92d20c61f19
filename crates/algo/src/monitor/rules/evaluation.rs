//! Evaluations that no longer get better.
//!
//! The rule of Keras: a gain beats the best evaluation by more than `min_delta`, and `patience`
//! evaluations in a row without one end the run. With a `min_delta` of 0 it is that of `transformers`,
//! where every gain, however small, moves the best. The rule only says so; who trains keeps the best
//! checkpoint and stops.

use super::super::{Action, Finding, Level, MonitorState, Signal};
use crate::Problem;
use crate::error::Problems;

/// How long to wait for a gain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvaluationRule {
    /// Evaluations without a gain after which the run should end.
    pub patience: u32,
    /// What a gain must exceed, in units of the reward; 0 or more.
    pub min_delta: f64,
}

impl Default for EvaluationRule {
    fn default() -> Self {
        EvaluationRule { patience: 10, min_delta: 0.0 }
    }
}

impl EvaluationRule {
    pub(in super::super) fn judge(&self, state: &mut MonitorState, reward: f64) -> Finding {
        let best = state.best_evaluation.filter(|best| reward <= best + self.min_delta);
        match best {
            None => {
                state.best_evaluation = Some(reward);
                state.n_evaluations_without_gain = 0;
            }
            Some(_) => {
                let n = state.n_evaluations_without_gain;
                state.n_evaluations_without_gain = n.saturating_add(1);
            }
        }
        let n_waited = f64::from(state.n_evaluations_without_gain);
        let patience = f64::from(self.patience);
        let fine = if best.is_some() { "a gain is still awaited" } else { "the best so far" };
        let finding = Finding::ok(Signal::Evaluation, n_waited, patience, fine)
            .with_reference(best.unwrap_or(reward));
        if n_waited < patience {
            return finding;
        }
        let meaning = "evaluations no longer get better";
        let advice = "end the run and keep the best checkpoint";
        finding.crossed(Level::Act, patience, meaning, advice).with_action(Action::StopRun)
    }

    pub(super) fn validate(&self) -> Vec<Problem> {
        let mut problems = Problems::default();
        problems.require(
            self.patience > 0,
            "evaluation.patience",
            self.patience,
            "1 or more",
            "10 evaluations is usual",
        );
        problems.require(
            self.min_delta.is_finite() && self.min_delta >= 0.0,
            "evaluation.min_delta",
            self.min_delta,
            "0 or more",
            "0 counts every gain",
        );
        problems.into_vec()
    }
}
