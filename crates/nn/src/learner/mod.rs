//! Scoring and training of weight sets.

#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod learner;
mod rows;
mod scorer;

pub use learner::{Learner, Moment, OptimiserState, OptimiserStep, StepReport};
pub use rows::{RowGradients, RowScores, TokenRow, Wants};
pub use scorer::Scorer;
