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
mod top;

use super::key::Key;

/// Every key, in the order of documents; keys of a section are together.
pub fn all_keys() -> impl Iterator<Item = &'static Key> {
    TABLES.iter().copied().flatten()
}

const TABLES: [&[Key]; 13] = [
    top::KEYS,
    agent::KEYS,
    compatibility::AGENT,
    environment::KEYS,
    compatibility::ENVIRONMENT,
    reward::KEYS,
    run::KEYS,
    rollout::KEYS,
    algorithm::KEYS,
    optimiser::KEYS,
    compatibility::TRAINING,
    compatibility::LATER,
    evaluation::KEYS,
];
