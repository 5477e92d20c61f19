//! How large one request may be, where the size of its body does not say it.
//!
//! The defaults are those of the documented services. Routes of OpenAI and Anthropic are bounded by the
//! body and by the model's context instead, since their clients send long conversations and documents.

use crate::api_error::ApiError;

/// How large one request may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimits {
    /// Messages of one conversation in a request.
    pub max_messages: usize,
    /// Prompts of one training.
    pub max_prompts: usize,
    /// Characters of one prompt or message.
    pub max_chars: usize,
    /// Tokens that one answer may be asked to have.
    pub max_tokens: usize,
    /// Iterations of one training.
    pub max_iterations: usize,
}

impl Default for SizeLimits {
    fn default() -> SizeLimits {
        SizeLimits {
            max_messages: 128,
            max_prompts: 8,
            max_chars: 4000,
            max_tokens: 4096,
            max_iterations: 1000,
        }
    }
}

impl SizeLimits {
    /// Refuses a longer conversation; `field` is its path in the body, as for all of these.
    ///
    /// # Errors
    /// [`ApiError`] 400 `too_many_messages`.
    pub fn check_messages(&self, field: &str, n: usize) -> Result<(), ApiError> {
        refuse_above(self.max_messages, n, "too_many_messages", field, "messages")
    }

    /// Refuses more prompts.
    ///
    /// # Errors
    /// [`ApiError`] 400 `too_many_prompts`.
    pub fn check_prompts(&self, field: &str, n: usize) -> Result<(), ApiError> {
        refuse_above(self.max_prompts, n, "too_many_prompts", field, "prompts")
    }

    /// Refuses a longer text.
    ///
    /// # Errors
    /// [`ApiError`] 400 `text_too_long`.
    pub fn check_text(&self, field: &str, text: &str) -> Result<(), ApiError> {
        // A text has no more characters than bytes, so most need no counting.
        let n = if text.len() > self.max_chars { text.chars().count() } else { 0 };
        refuse_above(self.max_chars, n, "text_too_long", field, "characters")
    }

    /// Refuses to draw more tokens.
    ///
    /// # Errors
    /// [`ApiError`] 400 `too_many_tokens`.
    pub fn check_tokens(&self, field: &str, n: usize) -> Result<(), ApiError> {
        refuse_above(self.max_tokens, n, "too_many_tokens", field, "tokens")
    }

    /// Refuses more iterations.
    ///
    /// # Errors
    /// [`ApiError`] 400 `too_many_iterations`.
    pub fn check_iterations(&self, field: &str, n: usize) -> Result<(), ApiError> {
        refuse_above(self.max_iterations, n, "too_many_iterations", field, "iterations")
    }
}

fn refuse_above(
    most: usize,
    n: usize,
    code: &'static str,
    field: &str,
    what: &str,
) -> Result<(), ApiError> {
    if n <= most {
        return Ok(());
    }
    let mut error =
        ApiError::invalid(field, format!("{n} {what} are too many; at most {most} are taken"));
    error.code = code;
    Err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_itself_is_allowed() {
        let limits = SizeLimits::default();
        assert!(limits.check_messages("messages", 128).is_ok());
        let error = limits.check_messages("messages", 129).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), ("too_many_messages", Some("messages")));
        assert!(limits.check_text("message", &"é".repeat(4000)).is_ok());
        assert_eq!(
            limits.check_text("message", &"é".repeat(4001)).unwrap_err().code,
            "text_too_long"
        );
        assert!(limits.check_prompts("prompts", 9).is_err());
        assert!(limits.check_tokens("max_tokens", 4097).is_err());
        assert!(limits.check_iterations("num_iterations", 1001).is_err());
    }
}
