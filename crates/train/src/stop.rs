//! A wish to end a run: the step under way is finished and saved first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says that a run should end. Clones say the same.
#[derive(Clone, Debug, Default)]
pub struct StopSignal(Arc<AtomicBool>);

impl StopSignal {
    /// Asks for the end.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// True once the end has been asked for.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
