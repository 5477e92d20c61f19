//! From a rollout batch to new weights: scores from before, credit, passes, optimiser steps.
//!
//! It runs as one job on the engine's thread and knows no algorithm: the algorithm says what it wants,
//! gives credit, plans a step, and turns scores into gradients. Log-probs stored while sampling serve
//! as those of the old policy unless the algorithm wants them computed anew; the engine recomputes
//! them to the last bit, so nothing is scored twice.

use std::collections::BTreeMap;
use std::time::Instant;

use stateset_algo::{
    Algorithm, Controls, Diagnostics, Moments, RowCredit, RowData, Schedule, StepData, StepRule,
    ratio,
};
use stateset_core::{PolicyVersion, Purpose, RunSeed, StreamKey};
use stateset_nn::OptimiserStep;

use super::batch::Batch;
use super::before::Before;
use super::summary::{Summed, UpdateReport};
use crate::TrainError;
use crate::config::{CriticSettings, ReferenceSync};
use crate::engine::EngineState;

/// How a batch is used.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateSettings {
    /// Temperature the tokens were sampled at.
    pub temperature: f32,
    /// Passes over the batch.
    pub n_epochs: usize,
    /// Optimiser steps of a pass; groups are dealt out to them.
    pub n_minibatches: usize,
    /// Settings of the optimiser; the learning rate is the peak.
    pub optimiser: OptimiserStep,
    /// Multiplies the learning rate by optimiser step.
    pub schedule: Schedule,
    /// Reward from which on an episode counts as solved.
    pub success_reward: f64,
    /// The value function, where the algorithm has one.
    pub critic: Option<CriticSettings>,
    /// How the reference follows the policy, if it does. It moves between batches only, so that one
    /// batch is compared with one reference.
    pub reference_sync: Option<ReferenceSync>,
}

/// Where in its run an update is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpdatePlace {
    /// The run's randomness; keys the order of mini-batches.
    pub seed: RunSeed,
    /// The step, counted from 1.
    pub step: u32,
    /// Coefficients that moved since the run began.
    pub controls: Controls,
    /// What is too bad to learn from.
    pub limits: UpdateLimits,
}

/// What is left out of an update. By default nothing is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpdateLimits {
    /// Optimiser steps of the policy with a larger gradient norm are not taken; infinite for none.
    pub gradient_norm: f64,
    /// Batches of a smaller effective share of tokens, from 0 to 1, are not learned from.
    pub effective_share: f64,
}

impl Default for UpdateLimits {
    fn default() -> Self {
        UpdateLimits { gradient_norm: f64::INFINITY, effective_share: 0.0 }
    }
}

/// Improves the policy with one batch.
///
/// # Errors
/// [`TrainError`] where the algorithm refuses the batch or a unit does not fit the learner.
pub fn update(
    engine: &mut EngineState,
    algorithm: &dyn Algorithm,
    batch: &Batch,
    settings: &UpdateSettings,
    place: UpdatePlace,
) -> Result<UpdateReport, TrainError> {
    let start = Instant::now();
    let before = Before::of(engine, batch, algorithm.wants(), settings.temperature)?;
    let mut data = batch.step_data(settings.success_reward);
    data.controls = place.controls;
    before.fill(&mut data);
    let mut report = Summed::default();
    let credit = report.timed(|| algorithm.credit(&data))?;
    report.diagnostics.rewards = credit.rewards;
    if let Some(share) = effective_share(&data).filter(|s| *s < place.limits.effective_share) {
        return Ok(report.discard(share, place.controls, start.elapsed().as_secs_f64()));
    }
    let pretrains = settings.critic.is_some_and(|critic| place.step <= critic.pretraining_steps);
    let mut update = Update {
        engine,
        algorithm,
        batch,
        settings,
        data,
        credit: credit.rows,
        report,
        pretrains,
        gradient_limit: place.limits.gradient_norm,
    };
    let n_before = update.n_optimiser_steps();
    let n_passes = update.passes(place)?;
    let n_after = update.n_optimiser_steps();
    let Update { engine, data, report, .. } = update;
    if let Some(sync) = settings.reference_sync
        && n_before / sync.every_steps != n_after / sync.every_steps
    {
        engine.move_reference(sync.mixup)?;
    }
    let version = PolicyVersion(engine.version.0 + report.n_taken as u64);
    engine.weights_changed(version);
    Ok(report.finish(n_passes, data.controls, start.elapsed().as_secs_f64()))
}

/// How many tokens the batch is worth, as a share of those it has: the weights are those of the old
/// against the sampling policy.
fn effective_share(data: &StepData<'_>) -> Option<f64> {
    let of_row = |row: &RowData<'_>| -> Vec<f64> {
        let pairs = row.old.into_iter().flatten().zip(row.behaviour);
        pairs.map(|(old, behaviour)| ratio(f64::from(*old) - f64::from(*behaviour)).value).collect()
    };
    data.rows.iter().flat_map(of_row).collect::<Moments>().effective_share()
}

