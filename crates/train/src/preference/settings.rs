//! Settings of a run that learns from preferences.

use std::sync::Arc;

use stateset_algo::{
    Algorithm, BradleyTerry, PreferenceMethod, RewardModel, Schedule, ScheduleShape,
    warmup_steps_from_ratio,
};
use stateset_core::RunSeed;
use stateset_nn::{LoraSpec, OptimiserStep};

use super::order::ExampleOrder;
use crate::TrainError;

/// What is learned.
#[derive(Clone, Debug, PartialEq)]
pub enum PreferenceGoal {
    /// A policy that prefers what the data prefers.
    Policy(PreferenceMethod),
    /// A model that scores answers.
    RewardModel(BradleyTerry),
}

/// Settings of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct PreferenceSettings {
    /// What is learned, and how.
    pub goal: PreferenceGoal,
    /// Passes over the examples, above 0; parts of a pass are allowed. 1.
    pub n_epochs: f64,
    /// Optimiser steps, instead of passes.
    pub n_steps: Option<u32>,
    /// Pairs, or answers judged alone, of an optimiser step, 1 or more. 8.
    pub examples_per_step: usize,
    /// Share of the examples that is held back for evaluation where no others are given, 0 to 0.9. 0.1.
    pub evaluation_share: f64,
    /// Evaluate before the first step.
    pub evaluates_before: bool,
    /// Evaluate after the last step.
    pub evaluates_after: bool,
    /// Evaluate after so many steps.
    pub evaluate_every_n_steps: Option<u32>,
    /// Evaluations without a new best accuracy after which the run ends; it never ends early where absent.
    pub patience: Option<u32>,
    /// Save after so many steps, beside at the end.
    pub save_every_n_steps: Option<u32>,
    /// Checkpoints that are kept; all where absent.
    pub n_kept: Option<usize>,
    /// Tokens of the longest row; longer ones lose their end. What the model reads where absent.
    pub max_tokens: Option<usize>,
    /// Tokens of a micro-batch; more where one example needs more. 4,096.
    pub max_tokens_per_microbatch: usize,
    /// Keep less of the forward pass and run it again on the way back.
    pub recomputes: bool,
    /// Adapters to train; all weights where absent.
    pub adapters: Option<LoraSpec>,
    /// The optimiser, with the peak learning rate.
    pub optimiser: OptimiserStep,
    /// Peak learning rate of a reward model's head, on the same course; the optimiser's where absent.
    pub head_learning_rate: Option<f64>,
    /// Course of the learning rate.
    pub shape: ScheduleShape,
    /// Share of the steps that the learning rate rises in, 0 to 1. 0.
    pub warmup_ratio: f64,
    /// Steps that the learning rate rises in, instead of a share.
    pub warmup_steps: Option<u64>,
    /// Threads to compute with; all of the machine where absent.
    pub threads: Option<usize>,
    /// What all randomness starts from.
    pub seed: RunSeed,
}

impl PreferenceSettings {
    /// The defaults of TRL 1.16 for this goal, with a learning rate for adapters and small models.
    pub fn new(goal: PreferenceGoal) -> PreferenceSettings {
        PreferenceSettings {
            goal,
            n_epochs: 1.0,
            n_steps: None,
            examples_per_step: 8,
            evaluation_share: 0.1,
            evaluates_before: true,
            evaluates_after: true,
            evaluate_every_n_steps: None,
            patience: None,
            save_every_n_steps: None,
            n_kept: Some(2),
            max_tokens: None,
            max_tokens_per_microbatch: 4096,
            recomputes: false,
            adapters: None,
            optimiser: OptimiserStep {
                learning_rate: 1e-5,
                beta1: 0.9,
                beta2: 0.999,
                eps: 1e-8,
                weight_decay: 0.0,
                max_grad_norm: 1.0,
            },
            head_learning_rate: None,
            shape: ScheduleShape::Linear,
            warmup_ratio: 0.0,
            warmup_steps: None,
            threads: None,
            seed: RunSeed(42),
        }
    }

