//! Prints how many tokens a second the embedded model draws for 16 answers at once without HTTP, which is
//! what `benchmarks/serve/load.py` compares the server with:
//!
//!     batch_rate [answers] [tokens]
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark program")]

use std::sync::Arc;
use std::time::Instant;

use futures::future::join_all;
use stateset_core::{Message, Sampling};
use stateset_serve::answer::{AnswerRequest, Answering, Prompt};
use stateset_serve::{LoadOptions, ServedModel};
use stateset_train::ModelSource;

fn main() {
    let mut given = std::env::args().skip(1).map(|word| word.parse::<usize>().unwrap());
    let (n_answers, max_tokens) = (given.next().unwrap_or(16), given.next().unwrap_or(64));
    let fetch = |_: &str| panic!("the embedded model is not fetched");
    let source = ModelSource::open("builtin:tiny", &fetch).unwrap();
    let options = LoadOptions { slots: n_answers, ..LoadOptions::default() };
    let model = Arc::new(ServedModel::load("builtin:tiny", source, &options).unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut best: f64 = 0.0;
    let (mut cpu_before, mut n_counted) = (0.0, 0);
    for round in 0..6 {
        let (begun, mut n_tokens) = (Instant::now(), 0);
        for answer in runtime.block_on(round_of(&model, n_answers, max_tokens, round)) {
            n_tokens += answer;
        }
        let rate = n_tokens as f64 / begun.elapsed().as_secs_f64();
        // The first round warms up.
        if round == 0 {
            cpu_before = cpu_seconds();
            continue;
        }
        best = best.max(rate);
        n_counted += n_tokens;
    }
    let cpu = (cpu_seconds() - cpu_before) / n_counted as f64 * 1e6;
    println!("{{\"tokens_per_second\": {best:.1}, \"cpu_us_per_token\": {cpu:.1}}}");
}

/// Processor time of this program so far, in seconds; the kernel counts it in hundredths.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap() / 100.0).sum()
}

async fn round_of(model: &Arc<ServedModel>, n: usize, max_tokens: usize, seed: u64) -> Vec<usize> {
    let answers = (0..n).map(|choice| {
        let messages = vec![Message::user("Tell me about your shop.")];
        let prompt = Prompt::Chat { messages, tools: Vec::new() };
        let sampling = Sampling { max_new_tokens: max_tokens, ..Sampling::default() };
        let mut request = AnswerRequest::new(prompt, sampling);
        request.seed = Some(seed);
        request.choice = u16::try_from(choice).unwrap();
        Answering::begin(Arc::clone(model), request).whole()
    });
    join_all(answers).await.into_iter().map(|answer| answer.unwrap().tokens.len()).collect()
}
