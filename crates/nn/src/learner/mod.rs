//! Scoring and training of weight sets.

mod critic;
mod curvature;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod learner;
mod logits;
mod rows;
mod scorer;
mod value_head;

pub use critic::Critic;
pub use learner::{Learner, Moment, OptimiserState, OptimiserStep, StepReport};
pub use rows::{RowGradients, RowScores, TokenRow, Wants};
pub use scorer::Scorer;
pub use value_head::{ValueHead, ValueHeadSpec};
