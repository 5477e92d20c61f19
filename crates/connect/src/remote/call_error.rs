//! What can go wrong with a call to somebody else, by kind, with the name of who was called.
//!
//! Apart from [`crate::ConnectError`], whose messages are about downloads: these errors end up on a
//! trajectory, where they are data.

use std::time::Duration;

use stateset_core::{PolicyError, ToolError};

/// Why a call to the outside gave no result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RemoteError {
    /// A setting cannot be used.
    #[error("set up {who}: `{key}`: {problem}")]
    BadSetting {
        /// What is set up.
        who: String,
        /// Which setting.
        key: String,
        /// What was found and what is allowed; never a secret.
        problem: String,
    },
    /// There is no connection.
    #[error("call {who}: it cannot be reached ({cause}); check the address, and that it runs")]
    Unreachable {
        /// Who was called.
        who: String,
        /// What the attempt met.
        cause: String,
    },
    /// There is no answer in time.
    #[error("call {who}: there was no answer within {limit_secs} s")]
    TimedOut {
        /// Who was called.
        who: String,
        /// The limit.
        limit_secs: f64,
    },
    /// It went away while it was asked.
    #[error("call {who}: it ended in the middle of the call ({cause})")]
    Closed {
        /// Who was called.
        who: String,
        /// What was seen of it.
        cause: String,
    },
    /// It answered with an error.
    #[error("call {who}: it answered with status {status}{message}{}", advice(*status))]
    Status {
        /// Who was called.
        who: String,
        /// The status.
        status: u16,
        /// What it said, in parentheses, or nothing.
        message: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// Its answer makes no sense.
    #[error("call {who}: its answer makes no sense: {problem}")]
    BadAnswer {
        /// Who was called.
        who: String,
        /// What is wrong with the answer.
        problem: String,
    },
    /// It refused the call as such: an unknown tool, wrong arguments, a failure it reports itself.
    #[error("call {who}: {message}")]
    Rejected {
        /// Who was called.
        who: String,
        /// What it said.
        message: String,
    },
}

fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => "; check the key, and what it may do",
        404 => "; check the address and the model's name",
        _ => "",
    }
}

impl RemoteError {
    /// A setting of `who` that cannot be used.
    pub(crate) fn setting(who: &str, key: &str, problem: impl Into<String>) -> RemoteError {
        RemoteError::BadSetting { who: who.into(), key: key.into(), problem: problem.into() }
    }

    /// True where the other side is ill or busy, and not the request wrong.
    pub fn is_fault(&self) -> bool {
        match self {
            RemoteError::Unreachable { .. }
            | RemoteError::TimedOut { .. }
            | RemoteError::Closed { .. }
            | RemoteError::BadAnswer { .. } => true,
            RemoteError::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            RemoteError::BadSetting { .. } | RemoteError::Rejected { .. } => false,
        }
    }

    /// True where the call cannot have had an effect.
    pub fn is_without_effect(&self) -> bool {
        match self {
            RemoteError::Unreachable { .. } | RemoteError::BadSetting { .. } => true,
            RemoteError::Status { status, .. } => matches!(status, 400..=499 | 503),
            _ => false,
        }
    }

    /// Who was called, or is set up.
    pub fn who(&self) -> &str {
        match self {
            RemoteError::BadSetting { who, .. }
            | RemoteError::Unreachable { who, .. }
            | RemoteError::TimedOut { who, .. }
            | RemoteError::Closed { who, .. }
            | RemoteError::Status { who, .. }
            | RemoteError::BadAnswer { who, .. }
            | RemoteError::Rejected { who, .. } => who,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            RemoteError::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// As the error of a policy. Sampling has no effect, so all that is ill may be asked again.
    pub fn into_policy_error(self) -> PolicyError {
        let who = self.who().to_owned();
        let text = self.to_string();
        let message = text.strip_prefix(&format!("call {who}: ")).unwrap_or(&text).to_owned();
        match self.is_fault() {
            true => PolicyError::Unavailable { who, message, retry_after: self.retry_after() },
            false => PolicyError::Refused { who, message },
        }
    }

    /// As the error of the tool `tool`. `is_idempotent` says that a second call does no harm.
    pub fn into_tool_error(self, tool: &str, is_idempotent: bool) -> ToolError {
        let (tool, message) = (tool.to_owned(), format!("failed to {self}"));
        match self.is_fault() {
            true => ToolError::Unavailable {
                tool,
                message,
                retry_after: self.retry_after(),
                is_repeatable: is_idempotent || self.is_without_effect(),
            },
            false => ToolError::Failed { tool, message },
        }
    }
}
