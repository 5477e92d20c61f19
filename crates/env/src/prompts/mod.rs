//! Single-turn tasks: one prompt, one answer, and how an answer is checked.

mod answer_text;
mod check;
mod choice;
mod environment;
mod json_reply;

pub use check::{Check, CheckKind, CheckProblem, Verdict};
pub use environment::PromptEnvironment;
