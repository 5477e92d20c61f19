//! One model that answers.

use std::sync::Arc;

use stateset_core::Sampling;
use stateset_train::{LocalPolicy, StubPolicy};

use crate::answer::Speaker;

/// Who says what the model says.
#[derive(Clone)]
pub enum Voice {
    /// The engine in this process.
    Local(Box<LocalPolicy>),
    /// Canned sentences.
    Stub(StubPolicy),
    /// Somebody else.
    Speaker(Arc<dyn Speaker>),
}

/// One model that answers.
pub struct ServedModel {
    /// What clients call it.
    pub name: String,
    /// When its weights were loaded, in seconds since 1970.
    pub created: u64,
    /// Who answers.
    pub voice: Voice,
    /// Tokens of the longest conversation.
    pub context: usize,
    /// Instructions it begins conversations with that have none.
    pub system_prompt: Option<String>,
    /// How it draws where the request says nothing.
    pub sampling: Sampling,
}
