//! Rewards that need a model.

mod neural;
mod words;

pub use neural::NeuralReward;
pub use words::{reward_in_words, reward_with_judge};
