//! The gradient of one optimiser step, micro-batch by micro-batch, and the optimiser's step with it.

use stateset_algo::{Diagnostics, LossOutput, Plan, RowScores};
use stateset_nn::{Critic, OptimiserStep, RowGradients, TokenRow};

use super::batch::Batch;
use super::micro::micro_batches;
use super::update::{Chosen, Update};
use crate::TrainError;
use crate::engine::EngineState;

impl Update<'_> {
    /// Gradient, then the optimisers of policy and critic.
    pub(super) fn first_order_step(&mut self, chosen: &Chosen<'_>) -> Result<(), TrainError> {
        let Some(diagnostics) = self.gradient(chosen, !self.pretrains)? else { return Ok(()) };
        if self.pretrains {
            self.step_critic(true)?;
            self.report.record(&diagnostics);
        } else {
            self.step_policy(&diagnostics, chosen.data.trajectories.len());
        }
        Ok(())
    }

    /// Adds up the gradient of a step; `None` where its loss is not finite, and then there is none.
    /// Without `trains_policy` only the values' part is taken.
    pub(super) fn gradient(
        &mut self,
        chosen: &Chosen<'_>,
        trains_policy: bool,
    ) -> Result<Option<Diagnostics>, TrainError> {
        let algorithm = self.algorithm;
        let plan = self.report.timed(|| algorithm.prepare(&chosen.data, chosen.credit.clone()))?;
        let mut diagnostics = plan.diagnostics.clone();
        for rows in self.cut(chosen, &plan)? {
            let part = match trains_policy || self.engine.critic.is_none() {
                true => self.micro_batch(&plan, chosen, &rows, trains_policy)?,
                false => self.critics_micro_batch(&plan, chosen, &rows)?,
            };
            diagnostics.add(&part);
            let lens = rows.iter().map(|row| self.batch.rows[*row].tokens.len());
            self.report.n_tokens += lens.sum::<usize>();
        }
        if diagnostics.loss().is_finite() {
            return Ok(Some(diagnostics));
        }
        self.clear_gradients();
        self.report.skip("the loss was not finite");
        Ok(None)
    }

    /// Micro-batches of batch rows.
    pub(super) fn cut(
        &self,
        chosen: &Chosen<'_>,
        plan: &Plan<'_>,
    ) -> Result<Vec<Vec<usize>>, TrainError> {
        let max_tokens = self.engine.learner.as_ref().map_or(0, |learner| learner.max_rows());
        let cut = micro_batches(self.batch, &chosen.rows, plan.unit, max_tokens);
        cut.map_err(|needed| TrainError::Invalid {
            what: "cut the batch into micro-batches",
            message: format!(
                "rows that belong together have {needed} tokens, a micro-batch has room for \
                 {max_tokens}; raise training.max_tokens_per_microbatch or shorten episodes"
            ),
        })
    }

    fn micro_batch(
        &mut self,
        plan: &Plan<'_>,
        chosen: &Chosen<'_>,
        rows: &[usize],
        trains_policy: bool,
    ) -> Result<Diagnostics, TrainError> {
        let algorithm = self.algorithm;
        let wants = algorithm.wants();
        let temperature = self.settings.temperature;
        let report = &mut self.report;
        let EngineState { device, decoder, learner, critic, .. } = &mut *self.engine;
        let Some(learner) = learner else { return Ok(Diagnostics::default()) };
        let token_rows = token_rows(self.batch, rows, wants.end_value);
        let values = match critic {
            Some(critic) if wants.values => {
                Some(critic.values(device.as_mut(), decoder, &token_rows)?)
            }
            _ => None,
        };
        let mut output = LossOutput::default();
        let loss = |scores: &[stateset_nn::RowScores]| {
            let scores = of_step(chosen, rows, scores, values.as_deref());
            output = report.timed(|| algorithm.loss(plan, &scores));
            let gradients = output.gradients.iter();
            gradients.map(|g| into_engine(g, trains_policy, values.is_none())).collect()
        };
        let asks = stateset_nn::Wants {
            logprobs: true,
            moments: true,
            values: wants.values && values.is_none(),
        };
        learner.forward_backward(device.as_mut(), decoder, &token_rows, temperature, asks, loss)?;
        if let (Some(critic), true) = (critic, values.is_some()) {
            let teach = |_: &[stateset_nn::RowScores]| {
                output.gradients.iter().map(only_values).collect::<Vec<RowGradients>>()
            };
            critic.forward_backward(device.as_mut(), decoder, &token_rows, teach)?;
        }
        Ok(output.diagnostics)
    }

    /// The same where a critic of its own learns alone: the policy is only read, and the critic looks
    /// at each row once.
    fn critics_micro_batch(
        &mut self,
        plan: &Plan<'_>,
        chosen: &Chosen<'_>,
        rows: &[usize],
    ) -> Result<Diagnostics, TrainError> {
        let algorithm = self.algorithm;
        let wants = algorithm.wants();
        let temperature = self.settings.temperature;
        let report = &mut self.report;
        let EngineState { device, decoder, learner, critic, .. } = &mut *self.engine;
        let (Some(learner), Some(critic)) = (learner, critic) else {
            return Ok(Diagnostics::default());
        };
        let token_rows = token_rows(self.batch, rows, wants.end_value);
        let asks = stateset_nn::Wants { logprobs: true, moments: true, values: false };
        let device = device.as_mut();
        let weights = learner.weights();
        let scores = learner.score(device, decoder, weights, &token_rows, temperature, asks)?;
        let mut output = LossOutput::default();
        let loss = |own: &[stateset_nn::RowScores]| {
            let values: Vec<Vec<f32>> = own.iter().map(|row| row.values.clone()).collect();
            let scores = of_step(chosen, rows, &scores, Some(&values));
            output = report.timed(|| algorithm.loss(plan, &scores));
            output.gradients.iter().map(only_values).collect()
        };
        critic.forward_backward(device, decoder, &token_rows, loss)?;
        Ok(output.diagnostics)
    }

    /// Lets the optimisers act, and counts what they did.
    fn step_policy(&mut self, diagnostics: &Diagnostics, n_trajectories: usize) {
        if self.leaves_out_burst(diagnostics) {
            return;
        }
        let step = self.optimiser();
        let head_rate = self.critic_step().learning_rate;
        let EngineState { device, decoder, learner, critic, .. } = &mut *self.engine;
        let Some(learner) = learner else { return };
        let device = device.as_mut();
        let report = learner.step_with_head_rate(device, decoder, step, head_rate);
        if report.is_skipped {
            if let Some(critic) = critic {
                critic.learner_mut().clear_gradient(device);
            }
            return self.report.skip("the gradient was not finite");
        }
        self.report.take(diagnostics, report, step.learning_rate);
        if learner.value_head().is_some() {
            self.report.take_critic(report);
        }
        if self.engine.critic.is_some() {
            // It cannot fail: there is a critic of its own.
            let _ = self.step_critic(false);
        }
        self.adapt(diagnostics, n_trajectories);
    }

    /// Forgets a gradient that is far larger than allowed, and says whether it was.
    pub(super) fn leaves_out_burst(&mut self, diagnostics: &Diagnostics) -> bool {
        if self.gradient_limit == f64::INFINITY {
            return false;
        }
        let EngineState { device, learner, .. } = &mut *self.engine;
        let norm = learner.as_ref().map_or(0.0, |learner| learner.gradient_norm(device.as_mut()));
        // One that is not finite is the optimiser's to refuse.
        let bursts = norm.is_finite() && norm > self.gradient_limit;
        if bursts {
            self.clear_gradients();
            self.report.record(diagnostics);
            self.report.burst(norm, self.gradient_limit);
        }
        bursts
    }

    /// Lets the critic's optimiser act alone. `drops_policy` forgets what was added up for the policy.
    pub(super) fn step_critic(&mut self, drops_policy: bool) -> Result<(), TrainError> {
        let step = self.critic_step();
        let EngineState { device, decoder, learner, critic, .. } = &mut *self.engine;
        let device = device.as_mut();
        let report = match (critic, learner) {
            (Some(critic), learner) => {
                if let (true, Some(learner)) = (drops_policy, learner) {
                    learner.clear_gradient(device);
                }
                critic.step(device, decoder, step)
            }
            (None, Some(learner)) => learner.step_value_head(device, step),
            (None, None) => return Ok(()),
        };
        match report.is_skipped {
            true => self.report.skip("the critic's gradient was not finite"),
            false => self.report.take_critic(report),
        }
        Ok(())
    }

    /// The optimiser's settings for the next step of the policy.
    pub(super) fn optimiser(&self) -> OptimiserStep {
        let n_before = self.engine.learner.as_ref().map_or(0, |learner| learner.n_steps());
        let multiplier = self.settings.schedule.multiplier(n_before);
        let learning_rate = self.settings.optimiser.learning_rate * multiplier;
        OptimiserStep { learning_rate, ..self.settings.optimiser }
    }

    /// The critic learns at a constant rate, and its weights do not decay.
    fn critic_step(&self) -> OptimiserStep {
        let learning_rate = self.settings.critic.map_or(0.0, |critic| critic.learning_rate);
        OptimiserStep { learning_rate, weight_decay: 0.0, ..self.settings.optimiser }
    }

    pub(super) fn clear_gradients(&mut self) {
        let EngineState { device, learner, critic, .. } = &mut *self.engine;
        if let Some(learner) = learner {
            learner.clear_gradient(device.as_mut());
        }
        if let Some(learner) = critic.as_mut().map(Critic::learner_mut) {
            learner.clear_gradient(device.as_mut());
        }
    }
}

