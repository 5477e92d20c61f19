//! Every key there is: the one table that reading, checking, documents and defaults are made from.

mod agent;
mod algorithm;
mod compatibility;
mod environment;
mod evaluation;
mod optimiser;
mod reward;
mod rollout;
mod run;
mod table;
mod top;

pub use table::all_keys;
