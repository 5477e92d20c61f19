//! Training of the embedded model: first every token of the corpus, then the agent's alone.

use std::time::Instant;

use anyhow::{Result, bail};
use stateset_algo::{Schedule, ScheduleShape};
use stateset_core::{Message, RunSeed};
use stateset_nn::{
    Backend, ChatFormat, Cpu, Decoder, Learner, OptimiserStep, Path, SamplerSize, Stretch,
    WeightSet,
};
use stateset_train::{EngineState, SftExample, SftOrder, SftRow, TrainError, sft_loss, sft_step};

use super::blueprint;

/// Tokens of an optimiser step.
pub(crate) const TOKENS_PER_STEP: usize = 8192;
/// Tokens read in one pass.
const MAX_ROWS: usize = 4096;
/// Peak learning rate.
pub(crate) const LEARNING_RATE: f64 = 3e-3;

/// Seeds of the two orders.
const READING: u64 = 1;
const ANSWERING: u64 = 2;

/// How long to train.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Optimiser steps on all tokens.
    pub(crate) n_reading: usize,
    /// Optimiser steps on the agent's tokens.
    pub(crate) n_answering: usize,
    /// Steps after which to stop, for checks.
    pub(crate) stop_after: usize,
}

/// Rows of both kinds.
#[derive(Default)]
pub(crate) struct Data {
    /// Every token is learned.
    pub(crate) reading: Vec<SftRow>,
    /// The agent's tokens are learned.
    pub(crate) answering: Vec<SftRow>,
}

impl Data {
    /// Rows of `conversations`.
    pub(crate) fn new(format: &ChatFormat, conversations: Vec<Vec<Message>>) -> Result<Data> {
        let mut data = Data { reading: Vec::new(), answering: Vec::new() };
        for messages in conversations {
            for row in rows_of(format, messages)? {
                data.reading.push(every_token(&row));
                data.answering.push(row);
            }
        }
        Ok(data)
    }

    /// What the first `n_steps` steps from `seed` read of `n` conversations, in the places of [`Data::new`]. Other
    /// rows hold nothing: to draw and write all takes minutes.
    pub(crate) fn of_first_steps(
        format: &ChatFormat,
        (n, conversation): (usize, impl Fn(usize) -> Vec<Message>),
        n_steps: usize,
        seed: RunSeed,
    ) -> Result<Data> {
        let blank = SftRow { tokens: vec![0], mask: vec![false] };
        let mut reading = vec![blank; n];
        let one_by_one = SftOrder::new(&reading, 1, seed.child(READING)).epoch(0);
        let mut n_tokens = 0;
        for at in one_by_one.into_iter().flatten() {
            if n_tokens > n_steps * TOKENS_PER_STEP {
                break;
            }
            let rows = rows_of(format, conversation(at))?;
            let [row] = &rows[..] else { bail!("conversation {at} is not one row") };
            reading[at] = every_token(row);
            n_tokens += row.tokens.len();
        }
        Ok(Data { reading, answering: Vec::new() })
    }

    /// Tokens of all rows.
    pub(crate) fn n_tokens(&self) -> usize {
        self.reading.iter().map(|row| row.tokens.len()).sum()
    }
}

fn rows_of(format: &ChatFormat, messages: Vec<Message>) -> Result<Vec<SftRow>> {
    let example = SftExample::Chat { messages, tools: Vec::new() };
    Ok(example.rows(format, blueprint::MAX_POSITIONS)?)
}

/// The same row, of which every token is learned.
fn every_token(row: &SftRow) -> SftRow {
    let mask = (0..row.tokens.len()).map(|i| i > 0).collect();
    SftRow { tokens: row.tokens.clone(), mask }
}

/// The engine with the starting weights.
pub(crate) fn engine(path: Path, seed: RunSeed) -> Result<EngineState, TrainError> {
    let mut device: Box<dyn Backend> = Box::new(Cpu::new(path));
    let invalid = |error: anyhow::Error| TrainError::Invalid {
        what: "set up the embedded model",
        message: error.to_string(),
    };
    let (family, config) = blueprint::decoder().map_err(invalid)?;
    let context = config.max_positions;
    let decoder = Decoder::new(device.as_mut(), family, config, None, context)?;
    let weights = blueprint::initial_weights(&decoder.config, &decoder.params, seed);
    let base = device.alloc(weights.len());
    device.write(Stretch::of(base, weights.len()), &weights);
    let policy = WeightSet { base, adapters: None };
    let learner = Learner::new(device.as_mut(), &decoder, policy, MAX_ROWS, false);
    let size = SamplerSize { max_running: 64, max_rows: 2048, cache_tokens: 1 << 15 };
    let mut state = EngineState::new(device, decoder, policy, size);
    state.learner = Some(learner);
    Ok(state)
}

/// Nats per token of conversations that are not learned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeldOut {
    /// Over all tokens.
    pub(crate) reading: f64,
    /// Over the agent's.
    pub(crate) answering: f64,
}

/// Trains and says how it goes. Returns the loss on `held_out` after the last step.
pub(crate) fn train(
    engine: &mut EngineState,
    data: &Data,
    held_out: &Data,
    plan: Plan,
    seed: RunSeed,
) -> Result<HeldOut> {
    let total = plan.n_reading + plan.n_answering;
    let shape = ScheduleShape::CosineWithMinLr { n_cycles: 0.5, min_ratio: 0.05 };
    let schedule = Schedule { shape, warmup_steps: 100, total_steps: total as u64 };
    let start = Instant::now();
    let (mut recent, mut n_tokens) = (Vec::new(), 0);
    let mut step = 0;
    for (rows, n_steps, salt) in
        [(&data.reading, plan.n_reading, READING), (&data.answering, plan.n_answering, ANSWERING)]
    {
        let order = SftOrder::new(rows, TOKENS_PER_STEP, seed.child(salt));
        let n_steps = n_steps.min(plan.stop_after - step);
        for batch in (0..).flat_map(|epoch| order.epoch(epoch)).take(n_steps) {
            let rows: Vec<&SftRow> = batch.iter().map(|i| &rows[*i]).collect();
            let report = sft_step(engine, &rows, optimiser(schedule.multiplier(step as u64)))?;
            recent.push(report.loss);
            n_tokens += report.n_tokens;
            step += 1;
            if step % 50 == 0 {
                let last = &recent[recent.len().saturating_sub(50)..];
                let mean = last.iter().sum::<f64>() / last.len() as f64;
                let rate = n_tokens as f64 / start.elapsed().as_secs_f64();
                println!("step {step:5} of {total}: loss {mean:.4}, {rate:.0} tokens/s");
            }
            if step % 500 == 0 {
                println!("  {:?}", losses(engine, held_out)?);
            }
        }
    }
    losses(engine, held_out)
}

fn losses(engine: &mut EngineState, held_out: &Data) -> Result<HeldOut> {
    Ok(HeldOut {
        reading: sft_loss(engine, &held_out.reading)?,
        answering: sft_loss(engine, &held_out.answering)?,
    })
}

fn optimiser(multiplier: f64) -> OptimiserStep {
    OptimiserStep {
        learning_rate: LEARNING_RATE * multiplier,
        beta1: 0.9,
        beta2: 0.95,
        eps: 1e-8,
        weight_decay: 0.1,
        max_grad_norm: 1.0,
    }
}
