//! Fields that requests for chats and completions share, checked.

use serde_json::{Map, Value};

use super::limits::{MAX_BIASES, MAX_CHOICES, MAX_STOP_BYTES, MAX_STOPS};
use crate::answer::AnswerRequest;
use crate::api_error::ApiError;
use crate::wire::{RangeCheck, TextOr};

/// Number of answers.
///
/// # Errors
/// [`ApiError`] where it is none, or more than [`MAX_CHOICES`].
pub(super) fn n_choices(n: Option<i64>) -> Result<usize, ApiError> {
    let n = n.within("n", 1.0..=MAX_CHOICES as f64)?;
    Ok(n.and_then(|n| usize::try_from(n).ok()).unwrap_or(1))
}

/// A number of tokens to draw.
///
/// # Errors
/// [`ApiError`] where it is below 1.
pub(crate) fn n_tokens(n: Option<i64>, field: &str) -> Result<Option<usize>, ApiError> {
    let n = n.within(field, 1.0..=i32::MAX.into())?;
    Ok(n.and_then(|n| usize::try_from(n).ok()))
}

/// Texts that end an answer.
///
/// # Errors
/// [`ApiError`] where there are too many, or one is empty or too long.
pub(super) fn stops(stop: Option<TextOr<Vec<String>>>) -> Result<Vec<String>, ApiError> {
    let stops = stop.map_or_else(Vec::new, |stop| stop.into_list(|text| text));
    if stops.len() > MAX_STOPS {
        let message = format!("at most {MAX_STOPS} are allowed; there are {}", stops.len());
        return Err(ApiError::invalid("stop", message));
    }
    match stops.iter().position(|text| text.is_empty() || text.len() > MAX_STOP_BYTES) {
        Some(at) => {
            let message = format!("it must have 1 to {MAX_STOP_BYTES} bytes");
            Err(ApiError::invalid(format!("stop[{at}]"), message))
        }
        None => Ok(stops),
    }
}

/// What is added to the logits of tokens.
///
/// # Errors
/// [`ApiError`] where a key is no token or a value is outside of -100 to 100.
pub(super) fn biases(given: Option<Map<String, Value>>) -> Result<Vec<(u32, f32)>, ApiError> {
    let given = given.unwrap_or_default();
    if given.len() > MAX_BIASES {
        let message = format!("at most {MAX_BIASES} are allowed; there are {}", given.len());
        return Err(ApiError::invalid("logit_bias", message));
    }
    let bias = |(token, value): (String, Value)| {
        let id = token.parse::<u32>().map_err(|_| {
            let message = format!("{token:?} is no token; keys are numbers of the vocabulary");
            ApiError::invalid("logit_bias", message)
        })?;
        match value.as_f64() {
            Some(value) if (-100.0..=100.0).contains(&value) => Ok((id, value as f32)),
            _ => {
                let field = format!("logit_bias.{id}");
                Err(ApiError::invalid(field, format!("{value} is no number from -100 to 100")))
            }
        }
    };
    given.into_iter().map(bias).collect()
}

/// One request for each of `n` answers.
pub(super) fn each_choice(request: AnswerRequest, n: usize) -> Vec<AnswerRequest> {
    let choice = |choice| AnswerRequest { choice, ..request.clone() };
    (0..n).filter_map(|choice| u16::try_from(choice).ok()).map(choice).collect()
}