/// Deals groups out to mini-batches whose sizes differ by one at most; none is empty.
fn deal(order: &[usize], n_minibatches: usize) -> Vec<Vec<usize>> {
    let n = n_minibatches.clamp(1, order.len().max(1));
    let bound = |i: usize| i * order.len() / n;
    (0..n).map(|i| order[bound(i)..bound(i + 1)].to_vec()).filter(|part| !part.is_empty()).collect()
}

/// An update under way.
pub(super) struct Update<'a> {
    pub(super) engine: &'a mut EngineState,
    pub(super) algorithm: &'a dyn Algorithm,
    pub(super) batch: &'a Batch,
    pub(super) settings: &'a UpdateSettings,
    /// Arrays of the whole batch.
    data: StepData<'a>,
    /// Credit of each of its rows.
    credit: Vec<RowCredit>,
    pub(super) report: Summed,
    /// Only the critic learns.
    pub(super) pretrains: bool,
    /// Largest gradient norm of a step that is taken.
    pub(super) gradient_limit: f64,
}

/// One optimiser step's part of the batch.
pub(super) struct Chosen<'a> {
    /// Its arrays.
    pub(super) data: StepData<'a>,
    /// The batch row behind each of its rows.
    pub(super) rows: Vec<usize>,
    /// Credit of each of its rows.
    pub(super) credit: Vec<RowCredit>,
}

impl<'a> Update<'a> {
    /// All passes over the batch; says how many there were.
    fn passes(&mut self, place: UpdatePlace) -> Result<usize, TrainError> {
        for epoch in 0..self.settings.n_epochs {
            let key =
                StreamKey { step: place.step, scenario: epoch as u32, ..StreamKey::default() };
            let mut order: Vec<usize> = (0..self.batch.n_groups()).collect();
            place.seed.stream(Purpose::Shuffle, key).shuffle(&mut order);
            self.report.pass = Diagnostics::default();
            for groups in deal(&order, self.settings.n_minibatches) {
                self.optimiser_step(&groups)?;
            }
            if self.algorithm.ends_passes(&self.report.pass) {
                return Ok(epoch + 1);
            }
        }
        Ok(self.settings.n_epochs)
    }

    fn n_optimiser_steps(&self) -> u64 {
        self.engine.learner.as_ref().map_or(0, |learner| learner.n_steps())
    }

    fn optimiser_step(&mut self, groups: &[usize]) -> Result<(), TrainError> {
        let chosen = self.choose(groups);
        if chosen.rows.is_empty() {
            return Ok(());
        }
        let algorithm = self.algorithm;
        match algorithm.step_rule() {
            StepRule::TrustRegion(region) if !self.pretrains => {
                self.natural_step(&chosen, region)?
            }
            _ => self.first_order_step(&chosen)?,
        }
        Ok(())
    }

    /// Arrays, rows and credit of some groups.
    fn choose(&self, groups: &[usize]) -> Chosen<'a> {
        let whole = &self.data;
        let mut data = StepData { trajectories: Vec::new(), rows: Vec::new(), ..whole.clone() };
        let mut place = BTreeMap::new();
        for &group in groups {
            let members = whole.trajectories.iter().enumerate().filter(|(_, t)| t.group == group);
            for (index, trajectory) in members {
                place.insert(index, data.trajectories.len());
                data.trajectories.push(trajectory.clone());
            }
        }
        let mut rows = Vec::new();
        for (index, row) in whole.rows.iter().enumerate() {
            let Some(&trajectory) = place.get(&row.trajectory) else { continue };
            data.rows.push(RowData { trajectory, ..*row });
            rows.push(index);
        }
        let credit = rows.iter().map(|row| self.credit[*row].clone()).collect();
        Chosen { data, rows, credit }
    }

    /// Coefficients after a step with these statistics.
    pub(super) fn adapt(&mut self, diagnostics: &Diagnostics, n_trajectories: usize) {
        let controls = self.data.controls;
        self.data.controls = self.algorithm.adapt(controls, diagnostics, n_trajectories);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_worth_as_many_tokens_as_weigh_alike() {
        let row = |old, behaviour| RowData { old, behaviour, ..RowData::default() };
        let of = |rows| effective_share(&StepData { rows, ..StepData::default() });
        let logs: Vec<f32> = [0.5f32, 1.0, 1.0, 4.0].iter().map(|w| w.ln()).collect();
        let zero = [0.0; 4];
        // (sum of weights)^2 / (n x sum of squares) = 6.5^2 / (4 x 18.25)
        let share = of(vec![row(Some(&logs[..1]), &zero[..1]), row(Some(&logs[1..]), &zero[1..])]);
        assert!((share.unwrap() - 42.25 / 73.0).abs() < 1e-6, "{share:?}");
        assert_eq!(of(vec![row(Some(&zero), &zero)]), Some(1.0));
        assert_eq!(of(vec![row(None, &zero)]), None);
    }

    #[test]
    fn groups_are_dealt_out_evenly() {
        let order = [4, 2, 0, 1, 3];
        assert_eq!(deal(&order, 2), [vec![4, 2], vec![0, 1, 3]]);
        assert_eq!(deal(&order, 1), [order.to_vec()]);
        assert_eq!(deal(&order, 9).len(), 5);
        assert!(deal(&[], 3).is_empty());
    }
}
