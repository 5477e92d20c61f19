//! What models say of a batch before its first optimiser step: reference, old policy and critic.

use stateset_algo::{StepData, Wants};
use stateset_nn::{RowScores, TokenRow};

use super::batch::Batch;
use crate::TrainError;
use crate::engine::EngineState;

/// Scores from before the update; a list that nobody wants is absent.
#[derive(Debug, Default)]
pub(super) struct Before {
    reference: Option<Vec<Vec<f32>>>,
    old: Option<Vec<Vec<f32>>>,
    entropies: Option<Vec<Vec<f32>>>,
    /// With the value of the end of each row as the last.
    values: Option<Vec<Vec<f32>>>,
}

impl Before {
    /// Asks the models that `wants` speaks of.
    pub(super) fn of(
        engine: &mut EngineState,
        batch: &Batch,
        wants: Wants,
        temperature: f32,
    ) -> Result<Before, TrainError> {
        let mut before = Before::default();
        // Where the algorithm does not want it, it is a measurement.
        if wants.reference || engine.reference.is_some() {
            before.reference = Some(reference_scores(engine, batch, temperature)?);
        }
        if wants.values && engine.critic.is_some() {
            before.values = Some(critic_values(engine, batch)?);
        }
        let asks = stateset_nn::Wants {
            logprobs: wants.old,
            moments: wants.entropies,
            values: wants.values && engine.critic.is_none(),
        };
        if asks.logprobs || asks.moments || asks.values {
            let scores = policy_scores(engine, batch, asks, temperature)?;
            let of = |wanted: bool, list: fn(&RowScores) -> &Vec<f32>| {
                wanted.then(|| scores.iter().map(|row| list(row).clone()).collect())
            };
            before.old = of(asks.logprobs, |row| &row.logprobs);
            before.entropies = of(asks.moments, |row| &row.entropies);
            before.values = before.values.or(of(asks.values, |row| &row.values));
        }
        Ok(before)
    }

    /// Puts the scores beside the rows they belong to.
    pub(super) fn fill<'a>(&'a self, data: &mut StepData<'a>) {
        let of = |list: &'a Option<Vec<Vec<f32>>>, row: usize| {
            list.as_ref().map(|all| all[row].as_slice())
        };
        for (index, row) in data.rows.iter_mut().enumerate() {
            row.reference = of(&self.reference, index);
            row.entropies = of(&self.entropies, index);
            if let Some(old) = of(&self.old, index) {
                row.old = Some(old);
            }
            if let Some((end, values)) = of(&self.values, index).and_then(<[f32]>::split_last) {
                row.values = Some(values);
                row.end_value = Some(*end);
            }
        }
    }
}

fn invalid(message: &str) -> TrainError {
    TrainError::Invalid { what: "score the batch", message: message.to_owned() }
}

fn rows(batch: &Batch) -> Vec<TokenRow<'_>> {
    batch.rows.iter().map(|row| row.token_row()).collect()
}

fn reference_scores(
    engine: &mut EngineState,
    batch: &Batch,
    temperature: f32,
) -> Result<Vec<Vec<f32>>, TrainError> {
    let EngineState { device, decoder, reference, learner, .. } = engine;
    let reference = reference.ok_or_else(|| invalid("no reference policy was frozen"))?;
    let learner = learner.as_mut().ok_or_else(|| invalid("there is no learner"))?;
    let wants = stateset_nn::Wants::default();
    let device = device.as_mut();
    let scores = learner.score(device, decoder, reference, &rows(batch), temperature, wants)?;
    Ok(scores.into_iter().map(|row| row.logprobs).collect())
}

fn policy_scores(
    engine: &mut EngineState,
    batch: &Batch,
    wants: stateset_nn::Wants,
    temperature: f32,
) -> Result<Vec<RowScores>, TrainError> {
    let EngineState { device, decoder, policy, learner, .. } = engine;
    let learner = learner.as_mut().ok_or_else(|| invalid("there is no learner"))?;
    let mut rows = rows(batch);
    rows.iter_mut().for_each(|row| row.wants_end = wants.values);
    let device = device.as_mut();
    Ok(learner.score(device, decoder, *policy, &rows, temperature, wants)?)
}

fn critic_values(engine: &mut EngineState, batch: &Batch) -> Result<Vec<Vec<f32>>, TrainError> {
    let EngineState { device, decoder, critic, .. } = engine;
    let critic = critic.as_mut().ok_or_else(|| invalid("there is no critic"))?;
    let rows: Vec<TokenRow<'_>> = batch.rows.iter().map(|row| row.token_row().with_end()).collect();
    Ok(critic.values(device.as_mut(), decoder, &rows)?)
}