/// Scores as the algorithm reads them, under the numbers that the step's rows have.
pub(super) fn of_step<'a>(
    chosen: &Chosen<'_>,
    rows: &[usize],
    scores: &'a [stateset_nn::RowScores],
    values: Option<&'a [Vec<f32>]>,
) -> Vec<RowScores<'a>> {
    let of = |(i, (row, scores)): (usize, (&usize, &'a stateset_nn::RowScores))| {
        let own = values.map_or(scores.values.as_slice(), |all| &all[i]);
        RowScores {
            // Rows of a step are in order of the batch's.
            row: chosen.rows.binary_search(row).unwrap_or(usize::MAX),
            logprobs: &scores.logprobs,
            entropies: &scores.entropies,
            values: (!own.is_empty()).then_some(own),
            log_sum_p2: (!scores.log_sum_p2.is_empty()).then_some(scores.log_sum_p2.as_slice()),
        }
    };
    rows.iter().zip(scores).enumerate().map(of).collect()
}

fn token_rows<'a>(batch: &'a Batch, rows: &[usize], with_end: bool) -> Vec<TokenRow<'a>> {
    let of = |row: &usize| {
        let row = batch.rows[*row].token_row();
        if with_end { row.with_end() } else { row }
    };
    rows.iter().map(of).collect()
}

/// Gradients for the engine: of the policy where it is trained, of values where they are its own.
fn into_engine(
    gradients: &stateset_algo::RowGradients,
    trains_policy: bool,
    has_values: bool,
) -> RowGradients {
    let of = |wanted: bool, list: &[f32]| if wanted { list.to_vec() } else { Vec::new() };
    RowGradients {
        logprobs: of(trains_policy, &gradients.logprobs),
        entropies: of(trains_policy, &gradients.entropies),
        log_sum_p2: of(trains_policy, &gradients.log_sum_p2),
        values: of(has_values, &gradients.values),
    }
}

fn only_values(gradients: &stateset_algo::RowGradients) -> RowGradients {
    RowGradients { values: gradients.values.clone(), ..RowGradients::default() }
}
