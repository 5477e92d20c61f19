//! Scoring and training of weight sets.

mod backward;
mod critic;
mod curvature;
#[expect(clippy::module_inception, reason = "the folder holds the parts, this file the whole")]
mod learner;
mod logits;
mod readings;
mod rows;
mod scorer;
mod state;
mod value_head;

pub use critic::Critic;
pub use learner::{Learner, OptimiserStep, StepReport};
pub use rows::{RowGradients, RowScores, TokenRow, Wants};
pub use scorer::Scorer;
pub use state::{Moment, OptimiserState};
pub use value_head::{ValueHead, ValueHeadSpec};
