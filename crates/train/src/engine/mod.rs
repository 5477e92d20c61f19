//! The engine as the rest of a run reaches it.

mod handle;
mod state;

pub use handle::{Engine, Sampled};
pub use state::EngineState;
