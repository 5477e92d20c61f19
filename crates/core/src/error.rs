//! Errors that are data: a failed rollout says where it failed and ends alone.

use std::fmt;
use std::time::Duration;

/// The border at which a rollout failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Border {
    /// The policy could not answer.
    Model,
    /// A tool failed in a way the agent cannot repair.
    Tool,
    /// The environment failed.
    Environment,
    /// The reward failed.
    Reward,
    /// A limit of time, turns or tokens was reached before the episode could be judged.
    Limit,
}

impl Border {
    /// Lower-case name, as in the journal.
    pub fn as_str(self) -> &'static str {
        match self {
            Border::Model => "model",
            Border::Tool => "tool",
            Border::Environment => "environment",
            Border::Reward => "reward",
            Border::Limit => "limit",
        }
    }

    /// The border with this name.
    pub fn from_name(name: &str) -> Option<Border> {
        [Border::Model, Border::Tool, Border::Environment, Border::Reward, Border::Limit]
            .into_iter()
            .find(|border| border.as_str() == name)
    }
}

impl fmt::Display for Border {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a rollout ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("play the episode: {border}: {message}")]
pub struct RolloutError {
    /// Where it failed.
    pub border: Border,
    /// What happened.
    pub message: String,
}

impl RolloutError {
    /// A failure at `border`.
    pub fn new(border: Border, message: impl fmt::Display) -> Self {
        RolloutError { border, message: message.to_string() }
    }
}

/// Why a policy gave no completion.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Prompt and answer do not fit into the model's context.
    #[error("fit {needed} tokens into a context of {limit}")]
    ContextFull {
        /// Tokens the prompt has, plus one for the answer.
        needed: usize,
        /// Tokens the model can read.
        limit: usize,
    },
    /// The conversation cannot be rendered or continued with the model's chat template.
    #[error("render turn {turn} with the chat template: {message}")]
    Template {
        /// Index of the message.
        turn: usize,
        /// What the template said.
        message: String,
    },
    /// The caller gave up on the request.
    #[error("finish the completion: it was cancelled")]
    Cancelled,
    /// The engine failed.
    #[error("sample a completion: {0}")]
    Failed(String),
    /// A remote side could not answer now; the same request may succeed later.
    #[error("get an answer of {who}: {message}")]
    Unavailable {
        /// Who was asked, without secrets.
        who: String,
        /// What happened.
        message: String,
        /// How long it asks to be left alone, where it says so.
        retry_after: Option<Duration>,
    },
    /// A remote side, or what guards it, refuses this request, and will again.
    #[error("get an answer of {who}: {message}")]
    Refused {
        /// Who was asked, without secrets.
        who: String,
        /// Why, and what to do about it.
        message: String,
    },
}
