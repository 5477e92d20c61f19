//! Single-turn tasks: one prompt, one answer.

mod environment;

pub use environment::PromptEnvironment;
