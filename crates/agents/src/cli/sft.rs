//! `sft`: teaches a model the answers of conversations, or texts, from a file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::json;
use stateset_algo::{Schedule, ScheduleShape, warmup_steps_from_ratio};
use stateset_core::{Purpose, RunSeed, Sampling, StreamKey};
use stateset_nn::{ChatFormat, LoraSpec, OptimiserStep, RealDisk};
use stateset_train::{
    AgentConfig, CheckpointWriter, Engine, EngineSpec, ModelSource, SftOrder, SftReport, SftRow,
    TrainError, TrainingSpec, read_examples, sft_loss, sft_step,
};

use super::engine::scoring_spec;
use super::error::{CliError, Outcome};
use super::model::ModelArgs;
use super::output::{Output, progress_bar, table};

/// Bad lines or examples that are listed one by one.
const MAX_LISTED: usize = 20;

/// Skipped steps in a row after which learning is given up.
const MAX_SKIPPED: usize = 5;

/// Fine-tune a model on conversations or texts
///
/// Reads JSON lines: {"messages": [..]} (the assistant's turns are learned), {"prompt": "..",
/// "completion": ".."} or {"text": ".."}. Writes the model in Hugging Face's layout to --save.
#[derive(Args, Debug)]
pub(crate) struct SftArgs {
    /// File of JSON lines
    #[arg(value_name = "FILE")]
    data: PathBuf,
    #[command(flatten)]
    model: ModelArgs,
    /// Folder for the trained model
    #[arg(long, value_name = "DIR")]
    save: PathBuf,
    /// Passes over the data
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Optimiser steps, instead of --epochs
    #[arg(long, value_name = "N", conflicts_with = "epochs", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Peak learning rate
    #[arg(long, value_name = "X", default_value_t = 1e-4, value_parser = parse_rate)]
    learning_rate: f64,
    /// About how many tokens an optimiser step learns from
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    tokens_per_step: u32,
    /// Longest row in tokens; longer ones are cut. What the model reads where absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    max_length: Option<u32>,
    /// Share of the examples that is kept from learning and measured before and after
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = parse_share)]
    held_out: f64,
    /// Train adapters of this rank instead of all weights
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    lora_rank: Option<u32>,
    /// What the randomness starts from
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && rate <= 1.0 => Ok(rate),
        _ => Err("allowed is a number above 0, at most 1".to_owned()),
    }
}

fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=0.9).contains(&share) => Ok(share),
        _ => Err("allowed is a number from 0 to 0.9".to_owned()),
    }
}

/// Rows of a file: what is learned, and what is measured.
struct Data {
    learned: Arc<Vec<SftRow>>,
    held_out: Arc<Vec<SftRow>>,
}

/// What came out.
struct Learned {
    steps: usize,
    skipped: usize,
    tokens: usize,
    last_loss: f64,
    secs: f64,
}

/// Learns and saves.
pub(crate) fn run(args: SftArgs) -> Outcome {
    let text = std::fs::read_to_string(&args.data)
        .map_err(|error| CliError::bad(format!("read {}: {error}", args.data.display())))?;
    if args.save.exists() && !args.save.is_dir() {
        return Err(CliError::bad(format!("use --save: {} is no folder", args.save.display())));
    }
    let model = args.model.open()?;
    let format = args.model.format(&model)?;
    let limit = model.files.decoder.max_positions;
    let longest = args.max_length.map_or(limit, |n| (n as usize).min(limit));
    let data = data(&args, &text, &format, longest)?;
    let writer = writer(&model);
    let engine = spec(&args, &data).start(model).map_err(CliError::loading)?;
    let before = loss(&engine, &data.held_out)?;
    let learned = learn(&args, &engine, &data)?;
    let after = loss(&engine, &data.held_out)?;
    let failed = |error: TrainError| CliError::failed(error);
    std::fs::create_dir_all(&args.save)
        .map_err(|error| CliError::failed(format!("create {}: {error}", args.save.display())))?;
    let sha256 = writer.write_model(&engine, &args.save).map_err(failed)?;
    show(&args, &learned, before.zip(after), &sha256)
}

fn data(args: &SftArgs, text: &str, format: &ChatFormat, longest: usize) -> Outcome<Data> {
    let path = args.data.display();
    let refused = |what: &str, problems: Vec<String>| {
        let n_more = problems.len().saturating_sub(MAX_LISTED);
        let mut listed: Vec<String> = problems.into_iter().take(MAX_LISTED).collect();
        if n_more > 0 {
            listed.push(format!("and {n_more} more"));
        }
        CliError::bad(format!("read {path}: {what}\n  {}", listed.join("\n  ")))
    };
    let examples =
        read_examples(text).map_err(|problems| refused("some lines cannot be used", problems))?;
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (index, example) in examples.iter().enumerate() {
        match example.rows(format, longest) {
            Ok(found) => rows.push(found),
            Err(error) => problems.push(format!("example {}: failed to {error}", index + 1)),
        }
    }
    if !problems.is_empty() {
        return Err(refused("some examples cannot be rendered", problems));
    }
    let n_held = (rows.len() as f64 * args.held_out) as usize;
    let key = StreamKey { step: u32::MAX, ..StreamKey::default() };
    RunSeed(args.seed).stream(Purpose::Shuffle, key).shuffle(&mut rows);
    let learned: Vec<SftRow> = rows.split_off(n_held).concat();
    if learned.is_empty() {
        return Err(CliError::bad(format!("read {path}: nothing in it can be learned")));
    }
    Ok(Data { learned: Arc::new(learned), held_out: Arc::new(rows.concat()) })
}

