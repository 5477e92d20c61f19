//! Weights of a reward's parts that change from step to step of a training run.
//!
//! A reward that adapts scores every conversation with the weights it began with, and hands out a
//! [`Weighing`] beside it. The trainer lets it settle each finished batch, in the batch's own order and
//! before anything is learned from it. So what a conversation is worth depends on the batches before it
//! and on nothing else: neither on which episode happened to end first, nor on whether the run was
//! interrupted. Evaluations keep the first weights, so that they can be compared.

use serde_json::Value;

use crate::RewardResult;

/// Weighs the parts of finished batches anew.
pub trait Weighing: Send {
    /// Names and weights as they are now; the weights have the sum 1.
    fn weights(&self) -> Vec<(String, f64)>;

    /// Puts the present weights and the totals that follow from them into `batch`, and then changes
    /// the weights by what the batch shows. Results of other rewards are left as they are.
    fn settle(&mut self, batch: &mut [&mut RewardResult]);

    /// Everything that it remembers, for a checkpoint.
    fn state(&self) -> Value;

    /// Goes back to a state that [`Weighing::state`] gave.
    ///
    /// # Errors
    /// Words that say what does not fit.
    fn restore(&mut self, state: &Value) -> Result<(), String>;
}
