//! All tables of keys as one, in the order of documents.

use super::super::key::Key;
use super::{
    agent, algorithm, compatibility, environment, evaluation, optimiser, reward, rollout, run, top,
};

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
