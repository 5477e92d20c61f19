//! How many tokens a request took.

use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Answer;

/// Tokens that were read and drawn; words for models without tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Usage {
    /// Read; once for all answers to one prompt.
    pub prompt_tokens: usize,
    /// Drawn, in all answers.
    pub completion_tokens: usize,
    /// Both.
    pub total_tokens: usize,
}

impl Usage {
    /// This many read and drawn.
    pub(crate) fn new(prompt_tokens: usize, completion_tokens: usize) -> Usage {
        Usage { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
    }

    /// Of answers to one prompt.
    pub(crate) fn of(answers: &[Answer]) -> Usage {
        let read = answers.first().map_or(0, |answer| answer.n_prompt);
        Usage::new(read, answers.iter().map(|answer| answer.n_drawn).sum())
    }

    /// Both together.
    pub(crate) fn plus(self, other: Usage) -> Usage {
        Usage::new(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )
    }
}
