//! What an answer may be asked for.

use super::{AnswerRequest, Prompt};
use crate::api_error::ApiError;

/// Most likeliest tokens that are told at each place.
const MAX_TOP_LOGPROBS: usize = 20;
/// Most tokens with a bias; OpenAI's limit is lower.
const MAX_BIASED: usize = 2048;
/// Most stop texts, and bytes of each.
const MAX_STOPS: usize = 64;
const MAX_STOP_BYTES: usize = 1024;

impl AnswerRequest {
    /// Refuses settings outside their ranges, by the names that OpenAI's API gives them.
    ///
    /// # Errors
    /// [`ApiError`] 400 that names the field, what was found and what is allowed.
    pub fn check(&self) -> Result<(), ApiError> {
        let sampling = &self.sampling;
        within("temperature", sampling.temperature, 0.0, 100.0)?;
        within("top_p", sampling.top_p, 0.0, 1.0)?;
        within("min_p", sampling.min_p, 0.0, 1.0)?;
        within("repetition_penalty", sampling.repetition_penalty, 0.01, 100.0)?;
        within("presence_penalty", self.presence_penalty, -2.0, 2.0)?;
        within("frequency_penalty", self.frequency_penalty, -2.0, 2.0)?;
        if sampling.max_new_tokens == 0 {
            return Err(ApiError::invalid("max_tokens", "an answer needs at least one token"));
        }
        at_most("top_logprobs", self.top_logprobs, MAX_TOP_LOGPROBS)?;
        at_most("logit_bias", self.logit_bias.len(), MAX_BIASED)?;
        for (token, bias) in &self.logit_bias {
            within(&format!("logit_bias.{token}"), f64::from(*bias), -100.0, 100.0)?;
        }
        at_most("stop", sampling.stop.len(), MAX_STOPS)?;
        if sampling.stop.iter().any(|stop| stop.len() > MAX_STOP_BYTES) {
            let message = format!("a stop text has more than {MAX_STOP_BYTES} bytes");
            return Err(ApiError::invalid("stop", message));
        }
        match &self.prompt {
            Prompt::Chat { messages, .. } if messages.is_empty() => {
                Err(ApiError::invalid("messages", "there is no message to answer"))
            }
            _ => Ok(()),
        }
    }
}

fn within(field: &str, found: f64, least: f64, most: f64) -> Result<(), ApiError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    let message = format!("{found} is not between {least} and {most}");
    Err(ApiError::invalid(field, message))
}

fn at_most(field: &str, found: usize, most: usize) -> Result<(), ApiError> {
    if found <= most {
        return Ok(());
    }
    Err(ApiError::invalid(field, format!("{found} is more than {most}")))
}

#[cfg(test)]
mod tests {
    use stateset_core::{Message, Sampling};

    use super::*;

    fn request() -> AnswerRequest {
        let messages = vec![Message::user("hi")];
        AnswerRequest::new(Prompt::Chat { messages, tools: Vec::new() }, Sampling::default())
    }

    #[test]
    fn ranges_are_kept() {
        assert!(request().check().is_ok());
        type Spoil = fn(&mut AnswerRequest);
        let cases: [(&str, Spoil); 10] = [
            ("temperature", |r| r.sampling.temperature = f64::NAN),
            ("top_p", |r| r.sampling.top_p = 1.5),
            ("min_p", |r| r.sampling.min_p = -0.1),
            ("repetition_penalty", |r| r.sampling.repetition_penalty = 0.0),
            ("presence_penalty", |r| r.presence_penalty = 2.1),
            ("frequency_penalty", |r| r.frequency_penalty = -3.0),
            ("max_tokens", |r| r.sampling.max_new_tokens = 0),
            ("top_logprobs", |r| r.top_logprobs = 21),
            ("logit_bias.7", |r| r.logit_bias = vec![(7, -100.5)]),
            ("stop", |r| r.sampling.stop = vec!["x".repeat(2000)]),
        ];
        for (field, spoil) in cases {
            let mut request = request();
            spoil(&mut request);
            let error = request.check().unwrap_err();
            assert_eq!((error.field.as_deref(), error.status.as_u16()), (Some(field), 400));
        }
        let empty = Prompt::Chat { messages: Vec::new(), tools: Vec::new() };
        let error = AnswerRequest { prompt: empty, ..request() }.check().unwrap_err();
        assert_eq!(error.field.as_deref(), Some("messages"));
    }
}
