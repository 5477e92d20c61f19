//! The engine as the rest of a run reaches it.

mod handle;
mod stale;
mod state;

pub use handle::{Engine, Sampled};
pub(crate) use stale::Snapshot;
pub use state::EngineState;
