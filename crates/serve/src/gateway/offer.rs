//! A sample that waits for a program elsewhere: what it is told, and whether somebody took it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::told::Told;

/// A sample that is offered to programs elsewhere.
pub(crate) struct Offer {
    /// What the program is told of its scenario.
    pub(crate) scenario: Told,
    /// What it is played for: `training` or `evaluation`.
    pub(crate) purpose: &'static str,
    /// When it was offered.
    pub(super) since: Instant,
    is_taken: AtomicBool,
}

impl Offer {
    /// An offer that nobody took yet.
    pub(super) fn new(scenario: Told, purpose: &'static str) -> Offer {
        Offer { scenario, purpose, since: Instant::now(), is_taken: AtomicBool::new(false) }
    }

    /// Takes it; false where somebody did before.
    pub(super) fn take(&self) -> bool {
        !self.is_taken.swap(true, Ordering::Relaxed)
    }

    /// True once somebody took it.
    pub(crate) fn is_taken(&self) -> bool {
        self.is_taken.load(Ordering::Relaxed)
    }
}
