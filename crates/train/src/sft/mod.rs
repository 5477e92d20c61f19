//! Supervised fine-tuning.

mod rows;
mod step;

pub(crate) use rows::tool;
pub use rows::{SftExample, SftRow, read_examples};
pub use step::{SftOrder, SftReport, sft_loss, sft_step};
