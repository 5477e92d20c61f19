//! Feedback of a model: the embedded model is taught to compare replies, and then trains another copy.
//!
//! The judge learns by supervised learning from comparisons with customers of the training split, and is
//! measured on those of the held-out split, whose truth is known by rule. The policy sees the judge's
//! word alone. Evaluations know the task's own reward alone, so that a gain cannot come from flattering
//! the judge.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use stateset_core::{Purpose, RunSeed, Sampling, StreamKey};
use stateset_env::customer::Split;
use stateset_env::judging::{Asker, JudgePair, PairPrompt, judge_pairs, pairs_to_sft};
use stateset_nn::{OptimiserStep, PAGE_TOKENS, Path, RealDisk, SamplerSize};
use stateset_train::{
    AgentConfig, CheckpointWriter, Engine, EngineSpec, LocalJudge, ModelSource, SftOrder, SftRow,
    TrainingSpec, chat_format, measure_judge, read_examples, sft_step,
};

use super::machine::cpu_secs;
use super::online::{MODEL, no_hub, train_with};
use super::outcome::Outcome;
use super::row::Row;
use super::settings::folder;

const N_STEPS: usize = 25;
const RATE: f64 = 1e-3;
const LONGEST: usize = 256;
const TOKENS_PER_STEP: usize = 2048;
const N_LEARNED: usize = 1000;
const N_HELD_OUT: usize = 100;

/// Trains `row` with `seed`: judge, then policy.
pub(super) fn train(row: &Row, seed: u64) -> Result<Outcome> {
    let (start, cpu_before) = (Instant::now(), cpu_secs());
    let judge = teach(seed)?;
    let taught_secs = start.elapsed().as_secs_f64();
    let taught_cpu_secs = cpu_secs() - cpu_before;
    let mut outcome = train_with(row, seed, Some(&judge.place))?;
    // Weights are large and can be had again.
    let _ = fs::remove_dir_all(&judge.place);
    outcome.wall_secs += taught_secs;
    outcome.cpu_secs += taught_cpu_secs;
    let figures = [
        ("judge_agreement_before", judge.before),
        ("judge_agreement", judge.after),
        ("judge_secs", taught_secs),
    ];
    outcome.figures.extend(figures.map(|(name, value)| (name.to_owned(), value)));
    Ok(outcome)
}

/// A judge on disk, and how often it was right about held-out comparisons.
struct Taught {
    place: PathBuf,
    before: f64,
    after: f64,
}

fn teach(seed: u64) -> Result<Taught> {
    let model = ModelSource::open(MODEL, &no_hub)?;
    let format = chat_format(&model, None)?;
    let agent = AgentConfig::new(MODEL, None, &Sampling::default());
    let writer = CheckpointWriter::of(&model, agent, Arc::new(RealDisk));
    let seed = RunSeed(seed);
    let engine = spec(seed).start(model)?;
    let prompt = PairPrompt::short();
    let judge = LocalJudge::on(engine.clone(), format.clone(), Sampling::default(), seed);
    let asker = Asker::new(Arc::new(judge));
    // The same for every seed.
    let held_out = pairs(N_HELD_OUT, Split::HeldOut, RunSeed(1));
    let runtime = tokio::runtime::Runtime::new().context("failed to start a runtime")?;
    let agreement = || {
        let measure = runtime.block_on(measure_judge(&asker, &prompt, &held_out));
        measure.truth.agreement().context("the judge gave no answer")
    };
    let before = agreement()?;
    let jsonl = pairs_to_sft(&pairs(N_LEARNED, Split::Train, seed), &prompt);
    let examples = read_examples(&jsonl).map_err(|problems| anyhow!(problems.join("\n")))?;
    let mut rows: Vec<SftRow> = Vec::new();
    for example in examples {
        rows.extend(example.rows(&format, LONGEST)?);
    }
    learn(&engine, rows, seed)?;
    let after = agreement()?;
    let place = folder().join("runs").join(format!("judge-{}", seed.0));
    fs::create_dir_all(&place)?;
    writer.write_model(&engine, &place)?;
    Ok(Taught { place, before, after })
}

fn spec(seed: RunSeed) -> EngineSpec {
    EngineSpec {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        path: Path::best(),
        context: LONGEST,
        sampler: SamplerSize { max_running: 1, max_rows: 1, cache_tokens: PAGE_TOKENS },
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

fn pairs(n: usize, split: Split, seed: RunSeed) -> Vec<JudgePair> {
    judge_pairs(n, split, &mut seed.stream(Purpose::Data, StreamKey::default()))
}

fn learn(engine: &Engine, rows: Vec<SftRow>, seed: RunSeed) -> Result<()> {
    let order = SftOrder::new(&rows, TOKENS_PER_STEP, seed);
    let rows = Arc::new(rows);
    let batches = (0..).flat_map(|epoch| order.epoch(epoch)).take(N_STEPS);
    for (step, batch) in batches.enumerate() {
        let optimiser = OptimiserStep {
            learning_rate: RATE * (1.0 - step as f64 / N_STEPS as f64),
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
