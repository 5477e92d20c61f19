//! The engine as the rest of a run reaches it.

mod handle;
mod ongoing;
mod stale;
mod state;

pub use handle::Engine;
pub use ongoing::{Ongoing, Sampled, SampledToken, Started};
pub(crate) use stale::Snapshot;
pub use state::EngineState;
