//! The short way: an agent to talk to, and training it.

mod agent;
mod auto_trainer;
mod pairs;
mod training;

pub use agent::ChatAgent;
pub(crate) use agent::open_model;
pub use auto_trainer::AutoTrainer;
pub(crate) use auto_trainer::choice_text;
pub use pairs::train_on_pairs;
pub use training::{Trained, Training, train, train_on_prompts};
