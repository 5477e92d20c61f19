//! How many tokens a request took.

use serde::Serialize;
use utoipa::ToSchema;

use crate::answer::Answer;

/// Tokens that were read and drawn; words for models without tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Usage {
    /// Of the prompt; once for all answers to it.
    pub prompt_tokens: usize,
    /// Drawn, in all answers.
    pub completion_tokens: usize,
    /// Both.
    pub total_tokens: usize,
    /// More on the prompt; absent for models without tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_details: Option<PromptDetails>,
}

/// More on the tokens of a prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct PromptDetails {
    /// Those that were in the engine's cache, left by an earlier request, and not read again.
    pub cached_tokens: usize,
}

impl Usage {
    /// Of answers to one prompt.
    pub(crate) fn of(answers: &[Answer]) -> Usage {
        let read = answers.first().map_or(Usage::default(), Usage::prompt_of);
        answers.iter().map(Usage::drawn_of).fold(read, Usage::plus)
    }

    /// The prompt of this answer.
    pub(crate) fn prompt_of(answer: &Answer) -> Usage {
        let details = answer.n_cached.map(|cached_tokens| PromptDetails { cached_tokens });
        Usage { prompt_tokens_details: details, ..Usage::new(answer.n_prompt, 0) }
    }

    /// This answer without its prompt.
    pub(crate) fn drawn_of(answer: &Answer) -> Usage {
        Usage::new(0, answer.n_drawn)
    }

    /// Both together.
    pub(crate) fn plus(self, other: Usage) -> Usage {
        let details = [self.prompt_tokens_details, other.prompt_tokens_details];
        let cached = details.into_iter().flatten().map(|details| details.cached_tokens);
        let cached = cached.reduce(|a, b| a + b);
        Usage {
            prompt_tokens_details: cached.map(|cached_tokens| PromptDetails { cached_tokens }),
            ..Usage::new(
                self.prompt_tokens + other.prompt_tokens,
                self.completion_tokens + other.completion_tokens,
            )
        }
    }

    fn new(prompt_tokens: usize, completion_tokens: usize) -> Usage {
        let total_tokens = prompt_tokens + completion_tokens;
        Usage { prompt_tokens, completion_tokens, total_tokens, prompt_tokens_details: None }
    }
}
