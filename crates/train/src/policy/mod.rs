//! Policies: the engine in this process, and canned sentences.

mod local;
mod stub;

pub use local::{LocalPolicy, stop_check};
pub use stub::StubPolicy;
