//! The short way: an agent to talk to, and training it.

mod agent;
mod training;

pub use agent::ChatAgent;
pub use training::{Trained, Training, train, train_on_prompts};
