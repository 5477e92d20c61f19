//! The arithmetic of AI feedback: what judges say, turned into rewards and labels.
//!
//! Nothing here asks anybody; numbers and verdicts come in.

mod agreement;
mod comparison;
mod error;
mod score_tokens;
mod soft_label;
mod strengths;
mod wins;

pub use agreement::{MAX_DISAGREEMENT, OrderTally, TruthTally};
pub use comparison::Comparison;
pub use error::FeedbackError;
pub use score_tokens::{centred_score, expected_score, option_probabilities};
pub use soft_label::{SoftLabel, soft_label_loss};
pub use strengths::Strengths;
pub use wins::Wins;
