//! Policies: the engine in this process, and canned sentences.

mod local;
mod stub;

pub use local::{LocalPolicy, stop_check};
pub(crate) use local::{engine_error, template_error};
pub use stub::StubPolicy;
