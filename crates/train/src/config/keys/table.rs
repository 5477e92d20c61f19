//! All tables of keys as one, in the order of documents.

use super::super::key::Key;
use super::{
    advantage, agent, algorithm, compatibility, critic, environment, evaluation, judge, optimiser,
    preference, reward, rollout, run, sampling_rules, surrogate, surroundings, top,
};

/// Every key, in the order of documents; keys of a section are together.
pub fn all_keys() -> impl Iterator<Item = &'static Key> {
    TABLES.iter().copied().flatten()
}

/// The keys of methods. Each method reads some of them; the others have no effect beside it.
pub(in super::super) fn method_keys() -> impl Iterator<Item = &'static Key> {
    METHODS.iter().copied().flatten()
}

const METHODS: [&[Key]; 6] = [
    advantage::KEYS,
    surrogate::KEYS,
    algorithm::KEYS,
    critic::KEYS,
    sampling_rules::KEYS,
    preference::KEYS,
];

const TABLES: [&[Key]; 20] = [
    top::KEYS,
    agent::KEYS,
    surroundings::KEYS,
    compatibility::AGENT,
    environment::KEYS,
    compatibility::ENVIRONMENT,
    reward::KEYS,
    judge::KEYS,
    run::KEYS,
    rollout::KEYS,
    advantage::KEYS,
    surrogate::KEYS,
    algorithm::KEYS,
    critic::KEYS,
    sampling_rules::KEYS,
    preference::KEYS,
    optimiser::KEYS,
    compatibility::TRAINING,
    compatibility::LATER,
    evaluation::KEYS,
];
