//! A judge answers a written question with written words; parsing them is the asker's business.

use async_trait::async_trait;

use crate::PolicyError;

/// A question for a judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgeRequest {
    /// What the judge is and how it must answer.
    pub instructions: String,
    /// What it is to judge.
    pub question: String,
    /// Answers whose probability is asked for, such as `["1", "2"]`; may be empty.
    pub options: Vec<String>,
}

/// A judge's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What it wrote.
    pub text: String,
    /// Log-prob of each option, in the order asked, where the judge can tell.
    pub option_logprobs: Option<Vec<f64>>,
}

/// Which of two candidates a judge finds better, by the places they stood in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// The one that stood first.
    First,
    /// The one that stood second.
    Second,
    /// Neither is better.
    Neither,
}

/// Answers questions about conversations.
#[async_trait]
pub trait Judge: Send + Sync {
    /// Answers one question.
    ///
    /// # Errors
    /// [`PolicyError`] where the model behind the judge fails.
    async fn judge(&self, request: JudgeRequest) -> Result<Verdict, PolicyError>;
}
