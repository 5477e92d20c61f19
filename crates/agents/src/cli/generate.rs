//! `generate`: continues tokens and texts, and answers conversations.
//!
//! All requests are in the engine together and share what their prompts have in common; what comes out
//! is in the order of what went in. Randomness belongs to a line and a sample, so an answer does not
//! depend on its company.

use clap::Args;
use futures::stream::{self, StreamExt};
use serde::Serialize;
use stateset_core::{FinishReason, Purpose, RunSeed, Sampling, StreamKey};
use stateset_nn::{ChatFormat, SampleRequest};
use stateset_train::{Engine, Sampled, stop_check};

use super::engine::sampling_spec;
use super::error::{CliError, Outcome};
use super::lines::{LineInput, LinesArgs};
use super::model::ModelArgs;
use super::output::Output;
use super::sampling::SamplingArgs;
use super::stops::before_stop;

/// Answers that are sampled at the same time.
const MAX_RUNNING: usize = 64;

/// Requests that wait or run; more would be kept in memory for nothing.
const MAX_SUBMITTED: usize = 4 * MAX_RUNNING;

/// Continue texts or answer conversations
///
/// Reads JSON lines: {"tokens": [..]}, {"prompt": ".."} or {"messages": [..]}. Writes one line for
/// each: text, tokens, logprobs (natural log of each token, at the temperature, over the whole
/// vocabulary) and finish_reason (stop or length). With --n above 1 it writes n lines for each, with
/// line (the number of the input line, empty lines not counted) and sample.
#[derive(Args, Debug)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    lines: LinesArgs,
    #[command(flatten)]
    model: ModelArgs,
    /// Samples of each line
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    n: u16,
    /// What the randomness starts from
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    #[command(flatten)]
    sampling: SamplingArgs,
}

/// What is read before the first token is drawn.
struct Prompt {
    tokens: Vec<u32>,
    is_chat: bool,
}

/// One request.
#[derive(Clone, Copy)]
struct Place {
    line: usize,
    sample: u16,
}

/// A line of the output.
#[derive(Serialize)]
struct Generated {
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<u16>,
    text: String,
    tokens: Vec<u32>,
    logprobs: Vec<f32>,
    finish_reason: &'static str,
}

/// What all requests have in common.
struct Writer {
    engine: Engine,
    format: ChatFormat,
    sampling: Sampling,
    seed: RunSeed,
    n_samples: u16,
}

/// Generates for what comes in.
pub(crate) fn run(args: GenerateArgs) -> Outcome {
    let sampling = args.sampling.over(Sampling::default())?;
    let model = args.model.open()?;
    let format = args.model.format(&model)?;
    let decoder = &model.files.decoder;
    let (vocab_size, limit) = (decoder.vocab_size, decoder.max_positions);
    let prompts = args.lines.read(|input| {
        let prompt = prompt(input, &format)?;
        check(&prompt.tokens, vocab_size, limit)?;
        Ok(prompt)
    })?;
    let longest = prompts.iter().map(|prompt| prompt.tokens.len()).max().unwrap_or(1);
    let longest = longest.saturating_add(sampling.max_new_tokens).min(limit);
    let n_running = (prompts.len() * usize::from(args.n)).min(MAX_RUNNING);
    let spec = sampling_spec(args.model.machine.threads(), n_running, longest);
    let engine = spec.start(model).map_err(CliError::loading)?;
    let seed = RunSeed(args.seed);
    let writer = Writer { engine, format, sampling, seed, n_samples: args.n };
    let runtime = super::engine::runtime()?;
    runtime.block_on(writer.write_all(&prompts))
}

fn prompt(input: &LineInput, format: &ChatFormat) -> Result<Prompt, String> {
    let failed = |error: stateset_nn::TextError| format!("failed to {error}");
    Ok(match input {
        LineInput::Tokens(tokens) => Prompt { tokens: tokens.clone(), is_chat: false },
        LineInput::Prompt(text) => {
            let tokens = format.tokenizer().encode(text, true).map_err(failed)?;
            Prompt { tokens, is_chat: false }
        }
        LineInput::Chat { messages, tools } => {
            Prompt { tokens: format.prompt(messages, tools).map_err(failed)?, is_chat: true }
        }
    })
}

fn check(tokens: &[u32], vocab_size: usize, limit: usize) -> Result<(), String> {
    if tokens.is_empty() {
        return Err("there is no token to continue".to_owned());
    }
    if let Some(token) = tokens.iter().find(|token| **token as usize >= vocab_size) {
        return Err(format!("token {token} is outside the vocabulary of {vocab_size}"));
    }
    if tokens.len() >= limit {
        let n = tokens.len();
        return Err(format!("{n} tokens leave no room in the {limit} that the model reads"));
    }
    Ok(())
}

impl Writer {
    /// Samples everything and writes it in order.
    async fn write_all(&self, prompts: &[Prompt]) -> Outcome {
        let places = (0..prompts.len())
            .flat_map(|line| (0..self.n_samples).map(move |sample| Place { line, sample }));
        let answers = places.map(|place| self.answer(place, &prompts[place.line]));
        let mut answers = stream::iter(answers).buffered(MAX_SUBMITTED);
        let mut output = Output::new();
        while let Some(generated) = answers.next().await {
            output.json(&generated?)?;
            output.flush()?;
        }
        output.flush()
    }

    async fn answer(&self, place: Place, prompt: &Prompt) -> Outcome<Generated> {
        let request = self.request(place, prompt);
        let sampled = self.engine.sample(request, None).await.map_err(CliError::failed)?;
        let text = self.text(prompt, &sampled)?;
        let is_one_of_many = self.n_samples > 1;
        Ok(Generated {
            line: is_one_of_many.then_some(place.line + 1),
            sample: is_one_of_many.then_some(place.sample),
            text,
            tokens: sampled.tokens,
            logprobs: sampled.logprobs,
            finish_reason: match sampled.finish {
                FinishReason::Length => "length",
                _ => "stop",
            },
        })
    }

    fn request(&self, place: Place, prompt: &Prompt) -> SampleRequest {
        let mut stops = self.sampling.stop.clone();
        if prompt.is_chat {
            stops.extend(self.format.stop_texts());
        }
        let key = StreamKey {
            scenario: u32::try_from(place.line).unwrap_or(u32::MAX),
            sample: place.sample,
            ..StreamKey::default()
        };
        let stream = self.seed.stream(Purpose::Sampling, key);
        SampleRequest {
            end_tokens: self.format.end_ids().to_vec(),
            stop: stop_check(self.format.tokenizer(), stops),
            ..SampleRequest::new(prompt.tokens.clone(), &self.sampling, stream)
        }
    }

    /// The text without what ended it.
    fn text(&self, prompt: &Prompt, sampled: &Sampled) -> Outcome<String> {
        let stops = &self.sampling.stop;
        if prompt.is_chat {
            return self.format.reply_text(&sampled.tokens, stops).map_err(CliError::failed);
        }
        let spoken = match sampled.tokens.split_last() {
            Some((last, rest)) if self.format.end_ids().contains(last) => rest,
            _ => &sampled.tokens,
        };
        let text = self.format.tokenizer().decode_after(spoken, true).map_err(CliError::failed)?;
        Ok(before_stop(&text, stops).to_owned())
    }
}
