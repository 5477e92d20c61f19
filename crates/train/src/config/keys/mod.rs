//! Every key there is: the one table that reading, checking, documents and defaults are made from.

mod advantage;
mod agent;
mod algorithm;
mod compatibility;
mod critic;
mod environment;
mod evaluation;
mod judge;
mod optimiser;
mod preference;
mod reward;
mod rollout;
mod run;
mod sampling_rules;
mod surrogate;
mod surroundings;
mod table;
mod top;

pub use table::all_keys;
pub(super) use table::method_keys;
pub(super) use top::ALGORITHMS;