    /// What plans the steps and has the loss.
    pub fn algorithm(&self) -> Arc<dyn Algorithm> {
        match &self.goal {
            PreferenceGoal::Policy(method) => Arc::new(method.clone()),
            PreferenceGoal::RewardModel(loss) => Arc::new(RewardModel { loss: *loss }),
        }
    }

    /// The course of the learning rate in a run of so many steps.
    pub(super) fn schedule(&self, n_steps: u32) -> Schedule {
        let total_steps = u64::from(n_steps);
        let by_share = || warmup_steps_from_ratio(total_steps, self.warmup_ratio);
        let warmup_steps = self.warmup_steps.map_or_else(by_share, |n| n.min(total_steps));
        Schedule { shape: self.shape, warmup_steps, total_steps }
    }

    /// Steps of a run on so many examples.
    pub(super) fn n_steps(&self, n_examples: usize) -> u32 {
        let order = ExampleOrder { seed: self.seed, n_examples };
        self.n_steps.unwrap_or_else(|| order.n_steps(self.n_epochs, self.examples_per_step))
    }

    /// True where a value head is trained.
    pub fn is_reward_model(&self) -> bool {
        matches!(self.goal, PreferenceGoal::RewardModel(_))
    }

    /// True where it can learn from pairs (true) or from answers judged alone (false).
    pub fn takes(&self, pairs: bool) -> bool {
        match &self.goal {
            PreferenceGoal::Policy(method) => method.takes_pairs() == pairs,
            PreferenceGoal::RewardModel(_) => true,
        }
    }

    /// That every number is in its range.
    ///
    /// # Errors
    /// [`TrainError::Invalid`] with all that are not.
    pub fn check(&self) -> Result<(), TrainError> {
        let problems = match &self.goal {
            PreferenceGoal::Policy(method) => method.validate(),
            PreferenceGoal::RewardModel(loss) => loss.validate(),
        };
        let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let rate = self.optimiser.learning_rate;
        let numbers = [
            (
                "n_epochs",
                self.n_epochs,
                self.n_epochs.is_finite() && self.n_epochs > 0.0,
                "above 0",
            ),
            (
                "evaluation_share",
                self.evaluation_share,
                (0.0..=0.9).contains(&self.evaluation_share),
                "0 to 0.9",
            ),
            ("warmup_ratio", self.warmup_ratio, (0.0..=1.0).contains(&self.warmup_ratio), "0 to 1"),
            (
                "head_learning_rate",
                self.head_learning_rate.unwrap_or(rate),
                self.head_learning_rate.is_none_or(|rate| rate.is_finite() && rate > 0.0),
                "above 0",
            ),
            ("learning_rate", rate, rate.is_finite() && rate > 0.0, "above 0"),
            (
                "examples_per_step",
                self.examples_per_step as f64,
                self.examples_per_step >= self.least_examples(),
                "1 or more, and 2 or more for kto, which measures its KL point on the answers of others",
            ),
            (
                "max_tokens",
                self.max_tokens.unwrap_or(2) as f64,
                self.max_tokens.is_none_or(|n| n >= 2),
                "2 or more",
            ),
        ];
        let wrong = numbers.iter().filter(|(_, _, holds, _)| !holds);
        lines.extend(
            wrong.map(|(key, found, _, allowed)| format!("{key} is {found}, allowed is {allowed}")),
        );
        if self.n_steps == Some(0) {
            lines.push("n_steps is 0, allowed is 1 or more".to_owned());
        }
        match lines.is_empty() {
            true => Ok(()),
            false => Err(TrainError::Invalid {
                what: "prepare learning from preferences",
                message: lines.join("\n  "),
            }),
        }
    }

    fn least_examples(&self) -> usize {
        1 + usize::from(self.algorithm().wants().current_of_mismatched)
    }
}
