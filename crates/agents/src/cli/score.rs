//! `score`: how likely a model finds tokens, texts and conversations.
//!
//! The assistant mask marks the answers of `messages`. Where a chat template rewrites history, the
//! scored row is the last one, what the model reads before and with the last answer, and the mask
//! marks that answer. Plain tokens and texts have no answers, so their mask is false throughout.

use clap::Args;
use serde::Serialize;
use stateset_core::Origin;
use stateset_nn::{ChatFormat, NnError, RowScores, TokenRow, Wants};
use stateset_train::{Engine, EngineState, TrainError};

use super::engine::scoring_spec;
use super::error::{CliError, Outcome};
use super::lines::{LineInput, LinesArgs};
use super::model::ModelArgs;
use super::output::Output;

/// Score tokens, texts or conversations
///
/// Reads JSON lines: {"tokens": [..]}, {"prompt": ".."} or {"messages": [..]}. Writes one line for
/// each: tokens, logprobs (natural log of each token given those before it, null for the first),
/// entropies (nats, of the distribution each token came from, null for the first) and assistant_mask
/// (true at the answers of messages).
#[derive(Args, Debug)]
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    lines: LinesArgs,
    #[command(flatten)]
    model: ModelArgs,
    /// Tokens of one pass; memory grows with it
    #[arg(long, value_name = "N", default_value_t = 2048, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    tokens_per_pass: u32,
}

/// Tokens to score.
struct Row {
    tokens: Vec<u32>,
    assistant_mask: Vec<bool>,
}

/// A line of the output.
#[derive(Serialize)]
struct Scored {
    tokens: Vec<u32>,
    logprobs: Vec<Option<f32>>,
    entropies: Vec<Option<f32>>,
    assistant_mask: Vec<bool>,
}

/// Scores what comes in.
pub(crate) fn run(args: ScoreArgs) -> Outcome {
    let model = args.model.open()?;
    let format = args.model.format(&model)?;
    let decoder = &model.files.decoder;
    let (vocab_size, limit) = (decoder.vocab_size, decoder.max_positions);
    let rows = args.lines.read(|input| {
        let row = row(input, &format)?;
        check(&row.tokens, vocab_size, limit)?;
        Ok(row)
    })?;
    let longest = rows.iter().map(|row| row.tokens.len()).max().unwrap_or(1).min(limit);
    let total: usize = rows.iter().map(|row| row.tokens.len()).sum();
    let tokens_per_pass = (args.tokens_per_pass as usize).min(total.max(1)).max(longest);
    let spec = scoring_spec(args.model.machine.threads(), longest, tokens_per_pass);
    let engine = spec.start(model).map_err(CliError::loading)?;
    let mut output = Output::new();
    for batch in batches(rows, tokens_per_pass) {
        for scored in score(&engine, batch)? {
            output.json(&scored)?;
        }
        output.flush()?;
    }
    output.flush()
}

fn row(input: &LineInput, format: &ChatFormat) -> Result<Row, String> {
    let failed = |error: stateset_nn::TextError| format!("failed to {error}");
    let (tokens, assistant_mask) = match input {
        LineInput::Tokens(tokens) => (tokens.clone(), None),
        LineInput::Prompt(text) => (format.tokenizer().encode(text, true).map_err(failed)?, None),
        LineInput::Chat { messages, tools } => {
            let trace = format.supervised(messages, tools).map_err(failed)?;
            let last = trace.current().ok_or("the chat template writes nothing for it")?;
            (last.tokens().to_vec(), Some(last.mask(Origin::Target)))
        }
    };
    let assistant_mask = assistant_mask.unwrap_or_else(|| vec![false; tokens.len()]);
    Ok(Row { tokens, assistant_mask })
}

fn check(tokens: &[u32], vocab_size: usize, limit: usize) -> Result<(), String> {
    if let Some(token) = tokens.iter().find(|token| **token as usize >= vocab_size) {
        return Err(format!("token {token} is outside the vocabulary of {vocab_size}"));
    }
    if tokens.len() > limit {
        return Err(format!(
            "{} tokens are more than the {limit} that the model reads",
            tokens.len()
        ));
    }
    Ok(())
}

/// Consecutive rows of at most `limit` tokens together.
fn batches(rows: Vec<Row>, limit: usize) -> Vec<Vec<Row>> {
    let mut batches: Vec<Vec<Row>> = Vec::new();
    let mut n = 0;
    for row in rows {
        n += row.tokens.len();
        match batches.last_mut() {
            Some(batch) if n <= limit => batch.push(row),
            _ => {
                n = row.tokens.len();
                batches.push(vec![row]);
            }
        }
    }
    batches
}

fn score(engine: &Engine, rows: Vec<Row>) -> Outcome<Vec<Scored>> {
    let scored = engine.run_blocking(move |state| {
        let scores = scores(state, &rows)?;
        Ok::<_, TrainError>(rows.into_iter().zip(scores).map(scored).collect())
    });
    scored.and_then(|scored| scored).map_err(CliError::failed)
}

fn scores(state: &mut EngineState, rows: &[Row]) -> Result<Vec<RowScores>, NnError> {
    let EngineState { device, decoder, policy, scorer, .. } = state;
    let missing = || NnError::Setting {
        what: "the engine",
        message: "it was set up without a scorer".to_owned(),
    };
    let scorer = scorer.as_mut().ok_or_else(missing)?;
    let masks: Vec<Vec<bool>> =
        rows.iter().map(|row| (0..row.tokens.len()).map(|i| i > 0).collect()).collect();
    let rows = rows.iter().zip(&masks);
    let token_rows: Vec<TokenRow<'_>> =
        rows.map(|(row, mask)| TokenRow::new(&row.tokens, mask)).collect();
    let wants = Wants { moments: true, ..Wants::default() };
    scorer.score(device.as_mut(), decoder, *policy, &token_rows, 1.0, wants)
}

fn scored((row, scores): (Row, RowScores)) -> Scored {
    let n = row.tokens.len();
    let spread = |values: Vec<f32>| -> Vec<Option<f32>> {
        std::iter::once(None).chain(values.into_iter().map(Some)).take(n).collect()
    };
    Scored {
        logprobs: spread(scores.logprobs),
        entropies: spread(scores.entropies),
        tokens: row.tokens,
        assistant_mask: row.assistant_mask,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_keep_the_order_and_the_limit() {
        let row = |n: usize| Row { tokens: vec![0; n], assistant_mask: vec![false; n] };
        let lens = |limit: usize| -> Vec<Vec<usize>> {
            let rows = [3, 4, 9, 1, 2].map(row).into_iter().collect();
            let lens = |batch: &Vec<Row>| batch.iter().map(|row| row.tokens.len()).collect();
            batches(rows, limit).iter().map(lens).collect()
        };
        assert_eq!(lens(7), [vec![3, 4], vec![9], vec![1, 2]]);
        assert_eq!(lens(100), [vec![3, 4, 9, 1, 2]]);
        assert!(batches(Vec::new(), 5).is_empty());
    }
}