fn writer(model: &ModelSource) -> CheckpointWriter {
    let fresh = || AgentConfig::new(&model.name, None, &Sampling::default());
    let agent = model.agent_config.clone().unwrap_or_else(fresh);
    CheckpointWriter::of(model, agent, Arc::new(RealDisk))
}

fn spec(args: &SftArgs, data: &Data) -> EngineSpec {
    let rows = data.learned.iter().chain(data.held_out.iter());
    let longest = rows.map(|row| row.tokens.len()).max().unwrap_or(1);
    let adapters = args.lora_rank.map(|rank| LoraSpec {
        rank: rank as usize,
        alpha: 2.0 * f64::from(rank),
        is_rank_stabilised: false,
        targets: Vec::new(),
    });
    EngineSpec {
        training: Some(TrainingSpec {
            max_tokens_per_microbatch: longest.max(2048.min(args.tokens_per_step as usize)),
            recomputes: false,
            adapters,
            critic: None,
            moves_reference: false,
            reference: None,
            seed: RunSeed(args.seed),
            staleness: 0,
        }),
        scorer_tokens: None,
        ..scoring_spec(args.model.machine.threads(), longest, 1)
    }
}

fn loss(engine: &Engine, rows: &Arc<Vec<SftRow>>) -> Outcome<Option<f64>> {
    if rows.is_empty() {
        return Ok(None);
    }
    let rows = rows.clone();
    let loss = engine.run_blocking(move |state| sft_loss(state, &rows));
    loss.and_then(|loss| loss).map(Some).map_err(CliError::failed)
}

fn learn(args: &SftArgs, engine: &Engine, data: &Data) -> Outcome<Learned> {
    let start = Instant::now();
    let order = SftOrder::new(&data.learned, args.tokens_per_step as usize, RunSeed(args.seed));
    let n_steps = args.steps.map_or_else(
        || (0..args.epochs).map(|epoch| order.epoch(epoch).len()).sum(),
        |steps| steps as usize,
    );
    let schedule = Schedule {
        shape: ScheduleShape::CosineWithMinLr { n_cycles: 0.5, min_ratio: 0.1 },
        warmup_steps: warmup_steps_from_ratio(n_steps as u64, 0.03),
        total_steps: n_steps as u64,
    };
    let bar = progress_bar(n_steps, "learning {bar:30} {pos}/{len} {msg} {eta}");
    let mut learned = Learned { steps: 0, skipped: 0, tokens: 0, last_loss: f64::NAN, secs: 0.0 };
    let mut n_skipped_in_a_row = 0;
    for batch in (0..).flat_map(|epoch| order.epoch(epoch)).take(n_steps) {
        let rate = args.learning_rate * schedule.multiplier(learned.steps as u64);
        let report = step(engine, &data.learned, batch, optimiser(rate))?;
        learned.steps += 1;
        learned.tokens += report.n_tokens;
        learned.last_loss = report.loss;
        n_skipped_in_a_row = if report.is_skipped { n_skipped_in_a_row + 1 } else { 0 };
        learned.skipped += usize::from(report.is_skipped);
        if n_skipped_in_a_row == MAX_SKIPPED {
            let n = MAX_SKIPPED;
            let problem = format!("learn: loss or gradient was not finite {n} steps in a row");
            return Err(CliError::failed(problem));
        }
        bar.set_message(format!("loss {:.4}", report.loss));
        bar.inc(1);
        tracing::info!(step = learned.steps, loss = report.loss, "learned");
    }
    bar.finish_and_clear();
    learned.secs = start.elapsed().as_secs_f64();
    Ok(learned)
}

fn step(
    engine: &Engine,
    rows: &Arc<Vec<SftRow>>,
    batch: Vec<usize>,
    optimiser: OptimiserStep,
) -> Outcome<SftReport> {
    let rows = rows.clone();
    let report = engine.run_blocking(move |state| {
        let batch: Vec<&SftRow> = batch.iter().map(|i| &rows[*i]).collect();
        sft_step(state, &batch, optimiser)
    });
    report.and_then(|report| report).map_err(CliError::failed)
}

fn optimiser(learning_rate: f64) -> OptimiserStep {
    OptimiserStep {
        learning_rate,
        beta1: 0.9,
        beta2: 0.95,
        eps: 1e-8,
        weight_decay: 0.01,
        max_grad_norm: 1.0,
    }
}

fn show(args: &SftArgs, learned: &Learned, held_out: Option<(f64, f64)>, sha256: &str) -> Outcome {
    let mut output = Output::new();
    let folder = args.save.display().to_string();
    let per_sec = learned.tokens as f64 / learned.secs.max(1e-9);
    if args.json {
        output.json(&json!({
            "steps": learned.steps,
            "skipped_steps": learned.skipped,
            "tokens": learned.tokens,
            "tokens_per_sec": per_sec,
            "loss_last_step": learned.last_loss,
            "loss_held_out_before": held_out.map(|(before, _)| before),
            "loss_held_out_after": held_out.map(|(_, after)| after),
            "wall_secs": learned.secs,
            "model_sha256": sha256,
            "saved_to": folder,
        }))?;
        return output.flush();
    }
    let shown = match held_out {
        Some((before, after)) => format!("{before:.4} before, {after:.4} after"),
        None => "not measured".to_owned(),
    };
    let rows = [
        ("steps", format!("{} ({} skipped)", learned.steps, learned.skipped)),
        ("tokens", format!("{} ({per_sec:.0} a second)", learned.tokens)),
        ("loss of the last step", format!("{:.4}", learned.last_loss)),
        ("held-out loss", shown),
        ("saved to", folder),
    ];
    output.text(&table(&rows.map(|(name, value)| (name.to_owned(), value))))?;
    output.flush()
}
