//! Sets and maps of words.
//!
//! Rewards look up every word of every reply, some of them several times, and the standard hasher costs more
//! than all the rest. This one is quick on short texts and always seeded alike, so that nothing depends on the
//! process. A text made to collide costs the square of its words, of which there are few: texts are cut before
//! (`MAX_CHARS`).

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

/// A set with a quick hasher.
pub(crate) type Set<T> = HashSet<T, FixedState>;

/// A map with a quick hasher.
pub(crate) type Map<K, V> = HashMap<K, V, FixedState>;

/// The set of `items`.
pub(crate) fn set<T: Eq + Hash>(items: impl IntoIterator<Item = T>) -> Set<T> {
    items.into_iter().collect()
}

/// A number that is the same for equal words.
pub(crate) fn hash_of(word: &str) -> u64 {
    FixedState::default().hash_one(word)
}
