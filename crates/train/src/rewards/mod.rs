//! Rewards that need a model.

mod neural;

pub use neural::NeuralReward;
