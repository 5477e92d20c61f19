//! Times the engine on a model folder and prints one JSON line, as the peers under `benchmarks/` do:
//!
//!     engine_speed train FOLDER [batch tokens]
//!     engine_speed decode FOLDER [batch prompt new] [sample]
//!
//! `--threads N` (2), `--repeats N` (5) and `--warmups N` (2) hold for both. `--values` puts a value
//! head on the model that is trained.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark program")]

use std::time::Instant;

use serde_json::{Value, json};
use stateset_core::{Purpose, RunSeed, Sampling, StreamKey};
use stateset_nn::*;

struct Arguments {
    words: Vec<String>,
    threads: usize,
    repeats: usize,
    warmups: usize,
    has_values: bool,
}

fn main() {
    let mut arguments =
        Arguments { words: Vec::new(), threads: 2, repeats: 5, warmups: 2, has_values: false };
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        let target = match word.as_str() {
            "--threads" => &mut arguments.threads,
            "--repeats" => &mut arguments.repeats,
            "--warmups" => &mut arguments.warmups,
            "--values" => {
                arguments.has_values = true;
                continue;
            }
            _ => {
                arguments.words.push(word);
                continue;
            }
        };
        *target = given.next().unwrap().parse().unwrap();
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build().unwrap();
    let line = pool.install(|| match arguments.words[0].as_str() {
        "train" => train(&arguments),
        "decode" => decode(&arguments),
        other => panic!("unknown benchmark {other}"),
    });
    println!("{line}");
}

impl Arguments {
    fn number(&self, index: usize, default: usize) -> usize {
        self.words.get(index).map_or(default, |word| word.parse().unwrap())
    }

    /// Seconds of each measured repetition.
    fn time(&self, mut action: impl FnMut()) -> Vec<f64> {
        (0..self.warmups).for_each(|_| action());
        let one = |_| {
            let start = Instant::now();
            action();
            start.elapsed().as_secs_f64()
        };
        (0..self.repeats).map(one).collect()
    }
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0
}

/// The ids that the peers use: the top bits of a multiplicative hash, scaled to the vocabulary.
fn token_ids(n: usize, vocab_size: usize) -> Vec<u32> {
    let id = |i: usize| (((i as u64 * 2_654_435_761) % (1 << 32)) * vocab_size as u64) >> 32;
    (0..n).map(|i| id(i) as u32).collect()
}

fn load(folder: &str, context: usize) -> (Cpu, Decoder, WeightSet) {
    let mut device = Cpu::new(Path::best());
    let files = ModelFiles::open(folder.as_ref()).unwrap();
    let decoder =
        Decoder::new(&mut device, files.family, files.decoder.clone(), None, context).unwrap();
    let base = device.alloc(decoder.params.len());
    let put = |offset, numbers: &[f32]| {
        device.write(Stretch { buf: base, offset, len: numbers.len() }, numbers);
    };
    files.read_params(&decoder.params, put).unwrap();
    (device, decoder, WeightSet { base, adapters: None })
}

fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn train(arguments: &Arguments) -> Value {
    let (batch, tokens) = (arguments.number(2, 8), arguments.number(3, 256));
    let (mut device, decoder, weights) = load(&arguments.words[1], tokens);
    let ids = token_ids(batch * tokens, decoder.config.vocab_size);
    let mask: Vec<bool> = (0..tokens).map(|i| i > 0).collect();
    let rows: Vec<TokenRow> =
        ids.chunks(tokens).map(|tokens| TokenRow::new(tokens, &mask)).collect();
    let n = batch * (tokens - 1);
    let mut learner = Learner::new(&mut device, &decoder, weights, batch * tokens, false);
    let settings = OptimiserStep {
        learning_rate: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.01,
        max_grad_norm: 1.0,
    };
    if arguments.has_values {
        let spec = ValueHeadSpec { init_std: 0.02, ..ValueHeadSpec::default() };
        learner.add_value_head(&mut device, &decoder, spec);
    }
    let wants = Wants { values: arguments.has_values, ..Wants::default() };
    let scores = learner.score(&mut device, &decoder, weights, &rows, 1.0, wants).unwrap();
    let sum: f64 = scores.iter().flat_map(|s| &s.logprobs).map(|x| f64::from(*x)).sum();
    let forward = arguments.time(|| {
        learner.score(&mut device, &decoder, weights, &rows, 1.0, wants).unwrap();
    });
    let loss = |scores: &[RowScores]| -> Vec<RowGradients> {
        let of = |score: &RowScores| RowGradients {
            logprobs: vec![-1.0 / n as f32; score.logprobs.len()],
            values: vec![1.0 / n as f32; score.values.len()],
            ..RowGradients::default()
        };
        scores.iter().map(of).collect()
    };
    let backward = |learner: &mut Learner, device: &mut Cpu| {
        learner.clear_gradient(device);
        learner.forward_backward(device, &decoder, &rows, 1.0, wants, loss).unwrap();
    };
    let both = arguments.time(|| backward(&mut learner, &mut device));
    let step = arguments.time(|| {
        backward(&mut learner, &mut device);
        learner.step(&mut device, &decoder, settings);
    });
    // Before the update is timed alone, on buffers that training does not have.
    let peak_rss_bytes = peak_rss_bytes();
    let adamw = time_adamw(arguments, &mut device, decoder.params.len());
    json!({
        "peer": "stateset", "device": device.name(), "loss": -sum / n as f64,
        "median_secs": {
            "forward": median(&forward), "forward_backward": median(&both),
            "adamw": median(&adamw), "step": median(&step),
        },
        "secs": {"forward": forward, "forward_backward": both, "adamw": adamw, "step": step},
        "peak_rss_bytes": peak_rss_bytes,
    })
}

/// The optimiser's update alone, without norm and clearing, as the peers time theirs.
fn time_adamw(arguments: &Arguments, device: &mut Cpu, len: usize) -> Vec<f64> {
    let buffers = [(); 4].map(|()| Stretch::of(device.alloc(len), len));
    let [weight, gradient, m, v] = buffers;
    device.fill(gradient, 1e-3);
    let step = AdamwStep {
        learning_rate: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        eps: 1e-8,
        weight_decay: 0.01,
        step: 1,
        gradient_factor: 1.0,
    };
    let times = arguments.time(|| device.adamw(weight, gradient, m, v, step));
    buffers.into_iter().for_each(|buffer| device.free(buffer.buf));
    times
}

fn decode(arguments: &Arguments) -> Value {
    let (batch, prompt, new) =
        (arguments.number(2, 8), arguments.number(3, 64), arguments.number(4, 64));
    let samples = arguments.words.last().is_some_and(|word| word == "sample");
    let (mut device, decoder, weights) = load(&arguments.words[1], prompt + new);
    let size = SamplerSize {
        max_running: batch,
        max_rows: (batch * prompt).min(4096),
        cache_tokens: batch * (prompt + new + 16),
    };
    let mut sampler = Sampler::new(&mut device, &decoder, size);
    let ids = token_ids(batch * prompt, decoder.config.vocab_size);
    let (mut round, mut first_row) = (0u32, Vec::new());
    let secs = arguments.time(|| {
        round += 1;
        first_row.clear();
        sampler.weights_changed();
        for (i, prompt) in ids.chunks(prompt).enumerate() {
            let key = StreamKey { step: round, scenario: i as u32, ..StreamKey::default() };
            let stream = RunSeed(1).stream(Purpose::Sampling, key);
            let sampling =
                Sampling { max_new_tokens: new, greedy: !samples, ..Sampling::default() };
            let request = SampleRequest::new(prompt.to_vec(), &sampling, stream);
            sampler.submit(SampleRequest { id: i as u64, ..request }).unwrap();
        }
        while !sampler.is_idle() {
            let events = sampler.step(&mut device, &decoder, weights);
            first_row.extend(events.iter().filter(|event| event.id == 0).map(|event| event.token));
        }
    });
    let middle = median(&secs);
    json!({
        "peer": "stateset", "device": device.name(), "secs": secs, "median_secs": middle,
        "tokens_per_sec": (batch * new) as f64 / middle,
        "first_row_ids": if samples { Value::Null } else { json!(first_row) },
        "peak_rss_bytes": peak_rss_bytes(),
    })
}
