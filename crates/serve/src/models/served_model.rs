//! One model that answers.

use std::sync::{Arc, OnceLock};

use stateset_core::{PolicyVersion, Sampling};
use stateset_train::{LocalPolicy, StubPolicy};

use crate::answer::Speaker;
use crate::constraint::Vocabulary;
use crate::observe::AnswerWatch;

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
    /// The version of the weights as they were loaded; optimiser steps that its engine makes come on top.
    pub version: PolicyVersion,
    /// Its tokens as grammars read them, once a form was asked for.
    pub(crate) vocabulary: OnceLock<Vocabulary>,
    /// Notes how it answers.
    pub watch: AnswerWatch,
}
