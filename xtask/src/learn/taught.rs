//! Supervised learning before a row: an engine for it, and its steps.

use std::sync::Arc;

use anyhow::Result;
use stateset_core::RunSeed;
use stateset_nn::{OptimiserStep, PAGE_TOKENS, Path, SamplerSize};
use stateset_train::{Engine, EngineSpec, SftOrder, SftRow, TrainingSpec, sft_step};

const TOKENS_PER_STEP: usize = 2048;

/// An engine that trains, and plays `at_once` conversations of at most `longest` tokens.
pub(super) fn engine_spec(longest: usize, at_once: usize, seed: RunSeed) -> EngineSpec {
    EngineSpec {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        path: Path::best(),
        context: longest,
        sampler: SamplerSize {
            max_running: at_once,
            max_rows: longest,
            cache_tokens: at_once * longest.next_multiple_of(PAGE_TOKENS),
        },
        training: Some(TrainingSpec {
            max_tokens_per_microbatch: TOKENS_PER_STEP,
            recomputes: false,
            adapters: None,
            reference: None,
            critic: None,
            moves_reference: false,
            staleness: 0,
            seed,
        }),
        scorer_tokens: None,
    }
}

/// Takes `n_steps` optimiser steps on `rows`; the learning rate falls from `rate` to nothing.
pub(super) fn learn(
    engine: &Engine,
    rows: Vec<SftRow>,
    (n_steps, rate): (usize, f64),
    seed: RunSeed,
) -> Result<()> {
    let order = SftOrder::new(&rows, TOKENS_PER_STEP, seed);
    let rows = Arc::new(rows);
    let batches = (0..).flat_map(|epoch| order.epoch(epoch)).take(n_steps);
    for (step, batch) in batches.enumerate() {
        let optimiser = OptimiserStep {
            learning_rate: rate * (1.0 - step as f64 / n_steps as f64),
            beta1: 0.9,
            beta2: 0.95,
            eps: 1e-8,
            weight_decay: 0.01,
            max_grad_norm: 1.0,
        };
        let rows = rows.clone();
        engine.run_blocking(move |state| {
            let batch: Vec<&SftRow> = batch.iter().map(|i| &rows[*i]).collect();
            sft_step(state, &batch, optimiser)
        })??;
    }
    Ok(())
}
