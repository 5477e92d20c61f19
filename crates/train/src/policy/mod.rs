//! Policies: the engine in this process, and canned sentences.

mod local;
mod stub;

pub(crate) use local::template_error;
pub use local::{LocalPolicy, engine_error, stop_check};
pub use stub::StubPolicy;
