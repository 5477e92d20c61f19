//! Makes a judge out of the embedded model: supervised learning on comparisons of known quality, then a
//! test on customers it has never met.
//!
//! `cargo run --release --example trained_judge -- [steps] [held-out pairs]`
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use std::sync::Arc;

use stateset_core::{Purpose, RunSeed, Sampling, StreamKey};
use stateset_env::customer::Split;
use stateset_env::judging::{Asker, JudgePair, PairPrompt, judge_pairs, pairs_to_sft};
use stateset_nn::{OptimiserStep, PAGE_TOKENS, Path, SamplerSize};
use stateset_train::{
    Engine, EngineSpec, JudgeMeasure, LocalJudge, ModelSource, SftOrder, SftRow, TrainError,
    TrainingSpec, chat_format, measure_judge, read_examples, sft_step,
};

const SEED: RunSeed = RunSeed(1);
const LONGEST: usize = 256;
const TOKENS_PER_STEP: usize = 2048;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let argument = |n: usize, usual: usize| -> Result<usize, std::num::ParseIntError> {
        std::env::args().nth(n).map_or(Ok(usual), |text| text.parse())
    };
    let (n_steps, n_held_out) = (argument(1, 25)?, argument(2, 100)?);
    let model = ModelSource::open("builtin:tiny", &|name| {
        Err(TrainError::Invalid { what: "find the model", message: name.to_owned() })
    })?;
    let format = chat_format(&model, None)?;
    let engine = spec().start(model)?;
    let prompt = PairPrompt::short();
    let judge = LocalJudge::on(engine.clone(), format.clone(), Sampling::default(), SEED);
    let asker = Asker::new(Arc::new(judge));

    // 1. Customers of the held-out split, and what the model makes of them untaught.
    let held_out = pairs(n_held_out, Split::HeldOut);
    say("before", &measure_judge(&asker, &prompt, &held_out).await);

    // 2. The same kind of comparisons with customers of the training split, as supervised data. This
    //    text is also what `stateset-agents sft` reads.
    let jsonl = pairs_to_sft(&pairs(1000, Split::Train), &prompt);
    let mut rows: Vec<SftRow> = Vec::new();
    for example in read_examples(&jsonl).map_err(|problems| problems.join("\n"))? {
        rows.extend(example.rows(&format, LONGEST)?);
    }
    learn(&engine, rows, n_steps).await?;

    // 3. The customers of the beginning again.
    say("after", &measure_judge(&asker, &prompt, &held_out).await);
    Ok(())
}

fn spec() -> EngineSpec {
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
            seed: SEED,
        }),
        scorer_tokens: None,
    }
}

fn pairs(n: usize, split: Split) -> Vec<JudgePair> {
    judge_pairs(n, split, &mut SEED.stream(Purpose::Data, StreamKey::default()))
}

async fn learn(engine: &Engine, rows: Vec<SftRow>, n_steps: usize) -> Result<(), TrainError> {
    let order = SftOrder::new(&rows, TOKENS_PER_STEP, SEED);
    let rows = Arc::new(rows);
    for (step, batch) in (0..).flat_map(|epoch| order.epoch(epoch)).take(n_steps).enumerate() {
        let optimiser = OptimiserStep {
            learning_rate: 1e-3 * (1.0 - step as f64 / n_steps as f64),
            beta1: 0.9,
            beta2: 0.95,
            eps: 1e-8,
            weight_decay: 0.01,
            max_grad_norm: 1.0,
        };
        let rows = rows.clone();
        let job = move |state: &mut _| {
            let batch: Vec<&SftRow> = batch.iter().map(|i| &rows[*i]).collect();
            sft_step(state, &batch, optimiser)
        };
        let report = engine.run(job).await??;
        if step % 10 == 0 {
            println!("step {step}: loss {:.3}", report.loss);
        }
    }
    Ok(())
}

fn say(when: &str, measure: &JudgeMeasure) {
    let percent = |share: Option<f64>| 100.0 * share.unwrap_or(f64::NAN);
    println!(
        "{when}: right in {:.1} % of {} comparisons, changes its mind with the order in {:.1} %",
        percent(measure.truth.agreement()),
        measure.truth.n,
        percent(measure.orders.disagreement()),
    );
}
