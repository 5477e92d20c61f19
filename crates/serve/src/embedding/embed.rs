//! Texts to vectors: the mean of the last hidden states over all tokens, brought to length 1.
//!
//! The model reads each text by itself, without a chat template, with the control tokens that its
//! tokenizer puts around every text. Fewer dimensions are the first ones, brought to length 1 again, as
//! OpenAI's `dimensions` has it. The choice a reader would question: a mean of states that were trained to
//! predict the next token is no trained embedding; it is what every causal model can give, and good
//! enough to find texts that are nearly the same.

use stateset_core::PolicyError;
use stateset_nn::{PassKind, Scorer};
use stateset_train::{EngineState, LocalPolicy, engine_error};

use crate::answer::policy_error;
use crate::api_error::ApiError;
use crate::models::{ServedModel, Voice};

/// Most texts in one request.
pub const MAX_EMBED_INPUTS: usize = 2048;

/// Tokens of the longest text, where the model reads as many.
const MAX_TOKENS: usize = 2048;

/// What is to be embedded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbedInput {
    /// A text.
    Text(String),
    /// Its tokens, read as they are.
    Tokens(Vec<u32>),
}

/// A vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedded {
    /// Numbers whose squares add up to 1.
    pub vector: Vec<f32>,
    /// Tokens that were read.
    pub n_tokens: usize,
}

/// The vectors of these inputs, in their order. `dimensions` is how many numbers are wanted; all where
/// absent.
///
/// # Errors
/// [`ApiError`] 400 that names the input, such as `input[2]`, or `dimensions`, and what is allowed.
pub async fn embed(
    model: &ServedModel,
    inputs: Vec<EmbedInput>,
    dimensions: Option<usize>,
) -> Result<Vec<Embedded>, ApiError> {
    let Voice::Local(policy) = &model.voice else {
        let error = ApiError::invalid("model", "a stub has no vectors; load a model");
        return Err(error.coded("unsupported_model"));
    };
    if inputs.is_empty() || inputs.len() > MAX_EMBED_INPUTS {
        let message = format!("found {} inputs; 1 to {MAX_EMBED_INPUTS} are allowed", inputs.len());
        return Err(ApiError::invalid("input", message));
    }
    let rows: Vec<Vec<u32>> = inputs
        .into_iter()
        .enumerate()
        .map(|(i, input)| tokens(policy, input, i))
        .collect::<Result<_, _>>()?;
    let mut embedded = Vec::with_capacity(rows.len());
    // One job for each text, so that answers under way are not held up by a long list.
    for (i, row) in rows.into_iter().enumerate() {
        embedded.push(embed_row(policy, row, i, dimensions).await?);
    }
    Ok(embedded)
}

fn tokens(policy: &LocalPolicy, input: EmbedInput, i: usize) -> Result<Vec<u32>, ApiError> {
    let field = format!("input[{i}]");
    let tokenizer = policy.format().tokenizer();
    let tokens = match input {
        EmbedInput::Text(text) => tokenizer
            .encode(&text, true)
            .map_err(|error| ApiError::invalid(field.clone(), error.to_string()))?,
        EmbedInput::Tokens(tokens) => tokens,
    };
    if tokens.is_empty() {
        return Err(ApiError::invalid(field, "it has no tokens"));
    }
    let vocab_size = tokenizer.vocab_size();
    match tokens.iter().find(|token| **token as usize >= vocab_size) {
        Some(token) => {
            let message = format!("token {token} is outside the vocabulary of {vocab_size}");
            Err(ApiError::invalid(field, message))
        }
        None => Ok(tokens),
    }
}

async fn embed_row(
    policy: &LocalPolicy,
    row: Vec<u32>,
    i: usize,
    dimensions: Option<usize>,
) -> Result<Embedded, ApiError> {
    let n_tokens = row.len();
    let field = format!("input[{i}]");
    let job = move |state: &mut EngineState| mean_of(state, &row);
    let failed = |error| policy_error(engine_error(error), &field);
    let mean = policy.engine().run(job).await.map_err(failed)?;
    let mut vector = mean.map_err(|error| failed(error.into()))?;
    if let Some(n) = dimensions {
        if n == 0 || n > vector.len() {
            let message = format!("{n} is not between 1 and {}", vector.len());
            return Err(ApiError::invalid("dimensions", message));
        }
        vector.truncate(n);
    }
    normalise(&mut vector)
        .map_err(|()| policy_error(PolicyError::Failed("a vector is no number".into()), &field))?;
    Ok(Embedded { vector, n_tokens })
}

/// The mean state, on the engine's thread. The room for it is made with the first text.
fn mean_of(state: &mut EngineState, row: &[u32]) -> Result<Vec<f32>, stateset_nn::NnError> {
    let (device, decoder) = (state.device.as_mut(), &state.decoder);
    let scorer = state.scorer.get_or_insert_with(|| {
        let max_rows = decoder.context.min(MAX_TOKENS);
        Scorer::without_logits(device, decoder, PassKind::Forward, max_rows)
    });
    let mut all = scorer.embed(state.device.as_mut(), decoder, state.policy, &[row])?;
    Ok(all.pop().unwrap_or_default())
}

/// Brings to length 1; zeros stay.
fn normalise(vector: &mut [f32]) -> Result<(), ()> {
    let squares: f64 = vector.iter().map(|x| f64::from(*x).powi(2)).sum();
    if !squares.is_finite() {
        return Err(());
    }
    if squares > 0.0 {
        let factor = squares.sqrt().recip();
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) * factor) as f32);
    }
    Ok(())
}
